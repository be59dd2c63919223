/*
 * What every subcommand's argp parser uses: usage errors that read as all other
 * messages do, and the kinds of values that options take.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <argp.h>
#include <stdint.h>

/* Each parser's answer to ARGP_KEY_INIT. name is "invctl COMMAND": it stands in usage lines, while
 * messages begin with "invctl: " as everywhere. */
void options_begin(struct argp_state *state, char *name);

/* argp_parse, which leaves input as it is where there is no memory: then a sentence, exit 125. */
void options_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/* Say what is wrong with the command line and where help is; exit 2. */
void usage_error(const struct argp_state *state, const char *format, ...)
        __attribute__((format(printf, 2, 3), noreturn));

/* A DURATION in nanoseconds, INV_FOREVER for "inf"; a usage error that names what
 * ("--timeout") otherwise. */
int64_t duration_option(const struct argp_state *state, const char *what, const char *text);

/* Take the one SELECTOR of a command; a usage error for a second. */
void selector_option(const struct argp_state *state, const char *command, char *value,
                     char **selector);

/* The number of a signal; a usage error otherwise, and for SIGKILL, which has options of its own.
 */
int signal_option(const struct argp_state *state, const char *what, const char *text);

/* The paragraphs that help ends with in every command. */
#define HELP_DURATION "DURATION: a decimal number with us, ms, s (default), m, h, d; or inf."
#define HELP_SELECTOR                                                                              \
	"SELECTOR: a UUID, the exact name of one live invocation, or the first 4 or more "         \
	"digits of an id that only one has."
#define HELP_SELECTOR_FINISHED                                                                     \
	HELP_SELECTOR " Where no live one has the name, it is the one of that name that ended "    \
	              "last."

#endif
