/*
 * A subcommand of invctl: each stands in a file of its own, which defines its
 * descriptor; main.c lists them.
 */
#ifndef COMMAND_H
#define COMMAND_H

/* What stood on the command line before the subcommand. */
struct globals {
	const char *table; /* --table; NULL: the default */
};

struct command {
	const char *name;
	const char *alias;   /* NULL: none */
	const char *purpose; /* one line for `invctl --help` */
	/* argv[0] is the subcommand's name. Returns the exit status (exit_status.h). */
	int (*run)(int argc, char **argv, const struct globals *globals);
};

extern const struct command command_cancel;
extern const struct command command_check;
extern const struct command command_id;
extern const struct command command_list;
extern const struct command command_log;
extern const struct command command_run;
extern const struct command command_show;
extern const struct command command_sleep;
extern const struct command command_status;
extern const struct command command_wait;
extern const struct command command_why;

#endif
