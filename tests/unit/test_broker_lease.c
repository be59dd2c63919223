/*
 * What becomes of owners while a broker serves the table: those who die are recorded
 * without anybody's look; one whose first thread has ended is alive; one that executes
 * another program is lost, and not signalled.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/broker.h"
#include "os/process.h"
#include "table/slot.h"

enum { OWNED };

static int own_and_stay(struct fixture *fixture, void *id)
{
	inv_invocation *invocation;

	if (inv_invocation_begin(NULL, id, NULL, &invocation) != 0)
		return 1;
	atomic_store(&fixture->counters[OWNED], 1);
	return fixture_stay();
}

static pid_t start_owner(struct fixture *fixture, int (*task)(struct fixture *, void *),
                         uint8_t id[16])
{
	fixture_id(id);
	pid_t owner = fixture_fork(fixture, task, id);
	EVENTUALLY(atomic_load(&fixture->counters[OWNED]));
	return owner;
}

/* How many have ended, without a call of the library, which might see to it itself. */
static int ended(const struct fixture *fixture)
{
	int count = 0;

	for (uint32_t i = 0; i < fixture->table->geometry.slots; i++)
		count += control_state(atomic_load(&fixture->table->control[i])) == SLOT_DONE;
	return count;
}

static void the_dead_are_recorded_without_a_look(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_use_built_broker();
	assert_int_equal(inv_open(&fixture->table, fixture->name, INV_OPEN_AUTOSTART), 0);
	pid_t owner = start_owner(fixture, own_and_stay, id);
	assert_int_equal(ended(fixture), 0);
	fixture_kill(fixture, owner);
	EVENTUALLY(ended(fixture) == 1);
	fixture_assert_lost(fixture, id);
}

static int end_first_thread(struct fixture *fixture, void *id)
{
	inv_invocation *invocation;

	if (inv_invocation_begin(NULL, id, NULL, &invocation) != 0)
		return 1;
	atomic_store(&fixture->counters[OWNED], 1);
	return fixture_end_first_thread();
}

/* The broker, too, takes it for what it is: another owner's death makes it look. */
static void one_whose_first_thread_has_ended_is_not_taken_for_dead(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], other[16];

	fixture_use_built_broker();
	assert_int_equal(inv_open(&fixture->table, fixture->name, INV_OPEN_AUTOSTART), 0);
	pid_t owner = start_owner(fixture, end_first_thread, id);
	EVENTUALLY(fixture_first_thread_ended(owner));
	atomic_store(&fixture->counters[OWNED], 0);
	fixture_kill(fixture, start_owner(fixture, own_and_stay, other));
	EVENTUALLY(ended(fixture) == 1);
	assert_int_equal(fixture_info(fixture, id).status, INV_RUNNING);
	fixture_kill(fixture, owner);
	EVENTUALLY(ended(fixture) == 2);
	fixture_assert_lost(fixture, id);
}

static int own_and_execute(struct fixture *fixture, void *id)
{
	inv_invocation *invocation;

	if (inv_invocation_begin(NULL, id, NULL, &invocation) != 0)
		return 1;
	atomic_store(&fixture->counters[OWNED], 1);
	execlp("sleep", "sleep", "1000", (char *)NULL);
	return 2;
}

static bool is_command(pid_t process, const char *command)
{
	char name[16];

	process_command(process, name);
	return strcmp(name, command) == 0;
}

/* No pidfd tells of it: who asks about it is told. */
static void one_that_executed_another_program_is_lost_for_who_asks(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[3][16];

	fixture_use_built_broker();
	assert_int_equal(inv_open(&fixture->table, fixture->name, INV_OPEN_AUTOSTART), 0);
	for (int i = 0; i < 3; i++) {
		atomic_store(&fixture->counters[OWNED], 0);
		pid_t owner = start_owner(fixture, own_and_execute, ids[i]);
		/* Its name changes before the rest of it does. */
		EVENTUALLY(is_command(owner, "sleep") && fixture_asleep(owner, owner));
		if (i == 1)
			assert_int_equal(inv_cancel(fixture->table, ids[i], INV_CANCEL_KILL, NULL),
			                 -EALREADY);
		else if (i == 2)
			assert_int_equal(inv_wait(fixture->table, ids[i], INV_FOREVER), INV_ERROR);
		fixture_assert_lost(fixture, ids[i]);
		assert_int_equal(waitpid(owner, NULL, WNOHANG), 0); /* and is left alone */
		fixture_kill(fixture, owner);
	}
}

static int leave_a_run(struct fixture *fixture, void *id)
{
	struct inv_run_options options = {.id = id, .name = "run", .deadline_ns = INV_FOREVER};
	inv_invocation *invocation;

	return inv_run_register(fixture->table, &options, &invocation) ||
	       inv_run_started(invocation, getpid());
}

/* It holds the lease and is not stopped, but does nothing. */
static void a_waiter_sweeps_where_the_broker_hangs(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	fixture_id(id);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, leave_a_run, id)), 0);
	assert_int_equal(ended(fixture), 0);
	assert_int_equal(inv_wait(fixture->table, id, 60 * SECOND), INV_ERROR);
	fixture_assert_lost(fixture, id);
	broker_unserve(fixture->table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        BROKER_TEST(the_dead_are_recorded_without_a_look),
	        BROKER_TEST(one_whose_first_thread_has_ended_is_not_taken_for_dead),
	        BROKER_TEST(one_that_executed_another_program_is_lost_for_who_asks),
	        TABLE_TEST(a_waiter_sweeps_where_the_broker_hangs),
	};

	return cmocka_run_group_tests_name("served", tests, NULL, NULL);
}
