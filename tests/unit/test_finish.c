/*
 * The end of a run in steps: the outcome is decided when the command ends, what follows changes
 * nothing of it, and a dead owner's finish command is left to a broker.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "invctl-supervisor.h"
#include "protocol/finish.h"
#include "supervise/leftovers.h"

static const struct inv_run_result exited_3 = {.wait_known = 1, .wait_status = 3 << 8};

static inv_invocation *started(struct fixture *fixture, unsigned flags, uint8_t id[16])
{
	struct inv_run_options options = {.name = "run",
	                                  .deadline_ns = INV_FOREVER,
	                                  .signal_after_ns = INV_FOREVER,
	                                  .kill_after_ns = INV_FOREVER,
	                                  .signal = SIGTERM,
	                                  .flags = flags};
	inv_invocation *invocation;

	assert_int_equal(inv_run_register(fixture->table, &options, &invocation), 0);
	inv_invocation_id(invocation, id);
	assert_int_equal(inv_run_started(invocation, getpid()), 0);
	return invocation;
}

static struct inv_run_view view_of(inv_invocation *invocation)
{
	struct inv_run_view view;

	assert_int_equal(inv_run_view(invocation, &view), 0);
	return view;
}

static uint32_t index_of(struct fixture *fixture, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;

	assert_int_equal(slot_find(fixture->table, id, &ref, &word), 0);
	return ref.index;
}

static void decides(inv_invocation *invocation, int status, int cause, int exit_status)
{
	struct inv_run_outcome outcome;

	assert_int_equal(inv_run_decide(invocation, &exited_3, &outcome), 0);
	assert_int_equal(outcome.status, status);
	assert_int_equal(outcome.cause, cause);
	assert_int_equal(outcome.exit_status, exit_status);
	struct inv_run_view view = view_of(invocation);
	assert_memory_equal(&view.outcome, &outcome, sizeof(outcome));
}

static void no_request_is_made_after_the_outcome(void **state)
{
	struct fixture *fixture = *state;
	struct inv_info info;
	uint8_t id[16];
	inv_invocation *invocation = started(fixture, INV_RUN_FINISH_COMMAND, id);

	assert_int_equal(view_of(invocation).finish, INV_FINISH_PENDING);
	decides(invocation, INV_ERROR, INV_CAUSE_EXIT, 3);
	assert_int_equal(inv_cancel(fixture->table, id, 0, "late"), -EALREADY);
	assert_int_equal(inv_event_set(inv_invocation_event(invocation), "late"), -EALREADY);
	info = fixture_info(fixture, id);
	assert_int_equal(info.status, INV_RUNNING);
	assert_int_equal(info.finishing, 1);
	assert_int_equal(info.exit_status, 3);
	assert_int_equal(info.pid, 0);
	assert_int_equal(info.finish, INV_FINISH_PENDING);
	/* Decided once: what is said of it later counts for nothing. */
	assert_int_equal(inv_run_end(invocation, &(struct inv_run_result){.wait_known = 1}), 3);
	info = fixture_info(fixture, id);
	assert_int_equal(info.status, INV_ERROR);
	assert_int_equal(info.finish, INV_FINISH_SKIPPED);
}

static void the_finish_command_is_shielded_and_recorded(void **state)
{
	struct fixture *fixture = *state;
	struct inv_info info;
	uint8_t id[16];
	inv_invocation *invocation = started(fixture, INV_RUN_FINISH_COMMAND, id);
	inv_event *event = inv_invocation_event(invocation);

	assert_int_equal(inv_cancel(fixture->table, id, 0, "pending"), 0);
	decides(invocation, INV_CANCELLED, INV_CAUSE_REQUESTED, 122);
	/* Leftovers may still check. */
	assert_int_equal(inv_run_refused(fixture->table, id), 1);
	assert_int_equal(inv_run_finish_started(invocation, getpid()), 0);
	assert_int_equal(inv_event_check(event), 0);
	assert_int_equal(inv_event_sleep(event, 1), 0);
	assert_int_equal(inv_run_refused(fixture->table, id), 0);
	info = fixture_info(fixture, id);
	assert_int_equal(info.pid, getpid());
	assert_int_equal(info.finish, INV_FINISH_RUNNING);
	assert_int_equal(inv_run_finish_ended(invocation, SIGKILL), 0);
	assert_int_equal(inv_run_end(invocation, &exited_3), 122);
	info = fixture_info(fixture, id);
	assert_int_equal(info.finish, INV_FINISH_ENDED);
	assert_int_equal(info.finish_signal, SIGKILL);
	assert_int_equal(info.finish_exit_status, -1);
	assert_int_equal(info.exit_status, 3);
}

static void a_kill_goes_to_the_supervisor_but_not_to_what_is_nested(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], child_id[16];
	inv_invocation *invocation = started(fixture, 0, id);
	struct inv_run_options options = {.name = "nested", .parent = id};
	inv_invocation *child;

	assert_int_equal(inv_run_register(fixture->table, &options, &child), 0);
	inv_invocation_id(child, child_id);
	decides(child, INV_ERROR, INV_CAUSE_EXIT, 3);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(view_of(child).force_kill, 0);
	inv_run_kill_nested(invocation);
	assert_int_equal(view_of(child).force_kill, 0);
	assert_int_equal(inv_cancel(fixture->table, child_id, INV_CANCEL_SIGNAL, NULL), -EALREADY);
	assert_int_equal(view_of(child).force_signal, 0);
	assert_int_equal(inv_cancel(fixture->table, child_id, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(view_of(child).force_kill, 1);
	/* The record tells what stopped the action: SIGKILL did not. */
	inv_run_killed(child);
	assert_int_equal(inv_run_end(child, &exited_3), 3);
	assert_int_equal(inv_run_end(invocation, &exited_3), 122);
}

struct owner {
	unsigned flags;
	bool decides;
	uint8_t id[16];
};

/* Own a run whose action is over, and wait to be killed. */
static int own(struct fixture *fixture, void *arg)
{
	struct owner *owner = arg;
	struct inv_run_options options = {.id = owner->id, .name = "run", .flags = owner->flags};
	struct inv_run_outcome outcome;
	inv_invocation *invocation;

	if (inv_run_register(fixture->table, &options, &invocation) != 0 ||
	    inv_run_started(invocation, 1 << 22) != 0 ||
	    (owner->decides && inv_run_decide(invocation, &exited_3, &outcome) != 0))
		return 1;
	atomic_fetch_add(&fixture->counters[0], 1);
	return fixture_stay();
}

static void a_sweep_leaves_it_to_a_broker_while_it_owes_a_finish_command(void **state)
{
	static const struct {
		unsigned flags;
		bool decides;
		int status, cause;
	} cases[] = {
	        {0, false, INV_ERROR, INV_CAUSE_LOST},
	        {0, true, INV_ERROR, INV_CAUSE_EXIT},
	        {INV_RUN_FINISH_COMMAND, false, INV_RUNNING, INV_CAUSE_NONE},
	        {INV_RUN_FINISH_COMMAND, true, INV_RUNNING, INV_CAUSE_NONE},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct owner owner = {.flags = cases[i].flags, .decides = cases[i].decides};

		atomic_store(&fixture->counters[0], 0);
		fixture_id(owner.id);
		pid_t child = fixture_fork(fixture, own, &owner);
		EVENTUALLY(atomic_load(&fixture->counters[0]) == 1);
		fixture_kill(fixture, child);
		struct inv_info info = fixture_info(fixture, owner.id);
		assert_int_equal(info.status, cases[i].status);
		assert_int_equal(info.cause, cases[i].cause);
	}
}

/* Any member of a shared table's group can write the word. */
static void a_damaged_word_ends_as_an_end(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	for (uint64_t bits = 0; bits < 64; bits++) {
		inv_invocation *invocation = started(fixture, INV_RUN_FINISH_COMMAND, id);
		decides(invocation, INV_ERROR, INV_CAUSE_EXIT, 3);
		uint32_t index = index_of(fixture, id);
		atomic_store(&fixture->table->slots[index].finish,
		             bits * UINT64_C(0x0410410410410411));
		struct inv_run_view view = view_of(invocation);
		assert_in_range(view.finish, INV_FINISH_NONE, INV_FINISH_SKIPPED);
		assert_in_range(inv_run_end(invocation, &exited_3), 0, 255);
		struct inv_info info = fixture_info(fixture, id);
		assert_in_range(info.status, INV_COMPLETED, INV_ERROR);
		assert_in_range(info.finish, INV_FINISH_NONE, INV_FINISH_SKIPPED);
	}
}

static void start_times_and_pids_tell_a_leftover_from_clean_up(void **state)
{
	const struct delivery_moment moment = {.from = 100, .to = 102, .newest = 4095};
	const struct delivery_moment unknown = {0}, unordered = {.from = 100, .to = 102};
	static const struct {
		uint64_t start;
		pid_t pid;
		bool existed;
	} cases[] = {
	        {99, 9000, true},  {103, 1, false},    {101, 4095, true},
	        {100, 4000, true}, {102, 4097, false}, {101, 3 * 4096 + 1, false},
	};
	struct process process = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		process.start = cases[i].start;
		process.pid = cases[i].pid;
		assert_int_equal(leftovers_existed(&moment, &process), cases[i].existed);
		assert_false(leftovers_existed(&unknown, &process));
		assert_int_equal(leftovers_existed(&unordered, &process), process.start < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(no_request_is_made_after_the_outcome),
	        TABLE_TEST(the_finish_command_is_shielded_and_recorded),
	        TABLE_TEST(a_kill_goes_to_the_supervisor_but_not_to_what_is_nested),
	        TABLE_TEST(a_sweep_leaves_it_to_a_broker_while_it_owes_a_finish_command),
	        TABLE_TEST(a_damaged_word_ends_as_an_end),
	        cmocka_unit_test(start_times_and_pids_tell_a_leftover_from_clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
