/* invctl wait: until invocations have ended, and exit as they did. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "common/attach.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl/await.h"
#include "invctl/command.h"
#include "invctl/selectors.h"

enum { OPTION_ANY = 256 };

/* In the message of a wait that timed out. */
enum { NAMED = 8 };

struct arguments {
	struct selectors selectors;
	bool any;
	int64_t timeout_ns;
};

static const struct argp_option options[] = {
        {"any", OPTION_ANY, NULL, 0, "Until one of them has ended, and exit as that one did", 0},
        {"timeout", 't', "DURATION", 0, "Wait no longer; 119 if any still runs then", 0},
        {0},
};

static const char documentation[] =
        "Wait until invocations have ended, and exit as 'invctl run' would have. Several: with the "
        "first exit status that is not 0, in the order of the arguments.\v" HELP_SELECTOR_FINISHED
        "\n" HELP_DURATION "\n\n"
        "Examples:\n"
        "  invctl wait scan && echo completed\n"
        "  invctl wait -t 10m --all\n"
        "  invctl wait --any left right\n\n"
        "Exit status: 0 completed, 122 cancelled, 124 cancelled by its deadline, 137 killed, 125 "
        "lost, else that of the command; 113 no such invocation, 114 ambiguous, 119 timed out.";

static const struct argp_child children[] = {{&selectors_argp, 0, NULL, 0}, {0}};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl wait");
		state->child_inputs[0] = &arguments->selectors;
		return 0;
	case OPTION_ANY:
		arguments->any = true;
		return 0;
	case 't':
		arguments->timeout_ns = duration_option(state, "--timeout", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options,  parse_option, "SELECTOR...", documentation,
                                 children, NULL,         NULL};

static bool is_live(inv_table *table, const struct target *target, struct inv_info *info)
{
	return target->failure == 0 && inv_info_get(table, target->id, info) == 0 &&
	       info->completed_ns == 0;
}

/* The time is up: name those that still run, the first ones where they are many. */
static int timed_out(inv_table *table, const struct targets *targets)
{
	char names[NAMED * (INV_NAME_BYTES + INV_ID_TEXT_BYTES + 8)] = "";
	char id_text[INV_ID_TEXT_BYTES] = "";
	size_t count = 0, used = 0;
	struct inv_info info;

	for (size_t i = 0; i < targets->count; i++) {
		if (!is_live(table, &targets->list[i], &info) || ++count > NAMED)
			continue;
		inv_id_format(info.id, id_text);
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%s' (%.8s)",
		                         used > 0 ? ", " : "", info.name, id_text);
	}
	if (count == 1)
		message("invocation %s still runs", id_text);
	else if (count > NAMED)
		message("%zu invocations still run: %s, and %zu more", count, names, count - NAMED);
	else if (count > 0)
		message("%zu invocations still run: %s", count, names);
	else
		message("the time was up before the last one ended");
	return EXIT_TIMED_OUT;
}

static int wait_for_all(inv_table *table, const struct targets *targets, int64_t until_ns)
{
	int first = 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->list[i];
		int status = target->failure;

		if (status == 0)
			status = await_end(table, target->id, until_ns);
		if (status == AWAIT_TIMED_OUT)
			return timed_out(table, targets);
		if (status == AWAIT_UNKNOWN)
			return EXIT_NO_TABLE;
		if (first == 0)
			first = status;
	}
	return first;
}

/* With --any one that can't be waited for is told at once: it would end nothing. */
static int any_failure(const struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].failure != 0)
			return targets->list[i].failure;
	return 0;
}

static int wait_for_any(inv_table *table, const struct targets *targets, int64_t until_ns)
{
	int status = await_first(table, targets, until_ns);

	if (status != AWAIT_TIMED_OUT)
		return status == AWAIT_UNKNOWN ? EXIT_NO_TABLE : status;
	return timed_out(table, targets);
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {.timeout_ns = INV_FOREVER,
	                              .selectors = {.names = SELECTOR_FINISHED}};
	struct targets targets = {0};
	inv_table *table = NULL;

	options_parse(&argp, argc, argv, 0, &arguments);

	int64_t until_ns = await_until(arguments.timeout_ns);
	int error = attach_table(globals, 0, &table);

	if (error < 0 && error != -ENOENT)
		return attach_failure(globals, error);

	int status = selectors_resolve(globals, table, &arguments.selectors, &targets);

	if (status == 0 && arguments.any)
		status = any_failure(&targets);
	if (status == 0 && arguments.any && targets.count > 0)
		return wait_for_any(table, &targets, until_ns); /* its threads go on until exit */
	if (status == 0)
		status = wait_for_all(table, &targets, until_ns);
	targets_free(&targets);
	inv_close(table);
	return status;
}

const struct command command_wait = {
        .name = "wait", .purpose = "wait until invocations have ended", .run = run};
