/*
 * The ladder: which step a supervisor takes next for one invocation, and until
 * when there is nothing to do. It only decides: it reads no clock, sends no
 * signal and need not be the command's parent, so that `invctl run`, and
 * invbroker after a supervisor's death, climb the same rungs.
 *
 * Rungs, from the strongest: end, SIGKILL, deadline, a signal that was asked
 * for, delivery. What each waits for is told in ladder.c.
 */
#ifndef LADDER_H
#define LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "invctl-supervisor.h"

enum ladder_step {
	LADDER_WAIT,         /* nothing until until_ns, or until the view changes */
	LADDER_ASK_DEADLINE, /* make the request that the deadline is */
	LADDER_DELIVER,      /* take the pending request, and signal or run the stop command */
	LADDER_SIGNAL,       /* signal now, cooperative or not: cancel --signal, a second Ctrl-C */
	LADDER_KILL,         /* SIGKILL to all that is there */
	LADDER_END,          /* the invocation is over: record it */
};

/* What the view does not tell. */
struct ladder_facts {
	int64_t now_ns;
	bool command_ended;
	bool anything_left; /* minded once the command has ended after a request */
	int nested;         /* live nested invocations; minded while a signal is due */
};

/* What is remembered from one decision to the next. */
struct ladder {
	int64_t kill_at_ns;     /* of the first request that still stands; INV_FOREVER: none */
	int64_t nested_seen_ns; /* when something nested was last seen while a signal was due */
	int64_t next_kill_ns;   /* once SIGKILL was sent: when it is sent again */
	uint32_t signal_asks;   /* the last `cancel --signal` that was carried out */
	int interrupt_signal;   /* a second Ctrl-C asks for this signal; 0: no */
	bool deadline_asked;
	bool signalled; /* by LADDER_SIGNAL, which the view tells only where a request was pending
	                 */
	bool only_told; /* by signals asked for by name that are none to end an action */
	bool killing;
};

struct ladder_decision {
	enum ladder_step step;
	int64_t until_ns; /* of LADDER_WAIT; INV_FOREVER: only a change of the view */
	int signal;       /* of LADDER_SIGNAL and LADDER_DELIVER; 0: the stop command */
};

/*
 * Begin.
 *   adopted  what stands when another supervisor's invocation is taken over, so
 *            that nothing is done twice; NULL: a new one
 */
void ladder_begin(struct ladder *ladder, const struct inv_run_view *adopted);

/*
 * Decide. The caller carries the step out before it asks again; the ladder
 * notes asks as done when it decides on them.
 */
struct ladder_decision ladder_decide(struct ladder *ladder, const struct inv_run_view *view,
                                     const struct ladder_facts *facts);

/* Whether facts->nested, facts->anything_left make a difference: both cost a search. */
bool ladder_minds_nested(const struct ladder *ladder, const struct inv_run_view *view);
bool ladder_minds_left(const struct ladder *ladder, const struct inv_run_view *view,
                       bool command_ended);

#endif
