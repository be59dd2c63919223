/*
 * A subcommand: each stands in a file of its own, which defines its descriptor; the
 * program's main.c lists them.
 */
#ifndef COMMON_COMMAND_H
#define COMMON_COMMAND_H

/* What stood on the command line before the subcommand. */
struct globals {
	const char *table; /* --table; NULL: the default */
};

enum { COMMAND_ALIASES = 2 };

struct command {
	const char *name;
	const char *aliases[COMMAND_ALIASES]; /* NULL: none */
	const char *purpose;                  /* one line for `invctl --help` */
	/* argv[0] is the program's name. Returns the exit status (exit_status.h). */
	int (*run)(int argc, char **argv, const struct globals *globals);
	const char *helper; /* where run is NULL: the program that has it */
};

#endif
