/*
 * Who owns a slot, and is it alive? The table of deaths: a zombie is dead, a program
 * that executed another is dead, one whose child lives is dead; one that is stopped, or
 * whose first thread has ended, is alive; of another PID namespace nothing is concluded.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/broker.h"
#include "protocol/register.h"
#include "table/owner.h"

enum { OWNED, GO, PID };

static bool own(struct fixture *fixture, const uint8_t *id)
{
	inv_invocation *invocation;

	if (inv_invocation_begin(fixture->table, id, NULL, &invocation) != 0)
		return false;
	atomic_fetch_add(&fixture->counters[OWNED], 1);
	return true;
}

static pid_t start_owner(struct fixture *fixture, int (*task)(struct fixture *, void *),
                         uint8_t id[16])
{
	fixture_id(id);
	pid_t owner = fixture_fork(fixture, task, id);
	EVENTUALLY(atomic_load(&fixture->counters[OWNED]));
	return owner;
}

static void assert_alive(struct fixture *fixture, const uint8_t id[16])
{
	assert_int_equal(fixture_info(fixture, id).status, INV_RUNNING);
	broker_sweep(fixture->table, NULL, NULL);
	assert_int_equal(fixture_info(fixture, id).status, INV_RUNNING);
}

static int own_and_stay(struct fixture *fixture, void *id)
{
	return own(fixture, id) ? fixture_stay() : 1;
}

static int own_and_exit(struct fixture *fixture, void *id)
{
	return own(fixture, id) ? 0 : 1;
}

static void an_unreaped_zombie_is_dead(void **state)
{
	struct fixture *fixture = *state;
	siginfo_t info;
	uint8_t id[16];
	pid_t owner = start_owner(fixture, own_and_exit, id);

	assert_int_equal(waitid(P_PID, (id_t)owner, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(kill(owner, 0), 0); /* it is there, and dead */
	fixture_assert_lost(fixture, id);
	assert_int_equal(fixture_reap(fixture, owner), 0);
}

static void a_stopped_one_is_alive(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	pid_t owner = start_owner(fixture, own_and_stay, id);

	assert_int_equal(kill(owner, SIGSTOP), 0);
	assert_int_equal(waitpid(owner, NULL, WUNTRACED), owner);
	assert_alive(fixture, id);
	fixture_kill(fixture, owner);
	fixture_assert_lost(fixture, id);
}

static int end_first_thread(struct fixture *fixture, void *id)
{
	return own(fixture, id) ? fixture_end_first_thread() : 1;
}

static void one_whose_first_thread_has_ended_is_alive(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	pid_t owner = start_owner(fixture, end_first_thread, id);

	EVENTUALLY(fixture_first_thread_ended(owner));
	assert_alive(fixture, id);
	fixture_kill(fixture, owner);
	fixture_assert_lost(fixture, id);
}

static int own_and_execute(struct fixture *fixture, void *id)
{
	if (!own(fixture, id))
		return 1;
	execlp("sleep", "sleep", "1000", (char *)NULL);
	return 2;
}

static void one_that_executed_another_program_is_dead(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	pid_t owner = start_owner(fixture, own_and_execute, id);

	EVENTUALLY(fixture_info(fixture, id).status == INV_ERROR);
	fixture_assert_lost(fixture, id);
	assert_int_equal(kill(owner, 0), 0);
	fixture_kill(fixture, owner);
}

static int own_and_leave_a_child(struct fixture *fixture, void *id)
{
	if (!own(fixture, id))
		return 1;
	pid_t child = fork();
	if (child == 0)
		fixture_stay();
	atomic_store(&fixture->counters[PID], child);
	return 0;
}

static void one_whose_child_lives_is_dead(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	/* The orphan comes to this test, which ends it. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid_t owner = start_owner(fixture, own_and_leave_a_child, id);
	assert_int_equal(fixture_reap(fixture, owner), 0);
	pid_t orphan = atomic_load(&fixture->counters[PID]);
	assert_int_equal(kill(orphan, 0), 0);
	fixture_assert_lost(fixture, id);
	assert_int_equal(kill(orphan, SIGKILL), 0);
	assert_int_equal(waitpid(orphan, NULL, 0), orphan);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static int own_and_open_the_file(struct fixture *fixture, void *id)
{
	char path[128];

	fixture_path(fixture, path);
	if (!own(fixture, id))
		return 1;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	close(fd);
	atomic_store(&fixture->counters[GO], 1);
	return fixture_stay();
}

static int own_and_close_everything(struct fixture *fixture, void *id)
{
	if (!own(fixture, id))
		return 1;
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	atomic_store(&fixture->counters[GO], 1);
	return fixture_stay();
}

static void what_the_host_does_with_descriptors_does_not_matter(void **state)
{
	struct fixture *fixture = *state;
	int (*const tasks[])(struct fixture *, void *) = {own_and_open_the_file,
	                                                  own_and_close_everything};

	for (int i = 0; i < 2; i++) {
		uint8_t id[16];
		atomic_store(&fixture->counters[GO], 0);
		pid_t owner = start_owner(fixture, tasks[i], id);
		EVENTUALLY(atomic_load(&fixture->counters[GO]));
		assert_alive(fixture, id);
		fixture_kill(fixture, owner);
		fixture_assert_lost(fixture, id);
	}
}

/* Owns in a PID namespace of its own, where it is process 1. */
static int own_elsewhere(struct fixture *fixture, void *id)
{
	if (!fixture_permitted(unshare(CLONE_NEWPID) == 0, "a PID namespace")) {
		atomic_store(&fixture->counters[OWNED], -1);
		return NOT_PERMITTED;
	}
	/* Its parent is not of its namespace, so fixture_fork can't be used. */
	pid_t inner = fork();
	if (inner == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(own_and_stay(fixture, id));
	}
	return inner > 0 && waitpid(inner, NULL, 0) == inner ? 0 : 1;
}

static void of_another_namespace_nothing_is_concluded(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	pid_t outer = start_owner(fixture, own_elsewhere, id);

	if (atomic_load(&fixture->counters[OWNED]) < 0) {
		fixture_reap(fixture, outer);
		skip();
	}
	assert_int_equal(fixture_info(fixture, id).owner_pid, 1);
	assert_alive(fixture, id);
	/* Process 1 of here is somebody else, and is not signalled. */
	assert_true(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL) <= 0);
	assert_alive(fixture, id);
	fixture_kill(fixture, outer);
}

static void a_recycled_pid_is_not_the_owner(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	pid_t stranger = start_owner(fixture, own_and_stay, id);

	/* as if the entry were of an earlier process with the pid of one that lives */
	for (uint32_t i = 1; i < fixture->table->geometry.owners; i++) {
		struct process_identity identity;
		if (owner_read(fixture->table, i, &identity) != 0 && identity.pid == stranger) {
			atomic_store(&fixture->table->owners[i].pidfs, 0);
			atomic_fetch_sub(&fixture->table->owners[i].start, 1);
		}
	}
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EALREADY);
	fixture_assert_lost(fixture, id);
	assert_int_equal(kill(stranger, 0), 0);
	assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
	fixture_kill(fixture, stranger);
}

static void entries_are_used_again(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info info;

	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	for (uint32_t i = 0; i < 2 * info.owner_limit; i++) {
		uint8_t id[16];
		atomic_store(&fixture->counters[OWNED], 0);
		pid_t owner = start_owner(fixture, own_and_exit, id);
		assert_int_equal(fixture_reap(fixture, owner), 0);
	}
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owners, 0);
}

static int try_to_enter(struct fixture *fixture, void *arg)
{
	int error;

	(void)arg;
	pthread_mutex_lock(&fixture->table->lock);
	error = register_owner(fixture->table);
	pthread_mutex_unlock(&fixture->table->lock);
	atomic_fetch_add(&fixture->counters[OWNED], 1);
	return error ? -error : fixture_stay();
}

static void when_all_entries_are_taken_by_the_living_it_is_full(void **state)
{
	struct fixture *fixture = *state;
	enum { ENTRIES = SMALL_TABLE + OWNERS_SPARE };
	pid_t owners[ENTRIES];
	struct inv_table_info info;

	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owner_limit, ENTRIES - 1);
	for (int i = 0; i < (int)info.owner_limit; i++)
		owners[i] = fixture_fork(fixture, try_to_enter, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[OWNED]) == (int)info.owner_limit);
	pid_t late = fixture_fork(fixture, try_to_enter, NULL);
	assert_int_equal(fixture_reap(fixture, late), ENOSPC);
	fixture_kill(fixture, owners[7]);
	owners[7] = fixture_fork(fixture, try_to_enter, NULL);
	EVENTUALLY(inv_table_info_get(fixture->table, &info) == 0 &&
	           info.owners == info.owner_limit);
	for (int i = 0; i < (int)info.owner_limit; i++)
		fixture_kill(fixture, owners[i]);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owners, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(an_unreaped_zombie_is_dead),
	        TABLE_TEST(a_stopped_one_is_alive),
	        TABLE_TEST(one_whose_first_thread_has_ended_is_alive),
	        TABLE_TEST(one_that_executed_another_program_is_dead),
	        TABLE_TEST(one_whose_child_lives_is_dead),
	        TABLE_TEST(what_the_host_does_with_descriptors_does_not_matter),
	        TABLE_TEST(of_another_namespace_nothing_is_concluded),
	        TABLE_TEST(a_recycled_pid_is_not_the_owner),
	        SMALL_TABLE_TEST(entries_are_used_again),
	        SMALL_TABLE_TEST(when_all_entries_are_taken_by_the_living_it_is_full),
	};

	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
