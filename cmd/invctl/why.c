/* invctl why: cause, reason and actor of the last request. */
#include <argp.h>
#include <stdio.h>

#include "common/attach.h"
#include "common/escape.h"
#include "common/message.h"
#include "common/options.h"
#include "common/request_json.h"
#include "common/time_text.h"
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
        "Tell why the current invocation was asked to stop: cause, reason and actor of the last "
        "request, and how far it has come.\v"
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

/* A key and a value a line; what is not known is left out. */
static void print_key(const char *key, const char *value)
{
	char safe[ESCAPED_BYTES(INV_REASON_BYTES)];

	if (value && *value) {
		escape_text(value, safe, sizeof(safe));
		printf("%s: %s\n", key, safe);
	}
}

static void print_text(const struct inv_info *info)
{
	char time[TIME_TEXT_BYTES];

	print_key("state", inv_cancel_state_name(info->cancel.state));
	print_key("cause", inv_cause_name(info->cancel.cause));
	print_key("reason", info->cancel.reason);
	printf("actor.uid: %u\n", info->cancel.uid);
	print_key("actor.user", user_name(info->cancel.uid));
	if (info->cancel.pid != 0)
		printf("actor.pid: %d\n", info->cancel.pid);
	print_key("actor.command", info->cancel.command);
	print_key("actor.terminal", info->cancel.terminal);
	print_key("actor.script", info->cancel.script);
	print_key("actor.address", info->cancel.address);
	time_format(info->cancel.time_ns, time);
	print_key("time", time);
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
        .name = "why", .purpose = "tell why an action was asked to stop", .run = run};
