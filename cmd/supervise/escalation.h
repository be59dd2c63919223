/*
 * The escalation: which step a supervisor takes next for one invocation, and until
 * when there is nothing to do. It only decides, as a pure function: it reads no clock,
 * sends no signal and need not be the command's parent. So `invctl run`, and invbroker
 * after a supervisor's death, decide alike.
 *
 * Steps, from the strongest: end, the outcome, SIGKILL, deadline, a requested signal, its request,
 * delivery, the signal to leftovers, the finish command and its end. When each is due stands in
 * escalation.c.
 */
#ifndef ESCALATION_H
#define ESCALATION_H

#include <stdbool.h>
#include <stdint.h>

#include "invctl-supervisor.h"

enum escalation_step {
	STEP_WAIT,             /* nothing until until_ns, or until the view changes */
	STEP_REQUEST_DEADLINE, /* make the request that the deadline is */
	STEP_DELIVER,          /* take the pending request, and signal or run the stop command */
	STEP_SIGNAL,    /* signal now, cooperative or not: cancel --signal, a second Ctrl-C */
	STEP_TAKE,      /* take the request that a signal was for, which came just behind it */
	STEP_KILL,      /* SIGKILL to all processes */
	STEP_DECIDE,    /* the command has ended, something follows it: decide the outcome */
	STEP_LEFTOVERS, /* name them, and signal those that were there at the delivery */
	STEP_FINISH,    /* start the finish command */
	STEP_TERMINATE_FINISH, /* its time is over: SIGTERM */
	STEP_END,              /* the invocation is over: record it */
};

/* What the view does not say. */
struct escalation_facts {
	int64_t now_ns;
	bool command_ended;
	int64_t command_ended_ns;
	bool anything_left; /* counts where escalation_needs_left */
	int nested;         /* live nested invocations; counts while a signal is due */
	int finish;         /* enum inv_finish_state: none, pending, running, ended */
	int64_t finish_started_ns;
	int64_t finish_timeout_ns;
};

/* What is remembered from one decision to the next. */
struct escalation {
	int64_t kill_at_ns;     /* of the first request that still stands; INV_FOREVER: none */
	int64_t nested_seen_ns; /* when something nested was last seen while a signal was due */
	int64_t next_kill_ns;   /* once SIGKILL was sent: when it is sent again */
	uint32_t force_done;    /* force_count of the last `cancel --signal` that was carried out */
	int64_t take_until_ns;  /* until then the request of that `cancel --signal` may come */
	int interrupt_signal;   /* a second Ctrl-C requests this signal; 0: no */
	bool deadline_requested;
	bool signalled;  /* by STEP_SIGNAL: the view says so only if a request was pending */
	bool only_named; /* all signals so far were chosen by name, and end no action */
	bool killing;
	bool leftovers_done;
	int64_t finish_next_ns; /* when to try it again, if it could not be started */
	bool finish_terminated;
	uint32_t kill_seen; /* force_count when the finish command started: an earlier kill is done
	                     */
};

struct escalation_decision {
	enum escalation_step step;
	int64_t until_ns;       /* of STEP_WAIT; INV_FOREVER: only a change of the view */
	int signal;             /* of STEP_SIGNAL and STEP_DELIVER; 0: the stop command */
	struct escalation next; /* for the next decision, when the step is carried out */
};

/*
 * Begin.
 *   adopted  what stands when another supervisor's invocation is taken over, so
 *            that nothing is done twice; NULL: a new one
 */
void escalation_begin(struct escalation *escalation, const struct inv_run_view *adopted);

/* Decide. The caller carries the step out and keeps the decision's next. */
struct escalation_decision escalation_decide(const struct escalation *escalation,
                                             const struct inv_run_view *view,
                                             const struct escalation_facts *facts);

/* Whether facts->nested, facts->anything_left make a difference: both cost a search. */
bool escalation_needs_nested(const struct escalation *escalation, const struct inv_run_view *view);
bool escalation_needs_left(const struct inv_run_view *view, const struct escalation_facts *facts);

#endif
