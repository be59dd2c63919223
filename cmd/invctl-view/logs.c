/* invctl logs: the log records and the kept output of one invocation, in order. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/level.h"
#include "common/message.h"
#include "common/options.h"
#include "common/selector.h"
#include "common/time_text.h"
#include "common/transcript.h"
#include "common/user.h"
#include "invctl-exit-status.h"
#include "invctl-view/commands.h"
#include "invctl-view/follow.h"
#include "invctl-view/log_lines.h"
#include "invctl-view/reason.h"

enum { OPTION_JSON = 256, OPTION_SINCE };

struct arguments {
	char *selector;
	bool follow;
	struct log_lines lines;
};

static const struct argp_option options[] = {
        {"follow", 'f', NULL, 0, "Go on until the invocation has ended", 0},
        {"lines", 'n', "NUMBER", 0, "The last NUMBER lines of what is there", 0},
        {"priority", 'p', "LEVEL", 0,
         "Records of that level (debug, info, warning, error) and more severe ones; output is info",
         0},
        {"since", OPTION_SINCE, "TIME", 0, "Not what is older: a DURATION or a time of day", 0},
        {"json", OPTION_JSON, NULL, 0, "A JSON object for each line", 0},
        {0},
};

static const char documentation[] =
        "Show the log records of an invocation and, of one that was run with --detach, its output, "
        "in the order in which they happened; also after its end.\v" HELP_SELECTOR_FINISHED
        "\n" HELP_DURATION " TIME: that long ago; or 2026-11-24, '2026-11-24 09:30', 09:30:12.\n\n"
        "Examples:\n"
        "  invctl logs -f scan\n"
        "  invctl logs -p warning --since=1h 3f2a\n\n"
        "Exit status: 0, 113 no such invocation, 114 ambiguous, 118 another user's.";

static size_t parse_count(const struct argp_state *state, const char *text)
{
	char *end;
	unsigned long long count = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end)
		usage_error(state, "--lines '%s' is no number", text);
	return count < SIZE_MAX ? (size_t)count : SIZE_MAX;
}

static int64_t parse_since(const struct argp_state *state, const char *text)
{
	int64_t ns;

	if (duration_parse(text, &ns) == 0)
		return ns == INV_FOREVER ? INT64_MIN : clock_realtime_ns() - ns;
	if (time_parse(text, &ns) != 0)
		usage_error(state,
		            "--since '%s' is no duration such as 10m, and no time such as "
		            "'2026-11-24 09:30' or 09:30",
		            text);
	return ns;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	static char name[] = "invctl logs";
	struct arguments *arguments = state->input;
	struct log_lines *lines = &arguments->lines;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, name);
		return 0;
	case 'f':
		arguments->follow = true;
		return 0;
	case 'n':
		lines->last = parse_count(state, value);
		return 0;
	case 'p':
		lines->priority = level_parse(value);
		if (lines->priority < 0)
			usage_error(state, "--priority '%s' is none of debug, info, warning, error",
			            value);
		return 0;
	case OPTION_SINCE:
		lines->since_ns = parse_since(state, value);
		return 0;
	case OPTION_JSON:
		lines->json = true;
		return 0;
	case ARGP_KEY_ARG:
		selector_option(state, "logs", value, &arguments->selector);
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "say which invocation: a SELECTOR");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, "SELECTOR", documentation,
                                 NULL,    NULL,         NULL};

static int read_failure(const char *id_text, int error)
{
	message("the log and output of %s can't be read in the state directory: %s", id_text,
	        strerror(-error));
	return EXIT_INTERNAL;
}

/* Print what there is. *any: there was something. 0; -errno. */
static int print_all(struct transcript *transcript, struct log_lines *lines, bool *any)
{
	struct transcript_piece piece;
	int result;

	while ((result = transcript_next(transcript, &piece)) == 1) {
		*any = true;
		result = log_lines_add(lines, &piece);
		if (result < 0)
			return result;
	}
	return result;
}

/* follow: NULL where nothing more is waited for. */
static int print_until_end(struct transcript *transcript, struct arguments *arguments,
                           struct follow *follow, const struct inv_info *info)
{
	bool any = false, explained = !info || info->kind != INV_KIND_RUN || info->log_lost > 0;

	for (;;) {
		bool last = !follow || follow_arm(follow);
		int error = print_all(transcript, &arguments->lines, &any);

		if (error == 0)
			error = log_lines_pause(&arguments->lines, last);
		if (error < 0)
			return error;
		if (!any && !explained && !transcript_has_output(transcript))
			message("'%s' has logged nothing so far, and its output is not kept; 'run "
			        "--detach' keeps it",
			        info->name);
		explained = true;
		if (last || ferror(stdout) || !follow_wait(follow))
			return 0;
	}
}

static void report_lost_records(inv_table *table, const uint8_t id[16])
{
	struct inv_info info;

	if (table && inv_info_get(table, id, &info) == 0 && info.log_lost > 0)
		message("%u log records of '%s' could not be written, and are lost; see 'df' for "
		        "its state directory",
		        info.log_lost, info.name);
}

/* info: NULL where it has left the table. */
static int show_logs(const char *table_name, inv_table *table, const uint8_t id[16],
                     const struct inv_info *info, struct arguments *arguments)
{
	static struct follow follow; /* its thread may outlive this call */
	char id_text[INV_ID_TEXT_BYTES];
	struct transcript *transcript;
	int error = transcript_open(table_name, id, &transcript);

	inv_id_format(id, id_text);
	if (error < 0)
		return read_failure(id_text, error);
	if (arguments->follow)
		follow_begin(&follow, info && info->completed_ns == 0 ? table : NULL, table_name,
		             id);
	error = print_until_end(transcript, arguments, arguments->follow ? &follow : NULL, info);
	transcript_close(transcript);
	if (error < 0)
		return read_failure(id_text, error);
	report_lost_records(info ? table : NULL, id);
	return EXIT_DONE;
}

/* Files of others are for them alone; where theirs are, only their environment says for sure. */
static int refuse_other_user(const char *table_name, const uint8_t id[16],
                             const struct inv_info *info)
{
	const struct passwd *owner = user_lookup(info->uid);
	char id_text[INV_ID_TEXT_BYTES], user[128];

	user_format(info->uid, user, sizeof(user));
	inv_id_format(id, id_text);
	message("'%s' belongs to %s, who alone can read its log and output: "
	        "%s/.local/state/invctl/%s/%s.log and .out, or where that user's "
	        "INVCTL_STATE_DIR says",
	        info->name, user, owner ? owner->pw_dir : "~", table_name, id_text);
	return EXIT_DENIED;
}

/* Files stay after the table has forgotten an id. */
static bool has_left_files(const char *table_name, const uint8_t id[16])
{
	struct transcript *transcript;
	struct transcript_piece piece;

	if (transcript_open(table_name, id, &transcript) < 0)
		return false;

	bool any = transcript_has_output(transcript) || transcript_next(transcript, &piece) == 1;

	transcript_close(transcript);
	return any;
}

/* open_error: of the table, which is NULL then. */
static int find_and_show(const struct globals *globals, inv_table *table, int open_error,
                         struct arguments *arguments)
{
	const char *table_name = attach_name(globals);
	struct inv_info info;
	uint8_t id[16];
	bool is_id = inv_id_parse(arguments->selector, id) == 0;

	if (is_id && (!table || inv_info_get(table, id, &info) == -ENOENT) &&
	    has_left_files(table_name, id))
		return show_logs(table_name, table, id, NULL, arguments);

	if (open_error < 0 && open_error != -ENOENT)
		return attach_failure(globals, open_error);

	int status = selector_resolve(globals, table, arguments->selector, SELECTOR_FINISHED, id);

	if (status != 0)
		return status;
	if (inv_info_get(table, id, &info) < 0)
		return selector_unknown(arguments->selector);
	if (info.uid != geteuid())
		return refuse_other_user(table_name, id, &info);
	return show_logs(table_name, table, id, &info, arguments);
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {.lines = {.priority = LOG_DEBUG,
	                                        .since_ns = INT64_MIN,
	                                        .last = SIZE_MAX,
	                                        .terminal = isatty(STDOUT_FILENO)}};
	inv_table *table = NULL;

	options_parse(&argp, argc, argv, 0, &arguments);

	int error = attach_table(globals, 0, &table);
	int status = find_and_show(globals, table, error, &arguments);

	/* A thread may wait in it. */
	if (!arguments.follow)
		inv_close(table);
	return status;
}

const struct command command_logs = {
        .name = "logs", .purpose = "show its log and kept output", .run = run};
