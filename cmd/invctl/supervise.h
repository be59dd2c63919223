/*
 * Supervising one command from its start to the end of its invocation: sleeps until a
 * signal, a request or a time comes, and carries out what the escalation decides.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <stdbool.h>

#include "invctl/launch.h"
#include "invctl/terminal.h"
#include "supervise/deliver.h"
#include "supervise/kept_output.h"

struct supervision {
	inv_table *table;
	inv_invocation *invocation;
	const char *label;  /* the invocation's name, for messages */
	const char *how_to; /* "invctl" or "invctl --table=NAME" */
	struct launch launch;
	struct delivery delivery;
	struct terminal terminal;
	struct kept_output output;
	struct inv_run_view view; /* the last one; to begin with, the options as registered */

	bool interrupted_at_terminal; /* Ctrl-C was pressed, here or at the command */
	int64_t last_request_ns;      /* by SIGTERM, SIGHUP; 0: none */
	int64_t last_interrupt_ns;    /* the last Ctrl-C that counted; 0: none */
	int64_t hint_at_ns;           /* when to name the next stronger step; INV_FOREVER: never */
};

/* Supervise a command that was started, until the invocation can be recorded.
 * The caller sets table, invocation, label, how_to, launch, view, output, and of delivery
 * scope and stop_command. */
void supervise(struct supervision *supervision);

#endif
