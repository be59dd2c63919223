/*
 * Carries out what the escalation decides: signals the invocation's processes, runs the stop
 * command, decides the outcome, runs the finish command. Gathers the facts that the escalation
 * needs.
 * Used by `invctl run` and, after a supervisor's death, by invbroker:
 *
 *	inv_run_view(invocation, &view);
 *	delivery_pause(&delivery, &view);
 *	delivery_gather(&delivery, &view, now_ns, &facts);
 *	decision = escalation_decide(&delivery.escalation, &view, &facts);
 *	delivery.escalation = decision.next;
 *	STEP_WAIT: sleep; STEP_END: inv_run_end; any other: delivery_step(...)
 */
#ifndef DELIVER_H
#define DELIVER_H

#include "supervise/escalation.h"
#include "supervise/leftovers.h"
#include "supervise/processes.h"
#include "supervise/shell_command.h"

struct delivery {
	inv_invocation *invocation;
	const char *label; /* its name, for messages */
	struct process_scope scope;
	struct escalation escalation;
	const char *stop_command;   /* NULL: none */
	const char *finish_command; /* NULL: none */
	int64_t finish_timeout_ns;
	const char *run_path;   /* of the run file, to be sealed; NULL: none */
	const char *cwd;        /* of both; NULL: the caller's */
	char **environment;     /* of both, without INVCTL_ID; NULL: the caller's */
	int output;             /* of both; -1: the caller's */
	bool alone;             /* the table is gone: requests are in the caller's view only */
	bool denied_reported;   /* that a process is another user's */
	bool unlisted_reported; /* that the processes can't be listed */
	bool ran_out_reported;  /* that the limit of a shield has run out */
	int64_t kill_began_ns;  /* 0: no SIGKILL was sent */
	bool stopped;           /* SIGSTOP was sent for a pause, and no SIGCONT yet */
	struct process_list found;

	bool command_ended;
	int64_t command_ended_ns;
	struct inv_run_result result; /* once the command has ended */
	struct inv_run_outcome outcome;
	int finish;       /* enum inv_finish_state */
	pid_t finish_pid; /* a child; 0: none */
	int64_t finish_started_ns;
	struct process_list
	        dropped; /* what is no part of it any more when the finish command starts */

	uint32_t settled;    /* the request that was delivered last; 0: none */
	uint64_t turn_ticks; /* of the last turn */
	struct delivery_moment moment;
};

/* The command has ended, in that way. Once. */
void delivery_command_ended(struct delivery *delivery, const struct inv_run_result *result);

/* A child of the caller was reaped: it may be the finish command. */
void delivery_reaped(struct delivery *delivery, pid_t pid, int wait_status);

/* Stop the processes for a pause that reaches them, or continue them after it: at its end, at a
 * request, before which no step must be decided, and at the command's end. */
void delivery_pause(struct delivery *delivery, struct inv_run_view *view);

/* Gather what the escalation needs to know. */
void delivery_gather(struct delivery *delivery, const struct inv_run_view *view, int64_t now_ns,
                     struct escalation_facts *facts);

/* Carry out a step other than STEP_WAIT and STEP_END. */
void delivery_step(struct delivery *delivery, const struct inv_run_view *view,
                   const struct escalation_decision *decision, int64_t now_ns);

/* For ending.c. Find the processes, the oldest first; 0, or as processes_find. */
int delivery_find(struct delivery *delivery, enum process_reach reach, struct process_list *found);
void delivery_signal_one(struct delivery *delivery, const struct process *process, int signum);
/* Every process of the invocation at this moment. */
void delivery_signal_all(struct delivery *delivery, int signum);
struct shell_command delivery_shell_command(const struct delivery *delivery, const char *what,
                                            const char *text);

/* Free what it holds; the invocation is the caller's. */
void delivery_free(struct delivery *delivery);

#endif
