/* invctl why: cause, reason and actor of the last request. */
#include <argp.h>
#include <stdio.h>

#include "common/exit_status.h"
#include "common/message.h"
#include "invctl/attach.h"
#include "invctl/command.h"
#include "invctl/context.h"
#include "invctl/describe.h"
#include "invctl/json.h"
#include "invctl/options.h"

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

static int tell(const struct globals *globals, const struct context *context, bool json)
{
	struct inv_info info;
	int error = inv_info_get(context->table, context->id, &info);

	if (error < 0)
		return context_failure(globals, context, error);

	struct json_object *cancel = json_cancel(&info);

	if (!cancel) {
		char id_text[37];

		inv_id_format(context->id, id_text);
		message("nobody has asked invocation %s to stop", id_text);
		return EXIT_NO;
	}
	if (json) {
		json_write(cancel, true);
		putchar('\n');
	} else {
		describe_object(cancel);
	}
	json_object_put(cancel);
	return EXIT_DONE;
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {0};
	struct context context;

	options_parse(&argp, argc, argv, 0, &arguments);

	int status = context_open(globals, arguments.id, &context);

	if (status == 0 && context.inside) {
		status = tell(globals, &context, arguments.json);
	} else if (status == 0) {
		message("this runs in no invocation of table '%s'", attach_name(globals));
		status = EXIT_NO;
	}
	return status;
}

const struct command command_why = {"why", NULL, "tell why an action was asked to stop", run};
