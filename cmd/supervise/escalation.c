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

#define NOW INT64_MIN
#define NEVER INT64_MAX

/* An action may run one nested invocation after the other. The refusal of the next `run`
 * ends it cleanly, so the signal waits so long for that. A process that is just being
 * forked would escape the signal, too, and go on alone. */
#define BETWEEN_NESTED_NS INT64_C(100000000)

/* No word of the table changes when these end, so they are checked again. */
#define RECHECK_NESTED_NS INT64_C(10000000)
#define RECHECK_SHIELDED_NS INT64_C(50000000)
#define RECHECK_LEFT_NS INT64_C(250000000)
#define RECHECK_KILLED_NS INT64_C(50000000)

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

/* An invocation ends with its command; after a request, with the last of its processes. */
static int64_t due_end(const struct escalation *escalation, const struct inv_run_view *view,
                       const struct escalation_facts *facts)
{
	(void)escalation;
	if (!facts->command_ended || (over_after_request(view) && facts->anything_left))
		return NEVER;
	return NOW;
}

/* --kill and kill-after override shields; SIGKILL is repeated until nothing is left. The
 * view can show force_kill just before the request that it belongs to. */
static int64_t due_kill(const struct escalation *escalation, const struct inv_run_view *view,
                        const struct escalation_facts *facts)
{
	(void)facts;
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
	if (!is_signal_forced(escalation, view) || !view->requested || view->shielded)
		return NEVER;
	return due_after_nested(view, facts);
}

/* Once for an invocation: after the signal there is clean-up, which a later request leaves
 * alone. A cooperative action is signalled by --signal-after only. */
static int64_t due_delivery(const struct escalation *escalation, const struct inv_run_view *view,
                            const struct escalation_facts *facts)
{
	if (!view->pending || was_signalled(escalation, view) || view->shielded ||
	    !delivery_possible(view))
		return NEVER;

	int64_t at_ns = view->cooperative ? after_request(view, view->signal_after_ns)
	                                  : due_between_nested(escalation, view, facts);

	return later(at_ns, due_after_nested(view, facts));
}

/* In the order of their strength. */
static const struct {
	enum escalation_step step;
	int64_t (*due_ns)(const struct escalation *escalation, const struct inv_run_view *view,
	                  const struct escalation_facts *facts);
} steps[] = {
        {STEP_END, due_end},
        {STEP_KILL, due_kill},
        {STEP_REQUEST_DEADLINE, due_deadline},
        {STEP_SIGNAL, due_signal},
        {STEP_DELIVER, due_delivery},
};

bool escalation_needs_nested(const struct escalation *escalation, const struct inv_run_view *view)
{
	return is_signal_forced(escalation, view) ||
	       (view->pending && !was_signalled(escalation, view) && delivery_possible(view));
}

bool escalation_needs_left(const struct escalation *escalation, const struct inv_run_view *view,
                           bool command_ended)
{
	(void)escalation;
	return command_ended && over_after_request(view);
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
	if (escalation_needs_left(escalation, view, facts->command_ended))
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
	if (step == STEP_SIGNAL) {
		next->only_named =
		        !was_signalled(next, view) && !ends_actions(view, decision->signal);
		next->signalled = true;
		next->interrupt_signal = 0;
		next->force_done = view->force_count;
	}
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
