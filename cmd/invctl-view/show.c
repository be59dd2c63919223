/* invctl show: everything about one invocation. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/level.h"
#include "common/message.h"
#include "common/options.h"
#include "common/selector.h"
#include "common/time_text.h"
#include "invctl-exit-status.h"
#include "invctl-view/commands.h"
#include "invctl-view/details.h"
#include "invctl-view/invocation_json.h"
#include "invctl-view/page.h"
#include "invctl-view/reason.h"
#include "invctl-view/terminal.h"
#include "os/process.h"
#include "supervise/waiting.h"

enum { OPTION_JSON = 256 };

/* Records shown: as many as are always kept, and as many as a screen has room for. */
enum { LOG_RECORDS_JSON = 1000, LOG_RECORDS_TEXT = 10 };

struct arguments {
	char *selector;
	bool json;
};

static const struct argp_option options[] = {
        {"json", OPTION_JSON, NULL, 0, "As a JSON object, with exact times", 0},
        {0},
};

static const char documentation[] = "Show everything about one invocation, its last log records "
                                    "included.\v" HELP_SELECTOR_FINISHED "\n\n"
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
		selector_option(state, "show", value, &arguments->selector);
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "say which invocation: a SELECTOR");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, "SELECTOR", documentation,
                                 NULL,    NULL,         NULL};

/* The last records of a log: a ring. */
struct log_tail {
	struct {
		int64_t time_ns;
		int level;
		char *text;
	} ring[LOG_RECORDS_JSON];
	size_t limit;
	size_t count; /* ever kept: the newest is at count - 1, modulo the limit */
};

static int keep_record(int64_t time_ns, int level, const char *text, void *arg)
{
	struct log_tail *tail = arg;
	size_t at = tail->count % tail->limit;
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(tail->ring[at].text);
	tail->ring[at].time_ns = time_ns;
	tail->ring[at].level = level;
	tail->ring[at].text = copy;
	tail->count++;
	return 0;
}

static size_t first_record(const struct log_tail *tail)
{
	return tail->count > tail->limit ? tail->count - tail->limit : 0;
}

static void read_log(inv_table *table, const uint8_t id[16], size_t limit, struct log_tail *tail)
{
	tail->limit = limit;
	if (inv_log_read(table, id, keep_record, tail) < 0)
		message("its log can't be read; the rest is complete");
}

static void print_json(const struct inv_info *info, const struct details *details,
                       const struct log_tail *tail)
{
	struct json json = json_begin(stdout, JSON_DEPTH_MAX);

	json_object(&json, NULL);
	json_invocation(&json, info, state_of(info, process_is_stopped(info)), details);
	json_array(&json, "log");
	for (size_t i = first_record(tail); i < tail->count; i++) {
		json_object(&json, NULL);
		json_time(&json, "time", tail->ring[i % tail->limit].time_ns);
		json_text(&json, "level", level_name(tail->ring[i % tail->limit].level));
		json_text(&json, "message", tail->ring[i % tail->limit].text);
		json_end(&json);
	}
	json_end(&json);
	json_end(&json);
}

static void print_name(const struct inv_info *info)
{
	char id_text[INV_ID_TEXT_BYTES];

	inv_id_format(info->id, id_text);
	page_line("ID", "%s", id_text);
	page_line("Name", "%s", info->name);
}

static void print_state(const struct inv_info *info)
{
	enum state state = state_of(info, process_is_stopped(info));
	const char *color = terminal_has_color() ? state_color(state) : NULL;
	char text[64];

	state_format(info, state, text, sizeof(text));
	if (color)
		printf("%-10s%s%s\033[0m%s\n", "State", color, text,
		       info->orphaned ? "; its supervisor is dead, the broker has taken over" : "");
	else
		page_line("State", "%s%s", text,
		          info->orphaned ? "; its supervisor is dead, the broker has taken over"
		                         : "");
}

static void print_ran(const struct inv_info *info)
{
	char text[DURATION_TEXT_BYTES], ago[DURATION_TEXT_BYTES];

	if (info->started_ns == 0) {
		duration_format(info->age_ns, text);
		page_line("Waits", "%s, not started", text);
		return;
	}
	duration_format(ran_ns(info), text);
	duration_format_rough(elapsed_ns(info->completed_ns, clock_realtime_ns()), ago);
	if (info->completed_ns != 0)
		page_line("Ran", "%s, ended %s ago", text, ago);
	else
		page_line("Ran", "%s so far", text);
}

static void print_progress(const struct inv_info *info)
{
	char text[DURATION_TEXT_BYTES];
	bool ended = info->completed_ns != 0;

	if (info->progress_percent >= 0)
		page_line("Progress", "%.4g%%%s%s", info->progress_percent,
		          info->progress_text[0] ? ", " : "", info->progress_text);
	duration_format_rough(
	        elapsed_ns(info->last_check_ns, ended ? info->completed_ns : clock_realtime_ns()),
	        text);
	if (info->last_check_ns == 0)
		page_line("Checked", "never");
	else
		page_line("Checked", "%s %s", text, ended ? "before its end" : "ago");
}

static void print_shield(const struct inv_info *info)
{
	char age[DURATION_TEXT_BYTES], limit[DURATION_TEXT_BYTES],
	        holder[48] = "a process in another PID namespace";
	char name[16];

	if (info->shield_pid != 0) {
		process_command(info->shield_pid, name);
		snprintf(holder, sizeof(holder), "%d %s", info->shield_pid, name);
	}
	duration_format(info->shield_age_ns, age);
	duration_format(info->shield_limit_ns, limit);
	if (info->shield_ran_out)
		page_line("Shielded", "no more: the limit of %s has run out, begun %s ago by %s",
		          limit, age, holder);
	else if (info->shield_limit_ns > 0)
		page_line("Shielded", "by %s, for %s, at most %s", holder, age, limit);
	else if (info->shield_limit_ns != 0)
		page_line("Shielded", "by %s, for %s", holder, age);
}

static void print_request(const struct inv_info *info)
{
	char actor[128], ago[DURATION_TEXT_BYTES];

	if (info->cancel.state == INV_CANCEL_NONE)
		return;
	actor_format(&info->cancel, actor, sizeof(actor));
	duration_format_rough(info->cancel.age_ns, ago);
	page_line("Request", "%s ago, %s", ago,
	          info->cancel.state == INV_CANCEL_REQUESTED
	                  ? "not delivered yet"
	                  : inv_cancel_state_name(info->cancel.state));
	page_line("  by", "%s", actor);
	page_line("  cause", "%s", inv_cause_name(info->cancel.cause));
	if (info->cancel.reason[0])
		page_line("  reason", "%s", info->cancel.reason);
}

/* One that came after the delivered request, which stopped the action. */
static void print_later(const struct inv_info *info)
{
	const char *reason = info->later.reason;
	char actor[128], ago[DURATION_TEXT_BYTES];

	if (info->later.state == INV_CANCEL_NONE)
		return;
	actor_format(&info->later, actor, sizeof(actor));
	duration_format_rough(info->later.age_ns, ago);
	page_line("Later", "%s ago, not delivered: %s%s(%s)", ago, reason, *reason ? " " : "",
	          actor);
}

static void print_end(const struct inv_info *info, const struct details *details)
{
	char text[256];

	if (info->completed_ns == 0 || info->cause == INV_CAUSE_NONE ||
	    (info->cancel.state != INV_CANCEL_NONE && info->cause == info->cancel.cause))
		return;
	page_line("Cause", "%s", inv_cause_name(info->cause));
	if (info->cause == INV_CAUSE_EXEC || info->cause == INV_CAUSE_LOST) {
		reason_format(info, details, text, sizeof(text));
		page_line("Reason", "%s", text);
	}
}

static void print_parent(inv_table *table, const struct inv_info *info)
{
	static const uint8_t none[16];
	char id_text[INV_ID_TEXT_BYTES];
	struct inv_info parent;

	if (memcmp(info->parent, none, sizeof(none)) == 0)
		return;
	inv_id_format(info->parent, id_text);
	if (inv_info_get(table, info->parent, &parent) == 0)
		page_line("Parent", "%s %.8s", parent.name, id_text);
	else
		page_line("Parent", "%s, which is gone", id_text);
}

static void print_deadline(const struct inv_info *info)
{
	char text[DURATION_TEXT_BYTES];
	int64_t left_ns = elapsed_ns(clock_realtime_ns(), info->deadline_ns);

	if (info->deadline_ns == 0 || info->completed_ns != 0)
		return;
	duration_format(left_ns, text);
	page_line("Deadline", left_ns > 0 ? "in %s" : "has passed", text);
}

static void print_finishing(const struct inv_info *info, const struct details *details)
{
	char end[END_TEXT_BYTES], waiting[WAITING_TEXT_BYTES];

	if (info->finishing) {
		waiting_format(info, &details->waiting_for, waiting);
		page_line("Waits", "%s", waiting);
	}
	if (info->finish == INV_FINISH_ENDED) {
		end_format(info->finish_exit_status, info->finish_signal, end);
		page_line("Finish", "%s", end);
	} else if (info->finish != INV_FINISH_NONE) {
		page_line("Finish", "%s", finish_state_name(info->finish));
	}
}

static void print_process(const struct inv_info *info)
{
	char user[128];

	user_format(info->uid, user, sizeof(user));
	if (info->completed_ns != 0 || (info->pid == 0 && info->owner_pid == 0))
		page_line("User", "%s", user);
	else if (info->pid == 0)
		page_line("Process", "supervised by %d of %s", info->owner_pid, user);
	else if (info->kind == INV_KIND_RUN && info->owner_pid != 0)
		page_line("Process", "%d of %s, supervised by %d", info->pid, user,
		          info->owner_pid);
	else
		page_line("Process", "%d of %s", info->pid, user);
}

static void print_details(const struct details *details)
{
	char size[SIZE_TEXT_BYTES], kept[SIZE_TEXT_BYTES];

	if (details->command && details->command[0])
		page_words("Command", details->command);
	if (details->cwd)
		page_line("Directory", "%s", details->cwd);
	if (!details->output)
		return;
	size_format(details->output_bytes, size);
	size_format(details->output_bytes - details->output_lost, kept);
	if (details->output_lost > 0)
		page_line("Output", "%s, %s, of which the last %s are kept", details->output, size,
		          kept);
	else
		page_line("Output", "%s, %s", details->output, size);
}

/* The time of day, and the day where it is not today. */
static void clock_format(int64_t time_ns, char text[32])
{
	time_t then = (time_t)(time_ns / NS_PER_SECOND), now = time(NULL);
	struct tm at = {0}, today = {0};

	localtime_r(&then, &at);
	localtime_r(&now, &today);

	bool same_day = at.tm_year == today.tm_year && at.tm_yday == today.tm_yday;

	strftime(text, 32, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &at);
}

static void print_log(const struct inv_info *info, const struct log_tail *tail)
{
	if (tail->count > 0)
		puts("Log");
	for (size_t i = first_record(tail); i < tail->count; i++) {
		char at[32];

		clock_format(tail->ring[i % tail->limit].time_ns, at);
		printf("  %s  %-7s  ", at, level_name(tail->ring[i % tail->limit].level));
		page_text(tail->ring[i % tail->limit].text);
		putchar('\n');
	}
	if (info->log_lost > 0)
		page_line("Log", "%u records could not be written", info->log_lost);
}

static void print_page(inv_table *table, const struct inv_info *info, const struct details *details,
                       const struct log_tail *tail)
{
	print_name(info);
	print_state(info);
	print_ran(info);
	print_progress(info);
	print_shield(info);
	print_request(info);
	print_later(info);
	print_end(info, details);
	print_deadline(info);
	print_parent(table, info);
	print_details(details);
	print_finishing(info, details);
	print_process(info);
	print_log(info, tail);
}

static int show(inv_table *table, const uint8_t id[16], const struct arguments *arguments)
{
	static struct log_tail tail;
	struct inv_info info;
	struct details details;

	if (inv_info_get(table, id, &info) < 0)
		return selector_unknown(arguments->selector);
	read_log(table, id, arguments->json ? LOG_RECORDS_JSON : LOG_RECORDS_TEXT, &tail);
	details_find(table, &info, &details);
	if (arguments->json)
		print_json(&info, &details, &tail);
	else
		print_page(table, &info, &details, &tail);
	details_free(&details);
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

	int status = selector_resolve(globals, table, arguments.selector, SELECTOR_FINISHED, id);

	if (status == 0)
		status = show(table, id, &arguments);
	inv_close(table);
	return status;
}

const struct command command_show = {
        .name = "show", .purpose = "show everything about one invocation", .run = run};
