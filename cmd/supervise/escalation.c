/*
 * The ladder: see escalation.h.
 *
 * Each rung tells when its step is due as things stand: a time that has come
 * already, one to come, or never. The first rung that is due is the decision;
 * where none is, the earliest of their times is when to decide again. Whatever
 * else could make a rung due changes the view, or is found by looking again
 * after LOOK_AGAIN_*.
 */
#include "supervise/escalation.h"

#include <signal.h>
#include <stddef.h>

#define NOW INT64_MIN
#define NEVER INT64_MAX

/* How long an action that runs one nested invocation after the other has for the
 * next `run` to be refused, which it minds, before it is signalled. A process that
 * is just being made would escape the signal, and go on alone. */
#define BETWEEN_NESTED_NS INT64_C(100000000)

/* No word changes when these end, so they are looked at again. */
#define LOOK_AGAIN_NESTED_NS INT64_C(10000000)
#define LOOK_AGAIN_SHIELDED_NS INT64_C(50000000)
#define LOOK_AGAIN_LEFT_NS INT64_C(250000000)
#define LOOK_AGAIN_KILLED_NS INT64_C(50000000)

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

/* Whether delivery by signal has been: it comes once, as clean-up follows it. */
static bool was_signalled(const struct escalation *escalation, const struct inv_run_view *view)
{
	return (view->signalled || escalation->signalled) && !escalation->only_told;
}

/* A signal that was asked for by name may tell the action something else (CONT, USR1): it
 * delivers the request that it came with, and the next one gets the usual signal. */
static bool ends_actions(const struct inv_run_view *view, int signum)
{
	return signum == 0 || signum == view->signal || signum == SIGTERM || signum == SIGINT ||
	       signum == SIGHUP || signum == SIGQUIT;
}

static int signal_of_ask(const struct escalation *escalation, const struct inv_run_view *view)
{
	if (escalation->interrupt_signal != 0 && view->signal != 0)
		return escalation->interrupt_signal;
	if (view->force_signal && view->force_count != escalation->signals_done)
		return view->force_signum != 0 ? view->force_signum : view->signal;
	return 0;
}

/* The stop command runs instead of the signal, but never twice; a signal that
 * was asked for by name is that signal. */
static bool asks_stop_command(const struct escalation *escalation, const struct inv_run_view *view)
{
	return (view->flags & INV_RUN_STOP_COMMAND) != 0 && !was_signalled(escalation, view) &&
	       (escalation->interrupt_signal != 0 || view->force_signum == 0);
}

static bool signal_asked(const struct escalation *escalation, const struct inv_run_view *view)
{
	bool asked = escalation->interrupt_signal != 0 ||
	             (view->force_signal && view->force_count != escalation->signals_done);

	return asked &&
	       (signal_of_ask(escalation, view) != 0 || asks_stop_command(escalation, view));
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

/* --kill and kill-after override shields; once sent, until nothing is left. The
 * ask comes just before the request that it belongs to. */
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

/* What was signalled already is being ended: the deadline would only disturb its clean-up. */
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
	if (!signal_asked(escalation, view) || !view->requested || view->shielded)
		return NEVER;
	return due_after_nested(view, facts);
}

/* Once for an invocation: a request that comes after the signal finds clean-up,
 * which is left alone. A cooperative action is signalled for --signal-after only. */
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

static const struct rung {
	enum escalation_step step;
	int64_t (*due_ns)(const struct escalation *escalation, const struct inv_run_view *view,
	                  const struct escalation_facts *facts);
} rungs[] = {
        {STEP_END, due_end},
        {STEP_KILL, due_kill},
        {STEP_REQUEST_DEADLINE, due_deadline},
        {STEP_SIGNAL, due_signal},
        {STEP_DELIVER, due_delivery},
};

bool escalation_needs_nested(const struct escalation *escalation, const struct inv_run_view *view)
{
	return signal_asked(escalation, view) ||
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
		escalation->signals_done = adopted->force_count;
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

static int64_t look_again_ns(const struct escalation *escalation, const struct inv_run_view *view,
                             const struct escalation_facts *facts)
{
	int64_t pause_ns = NEVER;

	if (escalation_needs_nested(escalation, view) && facts->nested > 0)
		pause_ns = earlier(pause_ns, LOOK_AGAIN_NESTED_NS);
	if (view->shielded && escalation_needs_nested(escalation, view))
		pause_ns = earlier(pause_ns, LOOK_AGAIN_SHIELDED_NS);
	if (escalation_needs_left(escalation, view, facts->command_ended))
		pause_ns = earlier(pause_ns, LOOK_AGAIN_LEFT_NS);
	return pause_ns == NEVER ? NEVER : facts->now_ns + pause_ns;
}

static int signal_for(enum escalation_step step, const struct escalation *escalation,
                      const struct inv_run_view *view)
{
	if (step == STEP_SIGNAL)
		return asks_stop_command(escalation, view) ? 0 : signal_of_ask(escalation, view);
	if ((view->flags & INV_RUN_STOP_COMMAND) != 0)
		return 0;
	return view->request_signal != 0 ? view->request_signal : view->signal;
}

/* What is decided is carried out, so the ask is done with. */
static void note(struct escalation *escalation, const struct inv_run_view *view,
                 const struct escalation_facts *facts, const struct escalation_decision *decision)
{
	enum escalation_step step = decision->step;

	if (step == STEP_REQUEST_DEADLINE)
		escalation->deadline_requested = true;
	if (step == STEP_DELIVER)
		escalation->only_told = false;
	if (step == STEP_SIGNAL) {
		escalation->only_told =
		        !was_signalled(escalation, view) && !ends_actions(view, decision->signal);
		escalation->signalled = true;
		escalation->interrupt_signal = 0;
		escalation->signals_done = view->force_count;
	}
	if (step == STEP_KILL) {
		escalation->killing = true;
		escalation->next_kill_ns = facts->now_ns + LOOK_AGAIN_KILLED_NS;
	}
}

struct escalation_decision escalation_decide(struct escalation *escalation,
                                             const struct inv_run_view *view,
                                             const struct escalation_facts *facts)
{
	int64_t until_ns = NEVER;

	arm_kill(escalation, view);
	if (facts->nested > 0)
		escalation->nested_seen_ns = facts->now_ns;
	for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++) {
		int64_t due_ns = rungs[i].due_ns(escalation, view, facts);

		if (due_ns <= facts->now_ns) {
			enum escalation_step step = rungs[i].step;
			struct escalation_decision decision = {.step = step,
			                                       .until_ns = facts->now_ns};

			if (step == STEP_SIGNAL || step == STEP_DELIVER)
				decision.signal = signal_for(step, escalation, view);
			note(escalation, view, facts, &decision);
			return decision;
		}
		until_ns = earlier(until_ns, due_ns);
	}
	until_ns = earlier(until_ns, look_again_ns(escalation, view, facts));
	return (struct escalation_decision){.step = STEP_WAIT,
	                                    .until_ns = until_ns == NEVER ? INV_FOREVER : until_ns};
}
