/* invctl status: broker, table, use, and problems with their remedies. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/array.h"
#include "common/attach.h"
#include "common/duration.h"
#include "common/json_writer.h"
#include "common/message.h"
#include "common/options.h"
#include "common/request_json.h"
#include "common/time_text.h"
#include "invctl-exit-status.h"
#include "invctl-view/commands.h"
#include "invctl-view/page.h"
#include "invctl-view/problems.h"
#include "invctl-view/reason.h"

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

struct sentences {
	char **list;
	size_t count;
	bool failed;
};

static void add_sentence(const char *sentence, void *arg)
{
	struct sentences *problems = arg;
	char **list = array_room(problems->list, problems->count, sizeof(*list));
	char *copy = strdup(sentence);

	if (list)
		problems->list = list;
	problems->failed |= !list || !copy;
	if (problems->failed)
		free(copy);
	else
		list[problems->count++] = copy;
}

static void write_broker(struct json *json, const struct inv_table_info *info)
{
	if (!info->serving) {
		json_null(json, "broker");
		return;
	}
	json_object(json, "broker");
	json_number(json, "pid", info->broker_pid);
	json_text(json, "version", info->broker_version);
	json_time(json, "since", info->broker_since_ns);
	json_end(json);
}

static void write_hold(struct json *json, const struct inv_request *hold)
{
	if (!hold) {
		json_null(json, "hold");
		return;
	}
	json_object(json, "hold");
	json_text_or_null(json, "note", hold->reason);
	json_actor(json, hold);
	json_time(json, "since", hold->time_ns);
	json_end(json);
}

static void print_hold(const struct inv_request *hold)
{
	char since[DURATION_TEXT_BYTES], actor[256];

	if (!hold)
		return;
	actor_format(hold, actor, sizeof(actor));
	duration_format_rough(hold->age_ns, since);
	page_line("On hold", "%s%sby %s, %s ago: nothing new starts", hold->reason,
	          hold->reason[0] ? ", " : "", actor, since);
}

static void print_json(const struct inv_table_info *info, const struct inv_request *hold,
                       const struct sentences *problems)
{
	struct json json = json_begin(stdout, JSON_DEPTH_MAX);

	json_object(&json, NULL);
	json_text(&json, "table", info->name);
	write_broker(&json, info);
	json_number(&json, "capacity", info->capacity);
	json_number(&json, "live", info->live);
	json_number(&json, "finished", info->finished);
	json_number(&json, "owners", info->owners);
	json_number(&json, "bytes", (int64_t)info->bytes);
	write_hold(&json, hold);
	json_array(&json, "problems");
	for (size_t i = 0; i < problems->count; i++)
		json_text(&json, NULL, problems->list[i]);
	json_end(&json);
	json_end(&json);
}

static void print_size(const struct inv_table_info *info)
{
	char size[SIZE_TEXT_BYTES], all[SIZE_TEXT_BYTES];
	struct statvfs space;

	size_format(info->bytes, size);
	/* A file system without a limit has no blocks. */
	if (statvfs("/dev/shm", &space) < 0 || space.f_blocks == 0) {
		page_line("Memory", "%s of /dev/shm", size);
		return;
	}
	size_format((uint64_t)space.f_blocks * space.f_frsize, all);
	page_line("Memory", "%s of the %s of /dev/shm", size, all);
}

static void print_broker(const struct inv_table_info *info)
{
	char since[DURATION_TEXT_BYTES];

	if (!info->serving) {
		page_line("Broker", "none");
		return;
	}
	duration_format_rough(elapsed_ns(info->broker_since_ns, clock_realtime_ns()), since);
	page_line("Broker", "up %s, process %d, version %s", since, info->broker_pid,
	          info->broker_version);
}

static void print_page(const struct inv_table_info *info, const struct inv_request *hold,
                       const struct sentences *problems)
{
	char user[128];

	user_format(info->uid, user, sizeof(user));
	page_line("Table", "%s of %s%s", info->name, user, info->shared ? ", shared" : "");
	page_line("Use", "%u live of %u, %u finished", info->live, info->capacity, info->finished);
	print_size(info);
	print_broker(info);
	print_hold(hold);
	if (problems->count == 0)
		page_line("Problems", "none");
	else
		puts("Problems");
	for (size_t i = 0; i < problems->count; i++) {
		fputs("  ", stdout);
		page_text(problems->list[i]);
		putchar('\n');
	}
}

static int print_status(inv_table *table, const struct inv_table_info *info, bool json)
{
	struct sentences problems = {0};
	struct inv_request request, *hold = inv_hold_get(table, &request) > 0 ? &request : NULL;

	problems_find(table, info, add_sentence, &problems);
	if (problems.failed)
		message("there is not enough memory for all problems; those that are shown are "
		        "not all");
	if (json)
		print_json(info, hold, &problems);
	else
		print_page(info, hold, &problems);

	int status = problems.count > 0 || problems.failed ? EXIT_NO : EXIT_DONE;

	for (size_t i = 0; i < problems.count; i++)
		free(problems.list[i]);
	free(problems.list);
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

const struct command command_status = {
        .name = "status", .purpose = "show the table, its broker, and problems", .run = run};
