/* The command line of `invctl run`. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct run_options {
	char **command; /* ends with NULL */
	const char *name;
	uint8_t id[16];
	bool id_given;
	int64_t timeout_ns; /* INV_FOREVER: none; so are the next two */
	int64_t signal_after_ns;
	int64_t kill_after_ns;
	int64_t nested_wait_ns;
	int64_t output_limit; /* bytes kept of a detached one's output; 0: all */
	int signal;           /* 0: none */
	const char *stop_command;
	const char *finish_command;
	int64_t finish_timeout_ns;
	const char *id_file;
	bool cooperative;
	bool signal_command; /* --signal-to=command */
	bool no_kill;
	bool detach;
	bool no_parent;
	bool preserve_status;
	bool wait_hold;
};

/* Read it. 0, or an exit status after a message; a usage error exits. */
int run_options_parse(int argc, char **argv, struct run_options *options);

/* What the table, and a supervisor's view, have of them: INV_RUN_NO_KILL and the like. */
unsigned run_options_flags(const struct run_options *options);

#endif
