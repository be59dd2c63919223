/* invctl sleep: like sleep(1), until the action is requested to stop. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "common/duration.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl/command.h"
#include "invctl/context.h"

/* How often the end of a shield is checked for, inside which --peek goes on sleeping. */
#define SHIELD_LOOK_NS (100 * NS_PER_MS)

enum { OPTION_PEEK = 256, OPTION_ID };

struct arguments {
	const char *id;
	bool peek;
	int64_t duration_ns;
};

static const struct argp_option options[] = {
        {"peek", OPTION_PEEK, NULL, 0, "Leave the request for a later check", 0},
        {"id", OPTION_ID, "SELECTOR", 0, "Of that invocation instead of the current one", 0},
        {0},
};

static const char documentation[] =
        "Sleep, and wake at once when the current invocation is requested to stop. The request is "
        "then "
        "taken, and the exit status is 122. Several durations are added.\v" HELP_DURATION "\n\n"
        "Examples:\n"
        "  invctl sleep 10m || exit              settle, unless requested to stop\n"
        "  invctl sleep inf                      until requested to stop\n\n"
        "Exit status: 0 slept in full, 122 stop; 113 the invocation of INVCTL_ID does not exist, "
        "115 "
        "it has finished. Outside any invocation it only sleeps (with INVCTL_REQUIRE=1: 113).";

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl sleep");
		return 0;
	case OPTION_PEEK:
		arguments->peek = true;
		return 0;
	case OPTION_ID:
		arguments->id = value;
		return 0;
	case ARGP_KEY_ARG:
		if (duration_add(arguments->duration_ns, duration_option(state, "DURATION", value),
		                 &arguments->duration_ns) < 0)
			usage_error(state,
			            "the durations add up to more than 292 years; say 'inf' for "
			            "no end");
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "say how long: a DURATION such as 250ms, 1.5, 10m, inf");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, "DURATION...", documentation,
                                 NULL,    NULL,         NULL};

/* What is left until until_ns; never negative, and INV_FOREVER stays what it is. */
static int64_t left_ns(int64_t until_ns)
{
	if (until_ns == INV_FOREVER)
		return INV_FOREVER;

	int64_t left = until_ns - clock_monotonic_ns();

	return left > 0 ? left : 0;
}

static void plain_sleep(int64_t until_ns)
{
	struct timespec until = {.tv_sec = LONG_MAX};

	if (until_ns != INV_FOREVER) {
		until.tv_sec = until_ns / NS_PER_SECOND;
		until.tv_nsec = until_ns % NS_PER_SECOND;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static bool shielded(const struct context *context)
{
	struct inv_info info;

	return inv_info_get(context->table, context->id, &info) == 0 && info.shielded;
}

/* A sleep that leaves the request: 0 slept in full; -ECANCELED; other errors. */
static int sleep_and_peek(const struct context *context, inv_event *event, int64_t until_ns)
{
	for (;;) {
		int answer = inv_event_wait(event, left_ns(until_ns));

		if (answer != 1)
			return answer;
		if (!shielded(context))
			return -ECANCELED;

		/* Set, but not to be delivered yet: there is no wake-up for a shield's end. */
		int64_t until_look_ns = clock_monotonic_ns() + SHIELD_LOOK_NS;

		if (until_ns != INV_FOREVER && until_ns <= until_look_ns) {
			plain_sleep(until_ns);
			return 0;
		}
		plain_sleep(until_look_ns);
	}
}

static int sleep_in_context(const struct globals *globals, const struct context *context,
                            int64_t until_ns, bool peek)
{
	inv_event *event;
	int answer = inv_event_find(context->table, context->id, &event);

	if (answer < 0)
		return context_failure(globals, context, answer);
	do {
		answer = peek ? sleep_and_peek(context, event, until_ns)
		              : inv_event_sleep(event, left_ns(until_ns));
	} while (answer == -EINTR);
	inv_event_put(event);
	if (answer == -ECANCELED)
		return EXIT_CANCELLED;
	return answer == 0 ? EXIT_DONE : context_failure(globals, context, answer);
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {0};
	struct context context;
	int64_t until_ns;

	options_parse(&argp, argc, argv, 0, &arguments);
	if (duration_add(clock_monotonic_ns(), arguments.duration_ns, &until_ns) < 0)
		until_ns = INV_FOREVER;

	int status = context_open(globals, arguments.id, SELECTOR_LIVE, &context);

	if (status == 0 && context.inside)
		status = sleep_in_context(globals, &context, until_ns, arguments.peek);
	else if (status == 0)
		plain_sleep(until_ns);
	return status;
}

const struct command command_sleep = {.name = "sleep",
                                      .purpose =
                                              "inside an action: sleep, unless requested to stop",
                                      .run = run};
