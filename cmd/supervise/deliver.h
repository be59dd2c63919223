/*
 * Carries out what the ladder decides: signals the processes that are there
 * now, or runs the stop command, and gathers the facts that the ladder minds.
 * Used by `invctl run` and, after a supervisor's death, by invbroker:
 *
 *	inv_run_view(invocation, &view);
 *	delivery_look(&delivery, &view, &facts);
 *	decision = escalation_decide(&delivery.escalation, &view, &facts);
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
	bool alone;            /* the table is gone: what is pending is in the caller's view only */
	bool told_denied;      /* that a process is not ours to signal: once is enough */
	bool told_blind;       /* that they can't be looked for */
	int64_t kill_began_ns; /* 0: no SIGKILL was sent */
	int rest_signum;       /* the command has had this signal, and the rest has not; 0: no */
	struct process_list had; /* the command, while that is so */
	struct process_list found;
};

/* Fill facts->nested and facts->anything_left as far as the ladder minds them;
 * now_ns and command_ended are the caller's to set first. Signals what the last step has left
 * until the command had ended. */
void delivery_look(struct delivery *delivery, const struct inv_run_view *view,
                   struct escalation_facts *facts);

/* Carry out a step other than STEP_WAIT and STEP_END. */
void delivery_step(struct delivery *delivery, const struct escalation_decision *decision,
                   int64_t now_ns);

/* Free what it holds; the invocation is the caller's. */
void delivery_free(struct delivery *delivery);

#endif
