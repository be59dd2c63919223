/* invctl check: has this action been requested to stop? */
#include <argp.h>
#include <errno.h>

#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl/command.h"
#include "invctl/context.h"

enum { OPTION_PEEK = 256, OPTION_ID };

struct arguments {
	const char *id;
	bool peek;
};

static const struct argp_option options[] = {
        {"peek", OPTION_PEEK, NULL, 0, "Only tell: 1 if requested, and the request stays", 0},
        {"id", OPTION_ID, "SELECTOR", 0, "Of that invocation instead of the current one", 0},
        {0},
};

static const char documentation[] =
        "Check whether the current invocation is to stop. If it is, the request is taken (it will "
        "not "
        "be told again) and the exit status is 122.\v"
        "Examples:\n"
        "  invctl check || exit                  in a script: stop here if requested\n"
        "  while invctl check --peek; do work; done; park; invctl check\n\n"
        "Exit status: 0 go on, 122 stop; with --peek 1 requested; 113 the invocation of INVCTL_ID "
        "does "
        "not exist, 115 it has finished. Outside any invocation 0 (with INVCTL_REQUIRE=1: 113).";

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl check");
		return 0;
	case OPTION_PEEK:
		arguments->peek = true;
		return 0;
	case OPTION_ID:
		arguments->id = value;
		return 0;
	case ARGP_KEY_ARG:
		usage_error(state,
		            "check takes no argument such as '%s'; --id names another invocation",
		            value);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, NULL, documentation, NULL, NULL, NULL};

static int check(const struct globals *globals, const struct context *context, bool peek)
{
	inv_event *event;
	int answer = inv_event_find(context->table, context->id, &event);

	if (answer == 0) {
		answer = peek ? inv_event_is_set(event) : inv_event_check(event);
		inv_event_put(event);
	}
	if (answer == 1)
		return EXIT_NO;
	if (answer == -ECANCELED)
		return EXIT_CANCELLED;
	return answer == 0 ? EXIT_DONE : context_failure(globals, context, answer);
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {0};
	struct context context;

	options_parse(&argp, argc, argv, 0, &arguments);

	int status = context_open(globals, arguments.id, SELECTOR_LIVE, &context);

	if (status == 0 && context.inside)
		status = check(globals, &context, arguments.peek);
	return status;
}

const struct command command_check = {
        .name = "check", .purpose = "inside an action: stop here if requested", .run = run};
