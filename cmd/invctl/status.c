/* invctl status: broker, table, use, and problems with their remedies. */
#include <argp.h>
#include <stdio.h>

#include "common/exit_status.h"
#include "common/message.h"
#include "invctl/attach.h"
#include "invctl/command.h"
#include "invctl/describe.h"
#include "invctl/json.h"
#include "invctl/options.h"
#include "invctl/problems.h"

enum { OPTION_JSON = 256 };

static const struct argp_option options[] = {
        {"json", OPTION_JSON, NULL, 0, "As a JSON object", 0},
        {0},
};

static const char documentation[] =
        "Show the table, its broker, how full it is, and problems with what to do about each.\v"
        "Examples:\n"
        "  invctl status\n"
        "  invctl status --json | jq -r '.problems[]'\n\n"
        "Exit status: 0 all is well, 1 there are problems, 116 there is no table.";

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	bool *json = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl status");
		return 0;
	case OPTION_JSON:
		*json = true;
		return 0;
	case ARGP_KEY_ARG:
		usage_error(state,
		            "status takes no argument such as '%s'; 'invctl show' is "
		            "about one invocation",
		            value);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, NULL, documentation, NULL, NULL, NULL};

static struct json_object *json_broker(const struct inv_table_info *info)
{
	struct json_object *broker;

	if (!info->serving)
		return NULL;
	broker = json_object_new_object();
	json_object_object_add(broker, "pid", json_object_new_int64(info->broker_pid));
	json_object_object_add(broker, "version", json_text(info->broker_version));
	json_object_object_add(broker, "since", json_time(info->broker_since_ns));
	return broker;
}

static struct json_object *json_table(const struct inv_table_info *info)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "table", json_text(info->name));
	json_object_object_add(object, "broker", json_broker(info));
	json_object_object_add(object, "capacity", json_object_new_int64(info->capacity));
	json_object_object_add(object, "live", json_object_new_int64(info->live));
	json_object_object_add(object, "finished", json_object_new_int64(info->finished));
	json_object_object_add(object, "owners", json_object_new_int64(info->owners));
	json_object_object_add(object, "bytes", json_object_new_int64((int64_t)info->bytes));
	json_object_object_add(object, "hold", NULL);
	return object;
}

static void add_problem(const char *sentence, void *arg)
{
	json_object_array_add(arg, json_text(sentence));
}

static void print_text(struct json_object *object, struct json_object *problems)
{
	size_t count = json_object_array_length(problems);

	describe_object(object);
	puts(count == 0 ? "problems: none" : "problems:");
	for (size_t i = 0; i < count; i++) {
		fputs("  ", stdout);
		describe_text(json_object_get_string(json_object_array_get_idx(problems, i)));
		putchar('\n');
	}
}

static int print_status(inv_table *table, const struct inv_table_info *info, bool json)
{
	struct json_object *object = json_table(info);
	struct json_object *problems = json_object_new_array();

	problems_find(table, info, add_problem, problems);

	int status = json_object_array_length(problems) == 0 ? EXIT_DONE : EXIT_NO;

	if (json) {
		json_object_object_add(object, "problems", problems);
		json_write(object, true);
		putchar('\n');
	} else {
		print_text(object, problems);
		json_object_put(problems);
	}
	json_object_put(object);
	return status;
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct inv_table_info info;
	inv_table *table;
	bool json = false;

	options_parse(&argp, argc, argv, 0, &json);

	int error = attach_table(globals, 0, &table);

	if (error < 0)
		return attach_failure(globals, error);
	error = inv_table_info_get(table, &info);

	int status = error < 0 ? attach_failure(globals, error) : print_status(table, &info, json);

	inv_close(table);
	return status;
}

const struct command command_status = {"status", NULL, "show the table, its broker, and problems",
                                       run};
