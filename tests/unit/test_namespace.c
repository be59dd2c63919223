/*
 * Owners in PID namespaces of their own, seen from outside: alive while they hold their
 * lease, stopped or not; dead without it, whatever else of their namespace is left; and
 * shields of processes there.
 */
#include "fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/broker.h"
#include "os/pid_namespace.h"
#include "os/process.h"
#include "table/owner.h"

enum { STEP, RESULT, PID, REFUSED = -1 };

/* What is done as the first process of a namespace. */
struct elsewhere {
	int (*task)(struct fixture *fixture, const uint8_t *id);
	uint8_t id[16];
};

static int go_elsewhere(struct fixture *fixture, void *arg)
{
	struct elsewhere *elsewhere = arg;

	if (!fixture_permitted(unshare(CLONE_NEWPID) == 0, "a PID namespace")) {
		atomic_store(&fixture->counters[STEP], REFUSED);
		return 0;
	}
	/* Its parent is not of its namespace, so fixture_fork can't be used. */
	pid_t inner = fork();
	if (inner == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(elsewhere->task(fixture, elsewhere->id));
	}
	atomic_store(&fixture->counters[PID], inner);
	return inner > 0 && waitpid(inner, NULL, 0) == inner ? 0 : 1;
}

/* Returns when it has come so far. *inner is its pid as seen from here. */
static pid_t start_elsewhere(struct fixture *fixture, struct elsewhere *elsewhere, int step,
                             pid_t *inner)
{
	fixture_id(elsewhere->id);
	pid_t outer = fixture_fork(fixture, go_elsewhere, elsewhere);
	EVENTUALLY(atomic_load(&fixture->counters[STEP]) != 0);
	if (atomic_load(&fixture->counters[STEP]) == REFUSED) {
		fixture_reap(fixture, outer);
		skip();
	}
	EVENTUALLY(atomic_load(&fixture->counters[STEP]) == step);
	EVENTUALLY(atomic_load(&fixture->counters[PID]) != 0);
	*inner = atomic_load(&fixture->counters[PID]);
	return outer;
}

static bool own(struct fixture *fixture, const uint8_t *id)
{
	inv_invocation *invocation;

	return inv_invocation_begin(fixture->table, id, NULL, &invocation) == 0;
}

static void assert_alive(struct fixture *fixture, const uint8_t id[16])
{
	broker_sweep(fixture->table, NULL, NULL);
	assert_int_equal(fixture_info(fixture, id).status, INV_RUNNING);
}

static int own_and_stay(struct fixture *fixture, const uint8_t *id)
{
	atomic_store(&fixture->counters[STEP], own(fixture, id) ? 1 : 2);
	return fixture_stay();
}

static void an_owner_elsewhere_lives_until_it_is_killed(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere = {.task = own_and_stay};
	struct inv_table_info info;
	pid_t inner;
	pid_t outer = start_elsewhere(fixture, &elsewhere, 1, &inner);

	assert_alive(fixture, elsewhere.id);
	assert_int_equal(fixture_info(fixture, elsewhere.id).owner_pid, 1);
	assert_int_equal(kill(inner, SIGSTOP), 0);
	assert_alive(fixture, elsewhere.id);
	assert_int_equal(kill(inner, SIGKILL), 0);
	assert_int_equal(fixture_reap(fixture, outer), 0);
	/* A wait sees to it as well as a look. */
	assert_int_equal(inv_wait(fixture->table, elsewhere.id, INV_FOREVER), INV_ERROR);
	fixture_assert_lost(fixture, elsewhere.id);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owners, 0);
}

static int leave_orderly(struct fixture *fixture, const uint8_t *id)
{
	inv_event *event;
	int error = inv_event_create(fixture->table, id, &event);

	inv_event_put(event);
	inv_close(fixture->table);
	atomic_store(&fixture->counters[STEP], error ? 2 : 1);
	return fixture_stay();
}

static void one_that_leaves_frees_its_entry(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere = {.task = leave_orderly};
	pid_t inner;
	pid_t outer = start_elsewhere(fixture, &elsewhere, 1, &inner);
	struct inv_table_info info;

	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owners, 0);
	kill(inner, SIGKILL);
	fixture_reap(fixture, outer);
}

/* The owner is a child of the namespace's first process, and forks before it is killed. */
static int own_and_leave_a_child(struct fixture *fixture, const uint8_t *id)
{
	pid_t owner = fork();

	if (owner == 0) {
		bool owned = own(fixture, id);
		if (owned && fork() == 0)
			fixture_stay();
		_exit(owned ? 0 : 1);
	}
	int status;
	waitpid(owner, &status, 0);
	atomic_store(&fixture->counters[STEP], status == 0 ? 1 : 2);
	return fixture_stay();
}

static void a_child_of_the_dead_does_not_keep_its_lease(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere = {.task = own_and_leave_a_child};
	pid_t inner;
	pid_t outer = start_elsewhere(fixture, &elsewhere, 1, &inner);

	/* As soon as it runs. */
	EVENTUALLY(fixture_info(fixture, elsewhere.id).status != INV_RUNNING);
	fixture_assert_lost(fixture, elsewhere.id);
	kill(inner, SIGKILL);
	fixture_reap(fixture, outer);
}

/* Its host program closes all descriptors: lost from outside, and it can begin anew. */
static int close_everything(struct fixture *fixture, const uint8_t *id)
{
	uint8_t next[16];

	if (!own(fixture, id))
		return 1;
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	atomic_store(&fixture->counters[STEP], 1);
	AWAIT(atomic_load(&fixture->counters[STEP]) == 2);
	memcpy(next, id, sizeof(next));
	next[0] ^= 0xff;
	atomic_store(&fixture->counters[RESULT], own(fixture, next) ? 1 : 2);
	return fixture_stay();
}

static void one_that_closed_its_lease_is_lost_and_can_enter_again(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere = {.task = close_everything};
	pid_t inner;
	pid_t outer = start_elsewhere(fixture, &elsewhere, 1, &inner);

	broker_sweep(fixture->table, NULL, NULL);
	fixture_assert_lost(fixture, elsewhere.id);
	atomic_store(&fixture->counters[STEP], 2);
	EVENTUALLY(atomic_load(&fixture->counters[RESULT]) != 0);
	assert_int_equal(atomic_load(&fixture->counters[RESULT]), 1);
	kill(inner, SIGKILL);
	fixture_reap(fixture, outer);
}

/* /proc of the new namespace is not mounted: what it says under a pid is of others. */
static int look_at_each_other(struct fixture *fixture, const uint8_t *id)
{
	if (fork() == 0) {
		atomic_store(&fixture->counters[RESULT], own(fixture, id) ? 1 : 2);
		fixture_stay();
	}
	AWAIT(atomic_load(&fixture->counters[RESULT]));
	broker_sweep(fixture->table, NULL, NULL);
	atomic_store(&fixture->counters[STEP], 1);
	return fixture_stay();
}

static void without_a_proc_of_its_own_nobody_is_taken_for_dead(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere = {.task = look_at_each_other};
	pid_t inner;
	pid_t outer = start_elsewhere(fixture, &elsewhere, 1, &inner);

	assert_int_equal(atomic_load(&fixture->counters[RESULT]), 1);
	assert_alive(fixture, elsewhere.id);
	kill(inner, SIGKILL);
	fixture_reap(fixture, outer);
}

static int shield_and_stay(struct fixture *fixture, const uint8_t *id)
{
	inv_context *context;

	(void)id;
	/* The environment names the context, as under `run`. */
	if (fork() == 0) {
		int error = inv_context_enter(fixture->table, (uint8_t[16]){7}, &context);
		if (!error)
			error = inv_shield_begin();
		atomic_store(&fixture->counters[RESULT], getpid());
		atomic_store(&fixture->counters[STEP], error ? 2 : 1);
		fixture_stay();
	}
	return fixture_stay();
}

static void a_shield_elsewhere_holds_until_its_process_ends(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere = {.task = shield_and_stay};
	inv_event *event;
	pid_t inner;

	assert_int_equal(inv_event_create(fixture->table, (uint8_t[16]){7}, &event), 0);
	pid_t outer = start_elsewhere(fixture, &elsewhere, 1, &inner);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_event_check(event), 0);
	assert_int_equal(kill(inner, SIGKILL), 0);
	fixture_reap(fixture, outer);
	/* Only where all processes can be seen is it known that it has ended. */
	if (process_life_elsewhere(1 << 21, 1, 1, 0) == PROCESS_DEAD)
		EVENTUALLY(inv_event_check(event) == -ECANCELED);
	inv_event_put(event);
}

static void a_process_elsewhere_is_found_by_its_pid_there(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere = {.task = own_and_stay};
	pid_t inner;
	pid_t outer = start_elsewhere(fixture, &elsewhere, 1, &inner);
	uint64_t start = process_start(inner);

	assert_int_equal(process_life_elsewhere(1, start, start, 0), PROCESS_ALIVE);
	assert_int_not_equal(process_life_elsewhere(2, start, start, 0), PROCESS_ALIVE);
	assert_int_not_equal(process_life_elsewhere(1, start + 1, start + 1, 0), PROCESS_ALIVE);
	kill(inner, SIGKILL);
	fixture_reap(fixture, outer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(an_owner_elsewhere_lives_until_it_is_killed),
	        TABLE_TEST(one_that_leaves_frees_its_entry),
	        TABLE_TEST(a_child_of_the_dead_does_not_keep_its_lease),
	        TABLE_TEST(one_that_closed_its_lease_is_lost_and_can_enter_again),
	        TABLE_TEST(without_a_proc_of_its_own_nobody_is_taken_for_dead),
	        TABLE_TEST(a_shield_elsewhere_holds_until_its_process_ends),
	        TABLE_TEST(a_process_elsewhere_is_found_by_its_pid_there),
	};

	return cmocka_run_group_tests_name("namespace", tests, NULL, NULL);
}
