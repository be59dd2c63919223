/*
 * The escalation: see escalation.h.
 *
 * For each step a function returns when it is due, from the state, the view and the
 * facts: a time that has come already, one to come, or never. The first step that is due
 * is the decision. Where none is, the earliest of their times is when to decide again.
 * What else could make a step due changes the view, or is found by deciding again after
 * RECHECK_*.
 */
#include "supervise/escalation.h"

#include <signal.h>
#include <stddef.h>

#include "os/clock.h"

#define NOW INT64_MIN
#define NEVER INT64_MAX

/* An action may run one nested invocation after the other. The refusal of the next `run`
 * ends it cleanly, so the signal waits so long for that. A process that is just being
 * forked would escape the signal, too, and go on alone. */
#define BETWEEN_NESTED_NS INT64_C(100000000)

/* `cancel --signal` makes itself known before its request. Where another request was made before,
 * the signal is sent at once, and the request, which comes so soon behind, is delivered by it. */
#define REQUEST_FOLLOWS_NS INT64_C(50000000)

/* No word of the table changes when these end, so they are checked again. */
#define RECHECK_NESTED_NS INT64_C(10000000)
#define RECHECK_SHIELDED_NS INT64_C(50000000)
#define RECHECK_LEFT_NS INT64_C(250000000)
#define RECHECK_KILLED_NS INT64_C(50000000)

/* After the command's end. */
#define LEFTOVERS_NS (2 * NS_PER_SECOND)      /* a forgotten process gets the signal */
#define FINISH_LATEST_NS (10 * NS_PER_SECOND) /* the finish command waits no longer for one */
#define FINISH_AGAIN_NS NS_PER_SECOND         /* where no process could be made for it */
#define FINISH_KILL_NS (5 * NS_PER_SECOND)    /* from its SIGTERM to its SIGKILL */

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

static int64_t later(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* A time after the request; an option that is off, or too far away, is never. */
static int64_t after_request(const struct inv_run_view *view, int64_t delay_ns)
{
	if (delay_ns < 0 || delay_ns > NEVER - view->requested_at_ns)
		return NEVER;
	return view->requested_at_ns + delay_ns;
}

static int64_t plus(int64_t time_ns, int64_t delay_ns)
{
	return delay_ns < 0 || delay_ns > NEVER - time_ns ? NEVER : time_ns + delay_ns;
}

/* Delivery by signal comes once, as clean-up follows it. */
static bool was_signalled(const struct escalation *escalation, const struct inv_run_view *view)
{
	return (view->signalled || escalation->signalled) && !escalation->only_named;
}

/* A signal that was chosen by name may have another meaning for the action (CONT, USR1): it
 * delivers the request that it came with, and the next request gets the usual signal. */
static bool ends_actions(const struct inv_run_view *view, int signum)
{
	return signum == 0 || signum == view->signal || signum == SIGTERM || signum == SIGINT ||
	       signum == SIGHUP || signum == SIGQUIT;
}

static int forced_signal(const struct escalation *escalation, const struct inv_run_view *view)
{
	if (escalation->interrupt_signal != 0 && view->signal != 0)
		return escalation->interrupt_signal;
	if (view->force_signal && view->force_count != escalation->force_done)
		return view->force_signum != 0 ? view->force_signum : view->signal;
	return 0;
}

/* The stop command runs instead of the signal, but never twice; a signal that was chosen
 * by name is that signal. */
static bool forces_stop_command(const struct escalation *escalation,
                                const struct inv_run_view *view)
{
	return (view->flags & INV_RUN_STOP_COMMAND) != 0 && !was_signalled(escalation, view) &&
	       (escalation->interrupt_signal != 0 || view->force_signum == 0);
}

static bool is_signal_forced(const struct escalation *escalation, const struct inv_run_view *view)
{
	bool forced = escalation->interrupt_signal != 0 ||
	              (view->force_signal && view->force_count != escalation->force_done);

	return forced &&
	       (forced_signal(escalation, view) != 0 || forces_stop_command(escalation, view));
}

static bool delivery_possible(const struct inv_run_view *view)
{
	return view->signal != 0 || (view->flags & INV_RUN_STOP_COMMAND) != 0;
}

static bool over_after_request(const struct inv_run_view *view)
{
	return view->requested || view->killed;
}

/* Leaves first: a signal waits for what is nested, nested_wait after the request at most. */
static int64_t due_after_nested(const struct inv_run_view *view,
                                const struct escalation_facts *facts)
{
	return facts->nested > 0 ? after_request(view, view->nested_wait_ns) : NOW;
}

static int64_t due_between_nested(const struct escalation *escalation,
                                  const struct inv_run_view *view,
                                  const struct escalation_facts *facts)
{
	if (!view->had_nested || facts->nested > 0 || facts->command_ended)
		return NOW;
	return later(after_request(view, BETWEEN_NESTED_NS),
	             escalation->nested_seen_ns + BETWEEN_NESTED_NS);
}

/* An invocation ends with its command; after a request, with the last of its processes; with its
 * finish command, where it has one. */
static int64_t due_end(const struct escalation *escalation, const struct inv_run_view *view,
                       const struct escalation_facts *facts)
{
	(void)escalation;
	if (!facts->command_ended || facts->finish == INV_FINISH_PENDING ||
	    facts->finish == INV_FINISH_RUNNING ||
	    (over_after_request(view) && facts->anything_left))
		return NEVER;
	return NOW;
}

/* Where the end is not due yet. */
static int64_t due_decide(const struct escalation *escalation, const struct inv_run_view *view,
                          const struct escalation_facts *facts)
{
	(void)escalation;
	return facts->command_ended && !view->decided ? NOW : NEVER;
}

/* kill-after does not reach the finish command, nor does a kill made before it started. */
static int64_t due_finish_kill(const struct escalation *escalation, const struct inv_run_view *view,
                               const struct escalation_facts *facts)
{
	if (escalation->killing)
		return escalation->next_kill_ns;
	if (view->force_kill && view->force_count != escalation->kill_seen)
		return NOW;
	return plus(plus(facts->finish_started_ns, facts->finish_timeout_ns), FINISH_KILL_NS);
}

/* --kill and kill-after override shields; SIGKILL is repeated until nothing is left. The
 * view can show force_kill just before the request that it belongs to. */
static int64_t due_kill(const struct escalation *escalation, const struct inv_run_view *view,
                        const struct escalation_facts *facts)
{
	if (facts->finish == INV_FINISH_RUNNING)
		return due_finish_kill(escalation, view, facts);
	if ((view->flags & INV_RUN_NO_KILL) != 0)
		return NEVER;
	if (escalation->killing)
		return escalation->next_kill_ns;
	if ((view->force_kill && view->requested) || view->killed)
		return NOW;
	return escalation->kill_at_ns < 0 ? NEVER : escalation->kill_at_ns;
}

/* After a signal the deadline would only disturb the clean-up. */
static int64_t due_deadline(const struct escalation *escalation, const struct inv_run_view *view,
                            const struct escalation_facts *facts)
{
	if (view->deadline_ns < 0 || escalation->deadline_requested || facts->command_ended ||
	    was_signalled(escalation, view))
		return NEVER;
	return view->deadline_ns;
}

static int64_t due_signal(const struct escalation *escalation, const struct inv_run_view *view,
                          const struct escalation_facts *facts)
{
	if (!is_signal_forced(escalation, view) || !view->requested || view->shielded ||
	    view->decided)
		return NEVER;
	return due_after_nested(view, facts);
}

static int64_t due_take(const struct escalation *escalation, const struct inv_run_view *view,
                        const struct escalation_facts *facts)
{
	return view->pending && !view->decided && facts->now_ns < escalation->take_until_ns ? NOW
	                                                                                    : NEVER;
}

/* Once for an invocation: after the signal there is clean-up, which a later request leaves
 * alone. A cooperative action is signalled by --signal-after only, and what its command leaves
 * behind by due_leftovers. */
static int64_t due_delivery(const struct escalation *escalation, const struct inv_run_view *view,
                            const struct escalation_facts *facts)
{
	if (!view->pending || was_signalled(escalation, view) || view->shielded ||
	    !delivery_possible(view) || (view->cooperative && facts->command_ended))
		return NEVER;

	int64_t at_ns = view->cooperative ? after_request(view, view->signal_after_ns)
	                                  : due_between_nested(escalation, view, facts);

	return later(at_ns, due_after_nested(view, facts));
}

/* After a request; without one leftovers are no part of it. */
static int64_t due_leftovers(const struct escalation *escalation, const struct inv_run_view *view,
                             const struct escalation_facts *facts)
{
	if (!facts->command_ended || !over_after_request(view) || !facts->anything_left ||
	    escalation->leftovers_done || view->shielded || facts->finish == INV_FINISH_RUNNING)
		return NEVER;
	return plus(facts->command_ended_ns, LEFTOVERS_NS);
}

static int64_t due_finish(const struct escalation *escalation, const struct inv_run_view *view,
                          const struct escalation_facts *facts)
{
	if (!view->decided || facts->finish != INV_FINISH_PENDING)
		return NEVER;
	return later(escalation->finish_next_ns,
	             facts->anything_left ? plus(facts->command_ended_ns, FINISH_LATEST_NS) : NOW);
}

static int64_t due_finish_end(const struct escalation *escalation, const struct inv_run_view *view,
                              const struct escalation_facts *facts)
{
	(void)view;
	if (facts->finish != INV_FINISH_RUNNING || escalation->finish_terminated)
		return NEVER;
	return plus(facts->finish_started_ns, facts->finish_timeout_ns);
}

/* In the order of their strength. */
static const struct {
	enum escalation_step step;
	int64_t (*due_ns)(const struct escalation *escalation, const struct inv_run_view *view,
	                  const struct escalation_facts *facts);
} steps[] = {
        {STEP_END, due_end},
        {STEP_DECIDE, due_decide},
        {STEP_KILL, due_kill},
        {STEP_REQUEST_DEADLINE, due_deadline},
        {STEP_SIGNAL, due_signal},
        {STEP_TAKE, due_take}, /* no stronger than the signal that it follows */
        {STEP_DELIVER, due_delivery},
        {STEP_LEFTOVERS, due_leftovers},
        {STEP_FINISH, due_finish},
        {STEP_TERMINATE_FINISH, due_finish_end},
};

bool escalation_needs_nested(const struct escalation *escalation, const struct inv_run_view *view)
{
	return is_signal_forced(escalation, view) ||
	       (view->pending && !was_signalled(escalation, view) && delivery_possible(view));
}

bool escalation_needs_left(const struct inv_run_view *view, const struct escalation_facts *facts)
{
	return facts->command_ended && facts->finish != INV_FINISH_RUNNING &&
	       (over_after_request(view) || facts->finish == INV_FINISH_PENDING);
}

void escalation_begin(struct escalation *escalation, const struct inv_run_view *adopted)
{
	*escalation = (struct escalation){.kill_at_ns = INV_FOREVER};
	if (!adopted)
		return;
	if (adopted->signalled)
		escalation->force_done = adopted->force_count;
	escalation->deadline_requested = adopted->requested && adopted->cause == INV_CAUSE_DEADLINE;
}

/* kill-after counts from the first request, and lapses when that is withdrawn. */
static void arm_kill(struct escalation *escalation, const struct inv_run_view *view)
{
	if (!view->requested) {
		escalation->kill_at_ns = INV_FOREVER;
	} else if (escalation->kill_at_ns < 0) {
		int64_t at_ns = after_request(view, view->kill_after_ns);

		escalation->kill_at_ns = at_ns == NEVER ? INV_FOREVER : at_ns;
	}
}

static int64_t recheck_ns(const struct escalation *escalation, const struct inv_run_view *view,
                          const struct escalation_facts *facts)
{
	int64_t pause_ns = NEVER;

	if (escalation_needs_nested(escalation, view) && facts->nested > 0)
		pause_ns = earlier(pause_ns, RECHECK_NESTED_NS);
	if (view->shielded && escalation_needs_nested(escalation, view))
		pause_ns = earlier(pause_ns, RECHECK_SHIELDED_NS);
	if (escalation_needs_left(view, facts))
		pause_ns = earlier(pause_ns, RECHECK_LEFT_NS);
	return pause_ns == NEVER ? NEVER : facts->now_ns + pause_ns;
}

static int signal_for(enum escalation_step step, const struct escalation *escalation,
                      const struct inv_run_view *view)
{
	if (step == STEP_SIGNAL)
		return forces_stop_command(escalation, view) ? 0 : forced_signal(escalation, view);
	if ((view->flags & INV_RUN_STOP_COMMAND) != 0)
		return 0;
	return view->request_signal != 0 ? view->request_signal : view->signal;
}

/* What is decided is carried out. */
static void note(struct escalation *next, const struct inv_run_view *view,
                 const struct escalation_facts *facts, const struct escalation_decision *decision)
{
	enum escalation_step step = decision->step;

	if (step == STEP_REQUEST_DEADLINE)
		next->deadline_requested = true;
	if (step == STEP_DELIVER)
		next->only_named = false;
	if (step == STEP_TAKE)
		next->take_until_ns = 0;
	if (step == STEP_SIGNAL) {
		if (!view->pending && view->force_count != next->force_done)
			next->take_until_ns = facts->now_ns + REQUEST_FOLLOWS_NS;
		next->only_named =
		        !was_signalled(next, view) && !ends_actions(view, decision->signal);
		next->signalled = true;
		next->interrupt_signal = 0;
		next->force_done = view->force_count;
	}
	if (step == STEP_LEFTOVERS)
		next->leftovers_done = true;
	if (step == STEP_FINISH) {
		next->killing = next->finish_terminated = false;
		next->kill_seen = view->force_count;
		next->finish_next_ns = facts->now_ns + FINISH_AGAIN_NS;
	}
	if (step == STEP_TERMINATE_FINISH)
		next->finish_terminated = true;
	if (step == STEP_KILL) {
		next->killing = true;
		next->next_kill_ns = facts->now_ns + RECHECK_KILLED_NS;
	}
}

struct escalation_decision escalation_decide(const struct escalation *escalation,
                                             const struct inv_run_view *view,
                                             const struct escalation_facts *facts)
{
	struct escalation_decision decision = {.step = STEP_WAIT, .next = *escalation};
	struct escalation *next = &decision.next;
	int64_t until_ns = NEVER;

	arm_kill(next, view);
	if (facts->nested > 0)
		next->nested_seen_ns = facts->now_ns;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t due_ns = steps[i].due_ns(next, view, facts);

		if (due_ns <= facts->now_ns) {
			decision.step = steps[i].step;
			decision.until_ns = facts->now_ns;
			if (decision.step == STEP_SIGNAL || decision.step == STEP_DELIVER)
				decision.signal = signal_for(decision.step, next, view);
			note(next, view, facts, &decision);
			return decision;
		}
		until_ns = earlier(until_ns, due_ns);
	}
	until_ns = earlier(until_ns, recheck_ns(next, view, facts));
	decision.until_ns = until_ns == NEVER ? INV_FOREVER : until_ns;
	return decision;
}
