/*
 * invctl.h: inv_event_is_set may be called in a signal handler. Whatever it finds, on no path may
 * it call what signal-safety(7) does not list: memory, locks, streams, directories.
 */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/handle.h"
#include "invctl-supervisor.h"
#include "table/owner.h"

#define LEASED (UINT64_C(1) << 39) /* as in table/owner.c */

static volatile sig_atomic_t in_handler, unsafe_calls;

#define UNSAFE(type, name, parameters, arguments)                                                  \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		unsafe_calls += in_handler;                                                        \
		return __real_##name arguments;                                                    \
	}

/* NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's, see --wrap in ld(1). */
UNSAFE(void *, malloc, (size_t size), (size))
UNSAFE(void *, calloc, (size_t count, size_t size), (count, size))
UNSAFE(void *, realloc, (void *memory, size_t size), (memory, size))
UNSAFE(DIR *, opendir, (const char *path), (path))
UNSAFE(FILE *, fopen, (const char *path, const char *mode), (path, mode))
UNSAFE(int, pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
/* NOLINTEND(bugprone-reserved-identifier) */

static const inv_event *checked;
static volatile sig_atomic_t result;

static void check_in_handler(int signum)
{
	int saved = errno;

	(void)signum;
	in_handler = 1;
	result = inv_event_is_set(checked);
	in_handler = 0;
	errno = saved;
}

/* As a handler would find it at a moment when nothing of an earlier check is known. */
static int answer_in_handler(inv_event *event)
{
	struct sigaction action = {.sa_handler = check_in_handler};

	checked = event;
	atomic_store(&event->until_sample, 0);
	if (event->table)
		atomic_store(&event->table->broker_seen_ns, 0);
	unsafe_calls = 0;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	assert_int_equal(unsafe_calls, 0);
	return result;
}

static void the_wrappers_see_calls_in_the_handler(void **state)
{
	(void)state;
#ifdef SANITIZE_THREAD
	print_message("this build's malloc is the sanitizer's\n");
	skip();
#endif
	unsafe_calls = 0;
	in_handler = 1;
	free(malloc(1));
	in_handler = 0;
	assert_int_equal(unsafe_calls, 1);
}

static void ones_own_event(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(answer_in_handler(event), 0);
	assert_int_equal(inv_event_set(event, "enough"), 0);
	assert_int_equal(answer_in_handler(event), 1);
	inv_event_put(event);
}

static pid_t start_owner(struct fixture *fixture, uint8_t id[16], inv_event **event)
{
	fixture_id(id);
	pid_t owner = fixture_fork(fixture, fixture_own_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	assert_int_equal(inv_event_find(fixture->table, id, event), 0);
	return owner;
}

static void another_process_that_dies(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	pid_t owner = start_owner(fixture, id, &event);
	assert_int_equal(answer_in_handler(event), 0);
	fixture_kill(fixture, owner);
	assert_int_equal(answer_in_handler(event), -ESTALE);
	inv_event_put(event);
}

/* Where its death could be concluded from a search of /proc alone. */
static void a_process_of_another_namespace(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	pid_t owner = start_owner(fixture, id, &event);
	uint64_t word = atomic_load(&fixture->table->control[event->ref.index]);
	atomic_fetch_add(&fixture->table->owners[control_owner(word)].namespace, 1);
	fixture_kill(fixture, owner);
	assert_int_equal(answer_in_handler(event), 0);
	inv_event_put(event);
}

static int run_and_stay(struct fixture *fixture, void *id)
{
	struct inv_run_options options = {.id = id, .name = "run", .deadline_ns = INV_FOREVER};
	inv_invocation *run;

	if (inv_run_register(fixture->table, &options, &run) != 0 ||
	    inv_run_started(run, getpid()) != 0)
		return 1;
	atomic_store(&fixture->counters[0], 1);
	return fixture_stay();
}

/* Its supervisor, of another namespace, holds its lease no more: whether the action lives could
 * be found by a search of /proc alone. */
static void a_run_of_another_namespace(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, run_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	assert_int_equal(inv_event_find(fixture->table, id, &event), 0);
	uint64_t word = atomic_load(&fixture->table->control[event->ref.index]);
	struct owner_entry *entry = &fixture->table->owners[control_owner(word)];
	atomic_fetch_add(&entry->namespace, 1);
	atomic_fetch_or(&entry->word, LEASED);
	assert_int_equal(answer_in_handler(event), 0);
	inv_event_put(event);
	fixture_kill(fixture, owner);
}

static void an_event_that_is_over(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	pid_t owner = start_owner(fixture, id, &event);
	fixture_kill(fixture, owner);
	assert_int_equal(inv_event_check(event), -ESTALE);
	assert_int_equal(answer_in_handler(event), -ESTALE);
	inv_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_wrappers_see_calls_in_the_handler),
	        TABLE_TEST(ones_own_event),
	        TABLE_TEST(another_process_that_dies),
	        TABLE_TEST(a_process_of_another_namespace),
	        TABLE_TEST(a_run_of_another_namespace),
	        TABLE_TEST(an_event_that_is_over),
	};

	return cmocka_run_group_tests_name("signal handler", tests, NULL, NULL);
}
