/*
 * Carries out what the escalation decides: signals the invocation's processes, or
 * runs the stop command. Gathers the facts that the escalation needs.
 * Used by `invctl run` and, after a supervisor's death, by invbroker:
 *
 *	inv_run_view(invocation, &view);
 *	delivery_gather(&delivery, &view, &facts);
 *	decision = escalation_decide(&delivery.escalation, &view, &facts);
 *	delivery.escalation = decision.next;
 *	STEP_WAIT: sleep; STEP_END: inv_run_end; any other: delivery_step(...)
 */
#ifndef DELIVER_H
#define DELIVER_H

#include "supervise/escalation.h"
#include "supervise/processes.h"

struct delivery {
	inv_invocation *invocation;
	struct process_scope scope;
	struct escalation escalation;
	const char *stop_command; /* NULL: none */
	const char *cwd;          /* the stop command's; NULL: the caller's */
	char **environment;       /* the stop command's, without INVCTL_ID; NULL: the caller's */
	bool alone;               /* the table is gone: requests are in the caller's view only */
	bool denied_reported;     /* that a process is another user's */
	bool unlisted_reported;   /* that the processes can't be listed */
	int64_t kill_began_ns;    /* 0: no SIGKILL was sent */
	struct process_list found;
};

/* Fill facts->nested and facts->anything_left where the escalation needs them;
 * now_ns and command_ended are the caller's to set first. */
void delivery_gather(struct delivery *delivery, const struct inv_run_view *view,
                     struct escalation_facts *facts);

/* Carry out a step other than STEP_WAIT and STEP_END. */
void delivery_step(struct delivery *delivery, const struct escalation_decision *decision,
                   int64_t now_ns);

/* Free what it holds; the invocation is the caller's. */
void delivery_free(struct delivery *delivery);

#endif
