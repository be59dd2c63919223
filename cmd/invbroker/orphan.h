/*
 * What can be known of an action whose supervisor is dead: its command's
 * process, its environment, and what `run` wrote down about it.
 */
#ifndef ORPHAN_H
#define ORPHAN_H

#include <stdbool.h>

#include "api/broker.h"
#include "common/runfile.h"
#include "supervise/kept_output.h"
#include "supervise/processes.h"

struct orphan {
	char label[64 + INV_NAME_BYTES]; /* id and name, for messages */
	bool foreign;           /* perhaps another user's: it is watched, and never signalled */
	bool stop_command_lost; /* it has one, which can't be read: signal instead */
	struct process_identity command;
	struct process_scope scope;
	struct runfile run; /* empty where there is none that can be trusted */
	char run_path[4096];
	bool run_elsewhere; /* not in the broker's state directory */
	bool finish_lost;   /* it has a finish command, which can't be read, or is another user's */
	char **environment; /* the action's, or as the run file says; NULL: not known */
	char **own_environment;
	char *environment_text;
	int output_fd; /* of its kept output; -1: none */
	struct kept_output output;
};

/* Gather it. What is not available is left empty.
 *   shared  others than the broker's user can write to the table */
void orphan_open(inv_table *table, bool shared, inv_invocation *invocation,
                 const struct inv_run_view *view, struct orphan *orphan);

/* It has ended. A run file elsewhere is removed: the broker forgets that place. */
void orphan_forget_other_run_file(const struct orphan *orphan);

void orphan_close(struct orphan *orphan);

#endif
