/*
 * "No signal ever goes to a recycled pid": an owner dies, and another process gets its
 * very pid, one that uses the table as well. The invocation is lost, the newcomer is left
 * alone. In a PID namespace of the test's own, where a pid can be chosen.
 */
#include "fixture.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/process.h"

enum { CHOSEN = 77, OWNED = 0, AT_ONCE = 1 };

static pid_t fork_as(pid_t pid)
{
	struct clone_args arguments = {
	        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* A table of its own: clone3 is no fork to the C library, nor to this one. */
static int own_and_stay(struct fixture *fixture, uint8_t *ids)
{
	inv_table *table;
	inv_invocation *invocation;

	if (inv_open(&table, fixture->name, 0) != 0)
		return 1;
	/* A shield on the first one, which is somebody else's. */
	fixture_environment(ids);
	if (inv_shield_begin() != 0)
		return 2;
	fixture_environment(NULL);
	if (inv_invocation_begin(table, ids + 16, NULL, &invocation) != 0)
		return 3;
	atomic_store(&fixture->counters[OWNED], 1);
	return fixture_stay();
}

/* Long enough for the start times of two processes to differ. */
static void let_a_tick_pass(void)
{
	int64_t begun_ns = patience_begin();

	for (int i = 0; i < 50 && patience_left(begun_ns); i++)
		;
}

/* Returns the number of the first expectation that does not hold. */
static int recycle(struct fixture *fixture, uint8_t *ids)
{
	const bool at_once = atomic_load(&fixture->counters[AT_ONCE]);
	struct process_identity self;
	struct inv_info info;
	inv_event *event;

	if (process_self(&self) != 0 || inv_event_create(fixture->table, ids, &event) != 0)
		return 1;
	/* Within one tick, only a kernel that numbers processes tells them apart. */
	if (at_once && self.pidfs == 0)
		return NOT_PERMITTED;
	pid_t owner = fork_as(CHOSEN);
	if (owner == 0)
		_exit(own_and_stay(fixture, ids));
	if (owner != CHOSEN)
		return 2;
	AWAIT(atomic_load(&fixture->counters[OWNED]));
	if (inv_event_set(event, NULL) != 0 || inv_event_check(event) != 0)
		return 3; /* shielded */
	if (!at_once)
		let_a_tick_pass();
	if (kill(owner, SIGKILL) != 0 || waitpid(owner, NULL, 0) != owner)
		return 4;
	pid_t newcomer = fork_as(CHOSEN);
	if (newcomer == 0)
		_exit(fixture_stay());
	if (newcomer != CHOSEN)
		return 5;
	if (inv_cancel(fixture->table, ids + 16, INV_CANCEL_KILL, NULL) != -EALREADY)
		return 6;
	if (inv_info_get(fixture->table, ids + 16, &info) != 0 || info.cause != INV_CAUSE_LOST)
		return 7;
	/* The dead one's shield holds no more, whoever has its pid. */
	if (!at_once && inv_event_check(event) != -ECANCELED)
		return 8;
	if (kill(newcomer, 0) != 0 || waitpid(newcomer, NULL, WNOHANG) != 0)
		return 9;
	return 0;
}

static int in_own_namespace(struct fixture *fixture, void *ids)
{
	if (!fixture_own_mounts() ||
	    !fixture_permitted(unshare(CLONE_NEWPID) == 0, "a PID namespace"))
		return NOT_PERMITTED;
	pid_t first = fork();
	int status = 0;
	if (first == 0) {
		/* The first of its namespace: all in it end with it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mount("proc", "/proc", "proc", 0, NULL) != 0)
			_exit(NOT_PERMITTED);
		_exit(recycle(fixture, ids));
	}
	return first > 0 && waitpid(first, &status, 0) == first && WIFEXITED(status)
	               ? WEXITSTATUS(status)
	               : 100;
}

static void recycles(struct fixture *fixture, bool at_once)
{
	uint8_t ids[2][16];

	fixture_id(ids[0]);
	fixture_id(ids[1]);
	atomic_store(&fixture->counters[AT_ONCE], at_once);
	fixture_assert_holds(fixture, in_own_namespace, ids);
}

static void who_has_the_pid_of_a_dead_owner_is_not_the_owner(void **state)
{
	recycles(*state, false);
}

static void nor_is_who_has_it_at_once(void **state)
{
	recycles(*state, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(who_has_the_pid_of_a_dead_owner_is_not_the_owner),
	        TABLE_TEST(nor_is_who_has_it_at_once),
	};

	return cmocka_run_group_tests_name("recycled", tests, NULL, NULL);
}
