/*
 * The escalation: which step follows from what is known, for every step of
 * delivery that the contract names, and until when there is nothing to do.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervise/escalation.h"

#define SECOND INT64_C(1000000000)
#define REQUESTED_NS (100 * SECOND)

/* A running command without a request, with the options of a plain `run`. */
static struct inv_run_view running(void)
{
	return (struct inv_run_view){.signal = SIGTERM,
	                             .signal_after_ns = INV_FOREVER,
	                             .kill_after_ns = INV_FOREVER,
	                             .nested_wait_ns = 10 * SECOND,
	                             .deadline_ns = INV_FOREVER,
	                             .pid = 1000};
}

/* The same, requested and not delivered. */
static struct inv_run_view requested(void)
{
	struct inv_run_view view = running();

	view.requested = view.pending = 1;
	view.requested_at_ns = REQUESTED_NS;
	view.cause = INV_CAUSE_REQUESTED;
	return view;
}

static struct inv_run_view cooperative(void)
{
	struct inv_run_view view = requested();

	view.cooperative = 1;
	return view;
}

/* Delivered by signal. */
static struct inv_run_view signalled(void)
{
	struct inv_run_view view = requested();

	view.pending = 0;
	view.signalled = 1;
	return view;
}

static struct escalation_facts at(int64_t after_request_ns)
{
	return (struct escalation_facts){.now_ns = REQUESTED_NS + after_request_ns};
}

/* The command ended then. */
static struct escalation_facts ended_at(int64_t after_request_ns)
{
	struct escalation_facts facts = at(after_request_ns);

	facts.command_ended = true;
	facts.command_ended_ns = facts.now_ns;
	return facts;
}

/* Its finish command has just started. */
static struct escalation_facts finishing(void)
{
	struct escalation_facts facts = ended_at(SECOND);

	facts.finish = INV_FINISH_RUNNING;
	facts.finish_started_ns = facts.now_ns;
	facts.finish_timeout_ns = 60 * SECOND;
	return facts;
}

/* The outcome is. */
static struct inv_run_view decided(struct inv_run_view view)
{
	view.decided = 1;
	return view;
}

/* Nothing has been decided yet. */
static struct escalation fresh(void)
{
	struct escalation escalation;

	escalation_begin(&escalation, NULL);
	return escalation;
}

/* `cancel --signal` for the nth time; signum 0: the usual signal. */
static void force_signal(struct inv_run_view *view, uint32_t nth, int signum)
{
	view->force_signal = 1;
	view->force_count = nth;
	view->force_signum = signum;
}

/* One decision after the other, each carried out. */
static struct escalation_decision decide_next(struct escalation *escalation,
                                              const struct inv_run_view *view,
                                              const struct escalation_facts *facts)
{
	struct escalation_decision decision = escalation_decide(escalation, view, facts);

	*escalation = decision.next;
	return decision;
}

/* The first decision. */
static struct escalation_decision decide(const struct inv_run_view *view,
                                         const struct escalation_facts *facts)
{
	struct escalation escalation = fresh();

	return escalation_decide(&escalation, view, facts);
}

static void assert_next(struct escalation *escalation, const struct inv_run_view *view,
                        const struct escalation_facts *facts, enum escalation_step step)
{
	assert_int_equal(decide_next(escalation, view, facts).step, step);
}

static void assert_waits(struct inv_run_view view, struct escalation_facts facts)
{
	assert_int_equal(decide(&view, &facts).step, STEP_WAIT);
}

static void assert_step(struct inv_run_view view, struct escalation_facts facts,
                        enum escalation_step step)
{
	assert_int_equal(decide(&view, &facts).step, step);
}

static void without_a_request_there_is_nothing_to_do(void **state)
{
	struct inv_run_view view = running();
	struct escalation_facts facts = at(0);
	struct escalation_decision decision = decide(&view, &facts);

	(void)state;
	assert_int_equal(decision.step, STEP_WAIT);
	assert_int_equal(decision.until_ns, INV_FOREVER);
}

static void ends_with_the_command_whatever_is_left(void **state)
{
	struct escalation_facts facts = at(0);

	(void)state;
	facts.command_ended = facts.anything_left = true;
	assert_step(running(), facts, STEP_END);
}

static void after_a_request_ends_with_the_last_process(void **state)
{
	struct escalation_facts facts = ended_at(SECOND);

	(void)state;
	facts.anything_left = true;
	/* The outcome first, which no later request changes. */
	assert_step(signalled(), facts, STEP_DECIDE);
	assert_waits(decided(signalled()), facts);
	facts.anything_left = false;
	assert_step(signalled(), facts, STEP_END);
	assert_step(decided(signalled()), facts, STEP_END);
	assert_step(requested(), facts, STEP_END);
}

static void what_is_left_is_checked_again(void **state)
{
	struct inv_run_view view = decided(signalled());
	struct escalation_facts facts = ended_at(SECOND);

	(void)state;
	facts.anything_left = true;

	struct escalation_decision decision = decide(&view, &facts);

	assert_true(decision.until_ns > facts.now_ns);
	assert_true(decision.until_ns <= facts.now_ns + SECOND);
}

static void leftovers_of_a_request_get_the_signal_too(void **state)
{
	struct escalation_facts facts = ended_at(0);

	(void)state;
	facts.anything_left = true;
	assert_step(decided(requested()), facts, STEP_DELIVER);
}

static void what_is_left_is_named_after_two_seconds_once(void **state)
{
	struct inv_run_view view = decided(signalled());
	struct escalation_facts facts = ended_at(SECOND);
	struct escalation escalation = fresh();

	(void)state;
	facts.anything_left = true;
	facts.now_ns += 2 * SECOND - 1;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	facts.now_ns++;
	/* A leftover under a shield is left alone. */
	view.shielded = 1;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	view.shielded = 0;
	assert_next(&escalation, &view, &facts, STEP_LEFTOVERS);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	/* So is the request of a cooperative action that ended without a check. */
	escalation = fresh();
	view = decided(cooperative());
	assert_next(&escalation, &view, &facts, STEP_LEFTOVERS);
	/* Without a request it is no part of the invocation. */
	assert_step(running(), facts, STEP_END);
}

static void the_finish_command_starts_when_nothing_is_left_or_after_ten_seconds(void **state)
{
	struct inv_run_view view = running();
	struct escalation_facts facts = ended_at(0);
	struct escalation escalation = fresh();

	(void)state;
	facts.finish = INV_FINISH_PENDING;
	facts.finish_timeout_ns = 60 * SECOND;
	facts.anything_left = true;
	assert_next(&escalation, &view, &facts, STEP_DECIDE);
	view = decided(view);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	facts.anything_left = false;
	assert_step(view, facts, STEP_FINISH);
	facts.anything_left = true;
	facts.now_ns += 10 * SECOND;
	assert_next(&escalation, &view, &facts, STEP_FINISH);
	/* Where no process could be made it is tried again, but not in a hurry. */
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	facts.now_ns += SECOND;
	assert_next(&escalation, &view, &facts, STEP_FINISH);
	facts.finish = INV_FINISH_ENDED;
	assert_next(&escalation, &view, &facts, STEP_END);
}

static void a_finish_command_has_its_time(void **state)
{
	struct inv_run_view view = decided(running());
	struct escalation_facts facts = finishing();
	struct escalation escalation = fresh();

	(void)state;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	facts.now_ns += 60 * SECOND;
	assert_next(&escalation, &view, &facts, STEP_TERMINATE_FINISH);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	facts.now_ns += 5 * SECOND;
	assert_next(&escalation, &view, &facts, STEP_KILL);
	facts = finishing();
	facts.now_ns += 1000 * SECOND;
	facts.finish_timeout_ns = INV_FOREVER;
	assert_step(view, facts, STEP_WAIT);
}

static void a_finish_command_is_killed_only_by_a_kill_while_it_runs(void **state)
{
	struct inv_run_view view = decided(signalled());
	struct escalation_facts facts = ended_at(0);
	struct escalation escalation = fresh();

	(void)state;
	/* Killed, and kill-after due, before it started. */
	facts.finish = INV_FINISH_PENDING;
	view.killed = view.force_kill = 1;
	view.force_count = 1;
	view.kill_after_ns = SECOND;
	facts.anything_left = true;
	assert_next(&escalation, &view, &facts, STEP_KILL);
	facts.anything_left = false;
	assert_next(&escalation, &view, &facts, STEP_FINISH);
	facts = finishing();
	facts.now_ns += 10 * SECOND;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	view.force_count = 2;
	assert_next(&escalation, &view, &facts, STEP_KILL);
	/* When it has ended kill-after bounds what is left again. */
	escalation.killing = false;
	facts.finish = INV_FINISH_ENDED;
	facts.anything_left = true;
	assert_next(&escalation, &view, &facts, STEP_KILL);
}

static void while_it_finishes_nothing_is_delivered(void **state)
{
	struct inv_run_view view = decided(requested());
	struct escalation_facts facts = finishing();

	(void)state;
	view.shielded = 1;
	view.deadline_ns = REQUESTED_NS;
	force_signal(&view, 1, SIGINT);
	assert_waits(view, facts);
}

static void an_uncooperative_action_is_signalled_once(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);
	struct escalation_decision decision = decide(&view, &facts);

	(void)state;
	assert_int_equal(decision.step, STEP_DELIVER);
	assert_int_equal(decision.signal, SIGTERM);
	assert_waits(signalled(), at(SECOND));
	/* A later request leaves clean-up alone. */
	view.signalled = 1;
	assert_waits(view, at(SECOND));
}

static void the_signal_is_the_one_that_requested_run(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);

	(void)state;
	view.request_signal = SIGHUP;
	assert_int_equal(decide(&view, &facts).signal, SIGHUP);
	view.signal = 0;
	assert_waits(view, facts);
}

static void signal_none_is_never(void **state)
{
	struct inv_run_view view = requested();

	(void)state;
	view.signal = 0;
	view.signal_after_ns = SECOND;
	assert_waits(view, at(100 * SECOND));
	force_signal(&view, 1, 0);
	assert_waits(view, at(100 * SECOND));
	/* A signal that is chosen by name is sent. */
	view.force_signum = SIGUSR1;
	assert_step(view, at(100 * SECOND), STEP_SIGNAL);
}

static void a_cooperative_action_is_not_signalled_but_after_signal_after(void **state)
{
	struct inv_run_view view = cooperative();
	struct escalation_facts facts = at(0);

	(void)state;
	assert_waits(view, at(1000 * SECOND));
	view.signal_after_ns = 5 * SECOND;
	assert_int_equal(decide(&view, &facts).until_ns, REQUESTED_NS + 5 * SECOND);
	assert_step(view, at(5 * SECOND), STEP_DELIVER);
	/* Delivered by a check meanwhile. */
	view.pending = 0;
	assert_waits(view, at(5 * SECOND));
}

static void the_stop_command_takes_the_place_of_the_signal(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);

	(void)state;
	view.flags = INV_RUN_STOP_COMMAND;
	view.signal = 0;
	assert_step(view, facts, STEP_DELIVER);
	view.signal = SIGTERM;
	view.request_signal = SIGHUP;
	assert_int_equal(decide(&view, &facts).signal, 0);
}

static void leaves_first_until_nested_wait_is_over(void **state)
{
	struct escalation_facts facts = at(0);
	struct inv_run_view view = requested();

	(void)state;
	facts.nested = 1;
	assert_waits(view, facts);
	assert_true(decide(&view, &facts).until_ns <= facts.now_ns + SECOND);
	facts.now_ns = REQUESTED_NS + 10 * SECOND;
	assert_step(view, facts, STEP_DELIVER);
	view.nested_wait_ns = INV_FOREVER;
	assert_waits(view, facts);
	facts.nested = 0;
	assert_step(view, facts, STEP_DELIVER);
}

/* One nested `run` after the other: the next one is given the time to be refused. */
static void between_nested_ones_the_signal_waits_a_moment(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	view.had_nested = 1;
	facts.nested = 1;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	facts = at(2 * SECOND);
	facts.nested = 1;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	facts.nested = 0;

	struct escalation_decision decision = decide_next(&escalation, &view, &facts);

	assert_int_equal(decision.step, STEP_WAIT);
	assert_true(decision.until_ns < facts.now_ns + SECOND);
	facts.now_ns = decision.until_ns;
	assert_next(&escalation, &view, &facts, STEP_DELIVER);
	/* One that does not end is not waited for beyond nested_wait. */
	facts = at(10 * SECOND);
	facts.nested = 1;
	assert_step(view, facts, STEP_DELIVER);
}

static void a_shield_holds_signals_but_not_the_kill(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);

	(void)state;
	view.shielded = 1;
	assert_waits(view, facts);
	assert_true(decide(&view, &facts).until_ns <= facts.now_ns + SECOND);
	force_signal(&view, 1, 0);
	assert_waits(view, facts);
	view.kill_after_ns = SECOND;
	assert_step(view, at(SECOND), STEP_KILL);
	view.kill_after_ns = INV_FOREVER;
	view.force_kill = 1;
	assert_step(view, facts, STEP_KILL);
}

static void cancel_signal_signals_a_cooperative_action_once_each_time(void **state)
{
	struct inv_run_view view = cooperative();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	force_signal(&view, 1, 0);
	struct escalation_decision decision = decide_next(&escalation, &view, &facts);

	assert_int_equal(decision.step, STEP_SIGNAL);
	assert_int_equal(decision.signal, SIGTERM);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	force_signal(&view, 2, SIGINT);
	decision = decide_next(&escalation, &view, &facts);
	assert_int_equal(decision.step, STEP_SIGNAL);
	assert_int_equal(decision.signal, SIGINT);
}

/* Contract 4.4: a later request "stays pending; a check, or cancel --signal, takes it and is
 * recorded as its delivery". */
static void the_request_just_behind_its_signal_is_taken_by_it(void **state)
{
	struct inv_run_view view = signalled();
	struct escalation_facts facts = at(SECOND);
	struct escalation escalation = fresh();

	(void)state;
	view.pending = 1;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	view.pending = 0;
	force_signal(&view, 1, 0);
	assert_next(&escalation, &view, &facts, STEP_SIGNAL);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	view.pending = 1;
	assert_next(&escalation, &view, &facts, STEP_TAKE);
	/* One, and only so soon. */
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	view.pending = 0;
	force_signal(&view, 2, 0);
	assert_next(&escalation, &view, &facts, STEP_SIGNAL);
	view.pending = 1;
	facts = at(2 * SECOND);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
}

static void a_signal_by_name_that_ends_no_action_is_not_the_delivery(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	force_signal(&view, 1, SIGCONT);
	assert_int_equal(decide_next(&escalation, &view, &facts).signal, SIGCONT);
	/* It has delivered the request that it came with. */
	view.signalled = 1;
	view.pending = 0;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	/* The next request is delivered as usual, and the one after it leaves clean-up alone. */
	view.pending = 1;

	struct escalation_decision decision = decide_next(&escalation, &view, &facts);

	assert_int_equal(decision.step, STEP_DELIVER);
	assert_int_equal(decision.signal, SIGTERM);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	/* One that comes during clean-up leaves it undisturbed as well. */
	view.force_count = 2;
	assert_next(&escalation, &view, &facts, STEP_SIGNAL);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
}

static void a_signal_by_name_that_ends_actions_is_the_delivery(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	force_signal(&view, 1, SIGINT);
	assert_int_equal(decide_next(&escalation, &view, &facts).signal, SIGINT);
	view.signalled = 1;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
}

static void kill_and_signal_wait_for_the_request_that_they_belong_to(void **state)
{
	struct inv_run_view view = running();

	(void)state;
	force_signal(&view, 1, 0);
	view.force_kill = 1;
	assert_waits(view, at(0));
}

static void a_second_interrupt_signals_a_cooperative_action(void **state)
{
	struct inv_run_view view = cooperative();
	struct escalation_facts facts = at(2 * SECOND);
	struct escalation escalation = fresh();

	(void)state;
	escalation.interrupt_signal = SIGINT;

	struct escalation_decision decision = decide_next(&escalation, &view, &facts);

	assert_int_equal(decision.step, STEP_SIGNAL);
	assert_int_equal(decision.signal, SIGINT);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
}

static void the_stop_command_runs_for_cancel_signal_but_not_twice(void **state)
{
	struct inv_run_view view = cooperative();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	view.flags = INV_RUN_STOP_COMMAND;
	force_signal(&view, 1, 0);
	assert_int_equal(decide_next(&escalation, &view, &facts).signal, 0);
	view.force_count = 2;
	assert_int_equal(decide_next(&escalation, &view, &facts).signal, SIGTERM);
}

static void kill_after_counts_from_the_first_request(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	view.kill_after_ns = 5 * SECOND;
	view.signalled = 1;
	assert_int_equal(decide_next(&escalation, &view, &facts).until_ns,
	                 REQUESTED_NS + 5 * SECOND);
	/* A later one does not put it off. */
	view.requested_at_ns = REQUESTED_NS + 4 * SECOND;
	facts = at(4 * SECOND);
	assert_int_equal(decide_next(&escalation, &view, &facts).until_ns,
	                 REQUESTED_NS + 5 * SECOND);
	facts = at(5 * SECOND);
	assert_next(&escalation, &view, &facts, STEP_KILL);
}

static void a_request_that_is_withdrawn_kills_nothing(void **state)
{
	struct inv_run_view view = cooperative();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	view.kill_after_ns = 5 * SECOND;
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	view.requested = view.pending = 0;
	facts = at(6 * SECOND);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
}

static void a_kill_is_repeated_until_nothing_is_left(void **state)
{
	struct inv_run_view view = signalled();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	view.force_kill = 1;
	assert_next(&escalation, &view, &facts, STEP_KILL);
	view.killed = view.decided = 1;
	facts = ended_at(0);
	facts.anything_left = true;

	struct escalation_decision decision = decide_next(&escalation, &view, &facts);

	assert_int_equal(decision.step, STEP_WAIT);
	facts.now_ns = decision.until_ns;
	assert_next(&escalation, &view, &facts, STEP_KILL);
	facts.anything_left = false;
	assert_next(&escalation, &view, &facts, STEP_END);
}

static void no_kill_refuses_every_kill(void **state)
{
	struct inv_run_view view = signalled();

	(void)state;
	view.flags = INV_RUN_NO_KILL;
	view.force_kill = 1;
	view.kill_after_ns = 0;
	assert_waits(view, at(100 * SECOND));
}

static void a_deadline_is_requested_once(void **state)
{
	struct inv_run_view view = running();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh();

	(void)state;
	view.deadline_ns = REQUESTED_NS + SECOND;
	assert_int_equal(decide_next(&escalation, &view, &facts).until_ns, REQUESTED_NS + SECOND);
	facts = at(SECOND);
	assert_next(&escalation, &view, &facts, STEP_REQUEST_DEADLINE);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
}

static void a_deadline_does_not_disturb_clean_up(void **state)
{
	struct inv_run_view view = signalled();

	(void)state;
	view.deadline_ns = REQUESTED_NS + SECOND;
	assert_waits(view, at(2 * SECOND));
}

static void nothing_is_done_twice_to_an_adopted_invocation(void **state)
{
	struct inv_run_view view = signalled();
	struct escalation_facts facts = at(100 * SECOND);
	struct escalation escalation = fresh();

	(void)state;
	force_signal(&view, 3, 0);
	view.cause = INV_CAUSE_DEADLINE;
	view.deadline_ns = REQUESTED_NS;
	escalation_begin(&escalation, &view);
	assert_next(&escalation, &view, &facts, STEP_WAIT);
	view.force_count = 4;
	assert_next(&escalation, &view, &facts, STEP_SIGNAL);
}

/* A pure function: the same state, view and facts give the same decision. */
static void a_decision_changes_nothing_it_was_given(void **state)
{
	struct inv_run_view view = requested();
	struct escalation_facts facts = at(0);
	struct escalation escalation = fresh(), before;

	(void)state;
	force_signal(&view, 1, 0);
	view.force_kill = 1;
	memcpy(&before, &escalation, sizeof(before));
	for (int i = 0; i < 2; i++)
		assert_int_equal(escalation_decide(&escalation, &view, &facts).step, STEP_KILL);
	assert_memory_equal(&escalation, &before, sizeof(before));
}

static void searches_are_needed_only_where_they_matter(void **state)
{
	struct inv_run_view idle = running(), pending = requested(), done = signalled();
	struct escalation escalation = fresh();

	(void)state;
	assert_false(escalation_needs_nested(&escalation, &idle));
	assert_true(escalation_needs_nested(&escalation, &pending));
	assert_false(escalation_needs_nested(&escalation, &done));
	struct escalation_facts runs = at(0), ended = ended_at(0), finish = finishing();

	assert_false(escalation_needs_left(&idle, &ended));
	assert_false(escalation_needs_left(&pending, &runs));
	assert_true(escalation_needs_left(&done, &ended));
	assert_false(escalation_needs_left(&done, &finish));
	ended.finish = INV_FINISH_PENDING;
	assert_true(escalation_needs_left(&idle, &ended));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(without_a_request_there_is_nothing_to_do),
	        cmocka_unit_test(ends_with_the_command_whatever_is_left),
	        cmocka_unit_test(after_a_request_ends_with_the_last_process),
	        cmocka_unit_test(what_is_left_is_checked_again),
	        cmocka_unit_test(leftovers_of_a_request_get_the_signal_too),
	        cmocka_unit_test(what_is_left_is_named_after_two_seconds_once),
	        cmocka_unit_test(
	                the_finish_command_starts_when_nothing_is_left_or_after_ten_seconds),
	        cmocka_unit_test(a_finish_command_has_its_time),
	        cmocka_unit_test(a_finish_command_is_killed_only_by_a_kill_while_it_runs),
	        cmocka_unit_test(while_it_finishes_nothing_is_delivered),
	        cmocka_unit_test(an_uncooperative_action_is_signalled_once),
	        cmocka_unit_test(the_signal_is_the_one_that_requested_run),
	        cmocka_unit_test(signal_none_is_never),
	        cmocka_unit_test(a_cooperative_action_is_not_signalled_but_after_signal_after),
	        cmocka_unit_test(the_stop_command_takes_the_place_of_the_signal),
	        cmocka_unit_test(leaves_first_until_nested_wait_is_over),
	        cmocka_unit_test(between_nested_ones_the_signal_waits_a_moment),
	        cmocka_unit_test(a_shield_holds_signals_but_not_the_kill),
	        cmocka_unit_test(cancel_signal_signals_a_cooperative_action_once_each_time),
	        cmocka_unit_test(the_request_just_behind_its_signal_is_taken_by_it),
	        cmocka_unit_test(a_signal_by_name_that_ends_no_action_is_not_the_delivery),
	        cmocka_unit_test(a_signal_by_name_that_ends_actions_is_the_delivery),
	        cmocka_unit_test(kill_and_signal_wait_for_the_request_that_they_belong_to),
	        cmocka_unit_test(a_second_interrupt_signals_a_cooperative_action),
	        cmocka_unit_test(the_stop_command_runs_for_cancel_signal_but_not_twice),
	        cmocka_unit_test(kill_after_counts_from_the_first_request),
	        cmocka_unit_test(a_request_that_is_withdrawn_kills_nothing),
	        cmocka_unit_test(a_kill_is_repeated_until_nothing_is_left),
	        cmocka_unit_test(no_kill_refuses_every_kill),
	        cmocka_unit_test(a_deadline_is_requested_once),
	        cmocka_unit_test(a_deadline_does_not_disturb_clean_up),
	        cmocka_unit_test(nothing_is_done_twice_to_an_adopted_invocation),
	        cmocka_unit_test(a_decision_changes_nothing_it_was_given),
	        cmocka_unit_test(searches_are_needed_only_where_they_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
