/* invctl show: everything about one invocation. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/exit_status.h"
#include "common/message.h"
#include "invctl/attach.h"
#include "invctl/command.h"
#include "invctl/describe.h"
#include "invctl/details.h"
#include "invctl/json.h"
#include "invctl/level.h"
#include "invctl/log_tail.h"
#include "invctl/options.h"
#include "invctl/selector.h"

enum { OPTION_JSON = 256 };

/* Records shown: as many as are always kept, and as many as a screen has room for. */
enum { LOG_RECORDS_JSON = 1000, LOG_RECORDS_TEXT = 10 };

struct arguments {
	char *selector;
	bool json;
};

static const struct argp_option options[] = {
        {"json", OPTION_JSON, NULL, 0, "As a JSON object", 0},
        {0},
};

static const char documentation[] =
        "Show everything about one invocation, its last log records included.\v" HELP_SELECTOR
        "\n\n"
        "Examples:\n"
        "  invctl show scan\n"
        "  invctl show --json 3f2a | jq .cancel.reason\n\n"
        "Exit status: 0, 113 no such invocation, 114 ambiguous.";

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl show");
		return 0;
	case OPTION_JSON:
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->selector)
			usage_error(state, "show takes one SELECTOR, and '%s' is one more", value);
		arguments->selector = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "say which invocation: a SELECTOR");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, "SELECTOR", documentation,
                                 NULL,    NULL,         NULL};

static struct json_object *json_log(const struct log_tail *tail)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < tail->count; i++) {
		const struct log_record *record = log_tail_at(tail, i);
		struct json_object *object = json_object_new_object();

		json_object_object_add(object, "time", json_time(record->time_ns));
		json_object_object_add(object, "level",
		                       json_object_new_string(level_name(record->level)));
		json_object_object_add(object, "message", json_text(record->text));
		json_object_array_add(array, object);
	}
	return array;
}

static void print_json(struct json_object *object, const struct log_tail *tail)
{
	json_object_object_add(object, "log", json_log(tail));
	json_write(object, true);
	putchar('\n');
}

static int show(inv_table *table, const uint8_t id[16], const struct arguments *arguments)
{
	struct inv_info info;
	struct details details;
	struct log_tail tail;

	if (inv_info_get(table, id, &info) < 0)
		return selector_unknown(arguments->selector);
	if (log_tail_read(table, id, arguments->json ? LOG_RECORDS_JSON : LOG_RECORDS_TEXT, &tail) <
	    0)
		message("its log can't be read; the rest is complete");
	details_find(table, &info, &details);

	struct json_object *object = json_invocation(&info, &details);

	if (arguments->json) {
		print_json(object, &tail);
	} else {
		describe_object(object);
		describe_log(&tail);
	}
	json_object_put(object);
	details_free(&details);
	log_tail_free(&tail);
	return EXIT_DONE;
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {0};
	inv_table *table = NULL;
	uint8_t id[16];

	options_parse(&argp, argc, argv, 0, &arguments);

	int error = attach_table(globals, 0, &table);

	if (error < 0 && error != -ENOENT)
		return attach_failure(globals, error);

	int status = selector_resolve(globals, table, arguments.selector, id);

	if (status == 0)
		status = show(table, id, &arguments);
	inv_close(table);
	return status;
}

const struct command command_show = {"show", NULL, "show everything about one invocation", run};
