/* invctl why: cause, reason and actor of the request that stops an invocation, in one line. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/escape.h"
#include "common/message.h"
#include "common/options.h"
#include "common/request_json.h"
#include "common/user.h"
#include "invctl-exit-status.h"
#include "invctl/command.h"
#include "invctl/context.h"

enum { OPTION_ID = 256, OPTION_JSON };

struct arguments {
	const char *id;
	bool json;
};

static const struct argp_option options[] = {
        {"id", OPTION_ID, "SELECTOR", 0, "Of that invocation instead of the current one", 0},
        {"json", OPTION_JSON, NULL, 0, "As a JSON object", 0},
        {0},
};

static const char documentation[] =
        "Tell in one line why the current invocation was requested to stop: cause, reason and "
        "actor of the last delivered request, else of the pending one.\v"
        "Examples:\n"
        "  invctl check || { invctl why >&2; park; exit; }\n"
        "  invctl why --id=scan --json | jq -r .reason\n\n"
        "Exit status: 0 told; 1 nothing was requested, or outside any invocation (with "
        "INVCTL_REQUIRE=1: 113); 113 no such invocation.";

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl why");
		return 0;
	case OPTION_ID:
		arguments->id = value;
		return 0;
	case OPTION_JSON:
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		usage_error(state,
		            "why takes no argument such as '%s'; --id names another "
		            "invocation",
		            value);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, NULL, documentation, NULL, NULL, NULL};

static void print_json(const struct inv_info *info)
{
	struct json json = json_begin(stdout, JSON_DEPTH_MAX);

	json_request(&json, NULL, &info->cancel);
}

/* ", from stop.sh": the script that called invctl, or the program that made the request itself. */
static void print_origin(const struct inv_request *request)
{
	const char *origin = request->script[0] ? request->script : request->command;
	char safe[ESCAPED_BYTES(INV_SCRIPT_BYTES)];

	if (!*origin || (!request->script[0] && strcmp(origin, "invctl") == 0))
		return;
	escape_text(origin, safe, sizeof(safe));
	printf(", from %s", safe);
}

static void print_actor(const struct inv_request *request)
{
	char command[ESCAPED_BYTES(INV_COMMAND_BYTES)], address[ESCAPED_BYTES(INV_SCRIPT_BYTES)];
	char terminal[ESCAPED_BYTES(INV_TERMINAL_BYTES)];
	const char *user = user_name(request->uid);

	escape_text(request->command, command, sizeof(command));
	escape_text(request->address, address, sizeof(address));
	escape_text(request->terminal, terminal, sizeof(terminal));
	if (request->address[0]) {
		printf("by %s at %s", command, address);
		return;
	}
	if (user)
		printf("by %s", user);
	else
		printf("by user %u", request->uid);
	if (request->terminal[0])
		printf(" on %s", terminal);
	print_origin(request);
}

/* One line: cause, reason, actor. A deadline is the run's own, and has no actor; and nothing is
 * known of a requester that was killed before it had written its record. */
static void print_text(const struct inv_info *info)
{
	const struct inv_request *request = &info->cancel;
	char reason[ESCAPED_BYTES(INV_REASON_BYTES)], ago[DURATION_TEXT_BYTES];
	bool by_actor = request->cause != INV_CAUSE_DEADLINE;

	escape_text(request->reason, reason, sizeof(reason));
	duration_format_words(request->age_ns, ago);
	printf("%s%s%s", inv_cause_name(request->cause), *reason ? ": " : "", reason);
	if (request->time_ns == 0) {
		putchar('\n');
		return;
	}
	printf(" (");
	if (by_actor)
		print_actor(request);
	printf("%s%s ago)\n", by_actor ? ", " : "", ago);
}

static int tell(const struct globals *globals, const struct context *context, bool json)
{
	struct inv_info info;
	int error = inv_info_get(context->table, context->id, &info);

	if (error < 0)
		return context_failure(globals, context, error);

	if (info.cancel.state == INV_CANCEL_NONE) {
		char id_text[INV_ID_TEXT_BYTES];

		inv_id_format(context->id, id_text);
		message("there was no request to invocation %s", id_text);
		return EXIT_NO;
	}
	if (json)
		print_json(&info);
	else
		print_text(&info);
	return EXIT_DONE;
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {0};
	struct context context;

	options_parse(&argp, argc, argv, 0, &arguments);

	int status = context_open(globals, arguments.id, SELECTOR_FINISHED, &context);

	if (status == 0 && context.inside) {
		status = tell(globals, &context, arguments.json);
	} else if (status == 0) {
		message("this runs in no invocation of table '%s'", attach_name(globals));
		status = EXIT_NO;
	}
	return status;
}

const struct command command_why = {
        .name = "why", .purpose = "tell why an action was requested to stop", .run = run};
