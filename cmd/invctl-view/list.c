/* invctl list: the invocations of a table. */
#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/attach.h"
#include "common/escape.h"
#include "common/hold_text.h"
#include "common/message.h"
#include "common/options.h"
#include "common/selector.h"
#include "invctl-exit-status.h"
#include "invctl-view/columns.h"
#include "invctl-view/commands.h"
#include "invctl-view/details.h"
#include "invctl-view/invocation_json.h"
#include "invctl-view/list_other_version.h"
#include "invctl-view/listing.h"
#include "invctl-view/terminal.h"

enum { OPTION_TREE = 256, OPTION_FULL, OPTION_STATUS, OPTION_NAME, OPTION_JSON };

enum { STATUS_COUNT = INV_RUNNING + 1 };

struct arguments {
	bool all;
	bool quiet;
	bool full;
	bool tree;
	bool json;
	bool no_headings;
	bool by_state; /* --status was given: of these, and of those states */
	bool status[STATUS_COUNT];
	bool state[STATE_COUNT];
	const char *name_glob;
	char **names;
	int name_count;
	bool chosen;            /* --output was given */
	struct columns columns; /* none: the usual ones, and more */
	struct columns more;
};

static const struct argp_option options[] = {
        {"all", 'a', NULL, 0, "Also those that have finished and are still kept", 0},
        {"quiet", 'q', NULL, 0, "Ids only", 0},
        {"full", OPTION_FULL, NULL, 0, "Whole ids on a terminal, too, and no text is cut", 0},
        {"tree", OPTION_TREE, NULL, 0, "Each followed by those that it started", 0},
        {"status", OPTION_STATUS, "STATUS[,STATUS]", 0,
         "Only these: pending, running, completed, cancelled, error, or a state", 0},
        {"name", OPTION_NAME, "GLOB", 0, "Only those with such a name", 0},
        {"output", 'o', "COLUMNS", 0, "These columns, separated by commas; +COLUMNS adds some", 0},
        {"noheadings", 'n', NULL, 0, "No line of headings, and no summary", 0},
        {"json", OPTION_JSON, NULL, 0, "A JSON array of everything about each", 0},
        {0},
};

static const char documentation[] =
        "List the live invocations, or those with such names (shell patterns are taken).\v"
        "States: running; requested (to stop); overdue (requested over 10 s ago, and not "
        "delivered); stopping (delivered); paused; stopped (by a signal); shielded; finishing; "
        "pending. Of finished ones: done, cancelled, failed, lost. On a terminal ids are "
        "shortened; each that is shown can be used as a SELECTOR.\n\n"
        "Examples:\n"
        "  invctl list --tree\n"
        "  invctl list --all --status=failed\n"
        "  invctl list -n -o uuid,reason 'scan-*'\n"
        "  invctl list --json | jq -r '.[] | select(.cooperative | not) | .id'\n\n"
        "Exit status: 0, also where there is nothing, or no table; 116 the table can't be "
        "opened.\n\n"
        "Columns:\n";

/* A word may be a status and a state, as "running": the status means more. */
static bool choose_state(struct arguments *arguments, const char *word)
{
	for (int i = 0; i < STATUS_COUNT; i++)
		if (strcmp(word, inv_status_name(i)) == 0)
			return arguments->status[i] = true;
	for (int i = 0; i < STATE_COUNT; i++)
		if (strcmp(word, state_name((enum state)i)) == 0)
			return arguments->state[i] = true;
	return false;
}

static void parse_status(struct arguments *arguments, char *words, const struct argp_state *state)
{
	arguments->by_state = true;
	for (char *word = strsep(&words, ","); word; word = strsep(&words, ","))
		if (!choose_state(arguments, word))
			usage_error(state,
			            "--status '%s' is no status (pending, running, completed, "
			            "cancelled, error) and no state (requested, stopping, overdue, "
			            "paused, stopped, shielded, finishing, done, failed, lost)",
			            word);
}

static void parse_output(struct arguments *arguments, char *names, const struct argp_state *state)
{
	bool add_to_usual = names[0] == '+' && arguments->columns.count == 0;
	struct columns *columns = add_to_usual ? &arguments->more : &arguments->columns;
	const char *refused = columns_parse(names, columns);

	arguments->chosen = true;

	if (refused && columns->count == COLUMNS_MAX)
		usage_error(state, "--output '%s' is one column more than %d", refused,
		            COLUMNS_MAX);
	if (refused)
		usage_error(state, "--output '%s' is no column", refused);
}

/* Those for finished ones, where such may be among them. */
static void choose_columns(struct arguments *arguments)
{
	char id[] = "id";
	bool finished = arguments->all;

	if (arguments->columns.count > 0)
		return;
	for (int i = 0; i < STATUS_COUNT; i++)
		finished |= arguments->status[i] && i != INV_PENDING && i != INV_RUNNING;
	for (int i = STATE_DONE; i < STATE_COUNT; i++)
		finished |= arguments->state[i];
	columns_usual(&arguments->columns, finished);
	if (arguments->quiet)
		columns_parse(id, &arguments->columns);
	columns_add(&arguments->columns, &arguments->more);
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl list");
		return 0;
	case 'a':
		arguments->all = true;
		return 0;
	case 'q':
		arguments->quiet = true;
		return 0;
	case OPTION_FULL:
		arguments->full = true;
		return 0;
	case OPTION_TREE:
		arguments->tree = true;
		return 0;
	case OPTION_STATUS:
		parse_status(arguments, value, state);
		return 0;
	case OPTION_NAME:
		arguments->name_glob = value;
		return 0;
	case 'o':
		parse_output(arguments, value, state);
		return 0;
	case 'n':
		arguments->no_headings = true;
		return 0;
	case OPTION_JSON:
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->names = state->argv + state->next;
		arguments->name_count = state->argc - state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		choose_columns(arguments);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The columns, behind the text that ends with their heading. */
static char *help_filter(int key, const char *text, void *input)
{
	char *all = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC || !(out = open_memstream(&all, &size)))
		return (char *)text;
	fputs(text, out);
	columns_help(out);
	fclose(out);
	return all;
}

static const struct argp argp = {options, parse_option, "[NAME...]", documentation,
                                 NULL,    help_filter,  NULL};

static bool has_wanted_name(const struct arguments *arguments, const char *name)
{
	bool found = arguments->name_count == 0;

	for (int i = 0; i < arguments->name_count && !found; i++)
		found = selector_is_name(arguments->names[i], name) ||
		        fnmatch(arguments->names[i], name, 0) == 0;
	return found && (!arguments->name_glob || fnmatch(arguments->name_glob, name, 0) == 0);
}

static bool is_wanted(const struct listing_row *row, const void *arg)
{
	const struct arguments *arguments = arg;
	int status = row->info.status;

	if (!has_wanted_name(arguments, row->info.name))
		return false;
	if (arguments->by_state)
		return arguments->state[row->state] ||
		       (status >= 0 && status < STATUS_COUNT && arguments->status[status]);
	return arguments->all || row->info.completed_ns == 0;
}

/* One invocation a line: to be read by programs, and by grep. */
static void print_json(inv_table *table, const struct listing *listing)
{
	struct json json = json_begin(stdout, 1);

	json_array(&json, NULL);
	for (size_t i = 0; i < listing->count; i++) {
		const struct listing_row *row = &listing->rows[i];
		struct details details;

		details_find(table, &row->info, &details);
		json_object(&json, NULL);
		json_invocation(&json, &row->info, row->state, &details);
		json_end(&json);
		details_free(&details);
	}
	json_end(&json);
}

/* "4 live: 1 stopping, 1 overdue" */
static void print_summary(const struct listing *listing)
{
	size_t live = 0, in_state[STATE_COUNT] = {0};
	const char *before = ": ";

	for (size_t i = 0; i < listing->count; i++) {
		live += listing->rows[i].state < STATE_DONE;
		in_state[listing->rows[i].state]++;
	}
	if (live == 0 && listing->count > 0)
		return;
	printf("%zu live", live);
	for (int i = 0; i < STATE_DONE; i++) {
		if (i == STATE_RUNNING || in_state[i] == 0)
			continue;
		printf("%s%zu %s", before, in_state[i], state_name((enum state)i));
		before = ", ";
	}
	putchar('\n');
}

/* Beside the summary: for people. */
static void print_hold(inv_table *table)
{
	char text[HOLD_TEXT_BYTES], escaped[ESCAPED_BYTES(HOLD_TEXT_BYTES)];
	struct inv_request hold;

	if (inv_hold_get(table, &hold) <= 0)
		return;
	hold_describe(&hold, text);
	escape_text(text, escaped, sizeof(escaped));
	printf("on hold, so nothing new starts: %s\n", escaped);
}

static int print_text(inv_table *table, const struct listing *listing,
                      const struct arguments *arguments)
{
	int width = terminal_width();
	bool headings = !arguments->no_headings && !arguments->quiet;
	const struct columns_style style = {
	        .headings = headings,
	        .color = terminal_has_color(),
	        .short_ids = width > 0 && !arguments->full,
	        .blank = width > 0,
	        .all_columns = arguments->chosen,
	        .width = arguments->full ? 0 : width,
	};
	int error = columns_print(table, listing, &arguments->columns, &style);

	if (error == 0 && width > 0 && headings) {
		print_summary(listing);
		if (table)
			print_hold(table);
	}
	return error;
}

static int print_listing(inv_table *table, const struct arguments *arguments)
{
	struct listing listing;
	int error = listing_collect(table, arguments->by_state || arguments->json, is_wanted,
	                            arguments, &listing);

	if (error == 0 && arguments->tree)
		error = listing_order_as_tree(&listing);
	if (error == 0 && arguments->json)
		print_json(table, &listing);
	else if (error == 0)
		error = print_text(table, &listing, arguments);
	free(listing.rows);
	if (error < 0)
		message("the invocations can't be listed: %s", inv_strerror(error));
	return error < 0 ? EXIT_INTERNAL : EXIT_DONE;
}

static int run(int argc, char **argv, const struct globals *globals)
{
	static struct arguments arguments;
	inv_table *table = NULL;

	options_parse(&argp, argc, argv, 0, &arguments);

	int error = attach_table(globals, 0, &table);

	if (error == -EPROTO)
		return list_other_version(globals, arguments.json);
	if (error < 0 && error != -ENOENT)
		return attach_failure(globals, error);

	int status = print_listing(table, &arguments);

	inv_close(table);
	return status;
}

const struct command command_list = {.name = "list", .purpose = "list the invocations", .run = run};
