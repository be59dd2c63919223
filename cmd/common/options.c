/* What every subcommand's argp parser uses. */
#include "common/options.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/message.h"
#include "common/signals.h"
#include "invctl-exit-status.h"

/*
 * getopt puts argv[0] before its messages, and argp the same in usage lines,
 * unless a parser has replaced argv: then it takes the program's name.
 */
void options_begin(struct argp_state *state, char *name)
{
	static char **argv;
	size_t size = ((size_t)state->argc + 1) * sizeof(*argv);

	free(argv);
	argv = malloc(size);
	if (!argv)
		return; /* usage lines then lack the subcommand */
	memcpy(argv, state->argv, size);
	state->argv = argv;
	program_invocation_short_name = name;
}

void options_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	if (argp_parse(argp, argc, argv, flags, NULL, input) == 0)
		return;
	message("there is no memory to read the command line; look at 'ulimit -v' and 'free'");
	exit(EXIT_INTERNAL);
}

void usage_error(const struct argp_state *state, const char *format, ...)
{
	char sentence[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	message("%s; try '%s --help'", sentence, state->name);
	exit(EXIT_USAGE);
}

int64_t duration_option(const struct argp_state *state, const char *what, const char *text)
{
	int64_t ns;
	int error = duration_parse(text, &ns);

	if (error == -ERANGE)
		usage_error(state, "%s '%s' is longer than 292 years; say 'inf' for no end", what,
		            text);
	if (error < 0)
		usage_error(state, "%s '%s' is no duration such as 250ms, 1.5, 10s, 5m, 2h, inf",
		            what, text);
	return ns;
}

void selector_option(const struct argp_state *state, const char *command, char *value,
                     char **selector)
{
	if (*selector)
		usage_error(state, "%s takes one SELECTOR, and '%s' is one more", command, value);
	*selector = value;
}

int signal_option(const struct argp_state *state, const char *what, const char *text)
{
	int signum = signal_parse(text);

	if (signum < 0)
		usage_error(state, "%s '%s' is no signal such as INT, SIGTERM or 15", what, text);
	if (signum == SIGKILL)
		usage_error(state,
		            "%s can't be SIGKILL, which only 'cancel --kill' and "
		            "'run --kill-after' send",
		            what);
	return signum;
}
