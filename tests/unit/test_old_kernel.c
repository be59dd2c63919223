/*
 * Where the kernel, or a container's filter, lacks a call: "Linux 5.16 or later is best", and
 * before that nothing is lost but speed. A filter in a child makes the call one that is not
 * there; what the child comes to is its exit status, the number of the first expectation that
 * does not hold.
 */
#include "fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/broker.h"
#include "invctl-supervisor.h"
#include "os/process.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

enum { READY = 0, ASKED };

/* From here on the call fails with ENOSYS in this process and its threads. */
static bool lack(unsigned call)
{
	struct sock_filter program[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof(program) / sizeof(program[0]), .filter = program};

	return fixture_permitted(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	                                 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0,
	                         "a filter of calls");
}

static bool readable(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return poll(&one, 1, 0) == 1;
}

static int poll_an_event(struct fixture *fixture, void *arg)
{
	uint8_t id[16] = {1};
	inv_event *event;
	bool shown = false;

	(void)arg;
	if (!lack(SYS_futex_waitv))
		return NOT_PERMITTED;
	if (inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	int fd = inv_event_fd(event);
	if (fd < 0 || readable(fd))
		return 2;
	inv_event_set(event, NULL);
	AWAIT((shown = readable(fd)));
	if (!shown)
		return 3;
	inv_event_clear(event);
	AWAIT(!(shown = readable(fd)));
	if (shown)
		return 4;
	close(fd);
	inv_event_put(event);
	return 0;
}

static void without_waitv_an_event_fd_shows_what_is_set(void **state)
{
	fixture_assert_holds(*state, poll_an_event, NULL);
}

static int poll_the_dead(struct fixture *fixture, void *id)
{
	inv_event *event;
	bool shown = false;
	bool lacking = lack(SYS_futex_waitv);
	int fd = -1;

	if (lacking && inv_event_find(fixture->table, id, &event) == 0)
		fd = inv_event_fd(event);
	bool early = fd >= 0 && readable(fd);
	atomic_store(&fixture->counters[READY], 2);
	if (!lacking)
		return NOT_PERMITTED;
	if (fd < 0 || early)
		return 1;
	AWAIT((shown = readable(fd)));
	return shown && inv_event_check(event) == -ESTALE ? 0 : 2;
}

static void without_waitv_an_event_fd_shows_that_its_owner_is_dead(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, fixture_own_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 1);
	pid_t watcher = fixture_fork(fixture, poll_the_dead, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 2);
	fixture_kill(fixture, owner);
	assert_int_equal(fixture_reap_permitted(fixture, watcher), 0);
}

static int sleep_until_cancelled(void *arg)
{
	(void)arg;
	return inv_sleep(INV_FOREVER);
}

static int pass_a_cancel_on(struct fixture *fixture, void *arg)
{
	inv_context *context;
	inv_event *event;
	inv_thread *thread;
	int result = 0;

	(void)arg;
	if (!lack(SYS_futex_waitv))
		return NOT_PERMITTED;
	if (inv_context_enter(fixture->table, NULL, &context) != 0 ||
	    inv_event_get(NULL, NULL, &event) != 0 ||
	    inv_thread_start(&thread, fixture->table, sleep_until_cancelled, NULL) != 0)
		return 1;
	inv_event_set(event, NULL);
	if (inv_thread_join_propagate(thread, &result) != -ECANCELED || result != -ECANCELED)
		return 2;
	/* It ends by itself just as well. */
	if (inv_thread_start(&thread, fixture->table, sleep_until_cancelled, NULL) != 0 ||
	    inv_thread_cancel(thread) != 0)
		return 3;
	if (inv_thread_join_propagate(thread, &result) != 0 || result != -ECANCELED)
		return 4;
	inv_event_put(event);
	return inv_context_leave(context) == 0 ? 0 : 5;
}

static void without_waitv_a_cancel_is_passed_on_to_a_thread(void **state)
{
	fixture_assert_holds(*state, pass_a_cancel_on, NULL);
}

static void *bump(void *word)
{
	atomic_store((_Atomic uint32_t *)word, 1);
	return NULL;
}

static int supervise(struct fixture *fixture, void *arg)
{
	struct inv_run_options options = {.name = "run", .deadline_ns = INV_FOREVER};
	struct inv_run_view view;
	_Atomic uint32_t word = 0;
	inv_invocation *invocation;
	uint8_t id[16];
	pthread_t thread;

	(void)arg;
	if (!lack(SYS_futex_waitv))
		return NOT_PERMITTED;
	if (inv_run_register(fixture->table, &options, &invocation) != 0 ||
	    inv_run_view(invocation, &view) != 0 || pthread_create(&thread, NULL, bump, &word) != 0)
		return 1;
	while (atomic_load(&word) == 0)
		inv_run_wait(invocation, &view, &word, 0, INV_FOREVER);
	pthread_join(thread, NULL);
	inv_invocation_id(invocation, id);
	if (inv_cancel(fixture->table, id, 0, NULL) != 0)
		return 2;
	inv_run_wait(invocation, &view, NULL, 0, INV_FOREVER);
	if (inv_run_view(invocation, &view) != 0 || !view.requested)
		return 3;
	return inv_run_end(invocation, &(struct inv_run_result){.not_started = 1}) == 122 ? 0 : 4;
}

static void without_waitv_a_supervisor_is_woken(void **state)
{
	fixture_assert_holds(*state, supervise, NULL);
}

static int look_at_the_dead(struct fixture *fixture, void *id)
{
	uint8_t own[16] = {2};
	struct inv_info info;
	inv_event *event;

	if (!lack(SYS_pidfd_open))
		return NOT_PERMITTED;
	if (inv_info_get(fixture->table, id, &info) != 0 || info.status != INV_PENDING)
		return 1;
	if (inv_event_create(fixture->table, own, &event) != 0 || inv_event_set(event, NULL) != 0 ||
	    inv_event_check(event) != -ECANCELED)
		return 2;
	inv_event_put(event);
	return 0;
}

/* A pid alone may be another process's by now: who can't tell, leaves it. */
static void without_pidfds_nobody_is_taken_for_dead(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	struct inv_info info;

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, fixture_own_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 1);
	fixture_kill(fixture, owner);
	fixture_assert_holds(fixture, look_at_the_dead, id);
	/* Who can tell, does. */
	assert_int_equal(inv_info_get(fixture->table, id, &info), -ENOENT);
}

static int make_without_random(struct fixture *fixture, void *arg)
{
	struct inv_run_options options = {.name = "run", .deadline_ns = INV_FOREVER};
	struct broker_create create = {.name = fixture->name, .capacity = 10};
	uint8_t id[16] = {3};
	inv_context *context;
	inv_invocation *invocation;
	inv_event *event;
	bool created;
	char path[128];

	(void)arg;
	fixture_path(fixture, path);
	if (!lack(SYS_getrandom))
		return NOT_PERMITTED;
	if (inv_context_enter(fixture->table, NULL, &context) != -ENOSYS || context)
		return 1;
	if (inv_run_register(fixture->table, &options, &invocation) != -ENOSYS || invocation)
		return 2;
	/* An id that the caller brings is one. */
	if (inv_event_create(fixture->table, id, &event) != 0 || fixture_live(fixture) != 1)
		return 3;
	inv_event_put(event);
	if (unlink(path) != 0 || broker_open(&create, &fixture->table, &created) != -EAGAIN)
		return 4;
	return access(path, F_OK) != 0 ? 0 : 5;
}

/* Ids and epochs that could come twice would let one registration pass for another. */
static void without_random_numbers_no_id_and_no_table_is_made(void **state)
{
	fixture_assert_holds(*state, make_without_random, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(without_waitv_an_event_fd_shows_what_is_set),
	        TABLE_TEST(without_waitv_an_event_fd_shows_that_its_owner_is_dead),
	        TABLE_TEST(without_waitv_a_cancel_is_passed_on_to_a_thread),
	        TABLE_TEST(without_waitv_a_supervisor_is_woken),
	        TABLE_TEST(without_pidfds_nobody_is_taken_for_dead),
	        TABLE_TEST(without_random_numbers_no_id_and_no_table_is_made),
	};

	return cmocka_run_group_tests_name("old kernel", tests, NULL, NULL);
}
