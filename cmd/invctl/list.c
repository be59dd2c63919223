/* invctl list: the invocations of a table. */
#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/exit_status.h"
#include "common/message.h"
#include "invctl/attach.h"
#include "invctl/columns.h"
#include "invctl/command.h"
#include "invctl/details.h"
#include "invctl/json.h"
#include "invctl/listing.h"
#include "invctl/options.h"

enum { OPTION_TREE = 256, OPTION_STATUS, OPTION_NAME, OPTION_JSON };

enum { STATUS_COUNT = INV_RUNNING + 1 };

struct arguments {
	bool all;
	bool tree;
	bool json;
	bool no_headings;
	bool by_status;
	bool status[STATUS_COUNT];
	const char *name_glob;
	struct columns columns;
};

static const struct argp_option options[] = {
        {"all", 'a', NULL, 0, "Also those that have finished and are still kept", 0},
        {"tree", OPTION_TREE, NULL, 0, "Each followed by those that it started", 0},
        {"status", OPTION_STATUS, "STATUS[,STATUS]", 0,
         "Only these: pending, running, completed, cancelled, error", 0},
        {"name", OPTION_NAME, "GLOB", 0, "Only those with such a name", 0},
        {"output", 'o', "COLUMNS", 0, "These columns, separated by commas; +COLUMNS adds some", 0},
        {"noheadings", 'n', NULL, 0, "No line of headings", 0},
        {"json", OPTION_JSON, NULL, 0, "A JSON array of everything about each", 0},
        {0},
};

static const char documentation[] =
        "List the live invocations: id, name, state, progress, age, last look.\v"
        "State: running; asked (to stop); overdue (asked over 10 s ago, and not delivered); "
        "shielded, paused, finishing; pending. On a terminal ids are shortened; each that is shown "
        "can be used as a SELECTOR.\n\n"
        "Examples:\n"
        "  invctl list\n"
        "  invctl list --all --status=error\n"
        "  invctl list -n -o uuid,reason --name='scan-*'\n"
        "  invctl list --json | jq -r '.[] | select(.cooperative | not) | .id'\n\n"
        "Exit status: 0, also where there is nothing, or no table; 116 the table can't be "
        "opened.\n\n"
        "Columns:\n";

static int status_number(const char *word)
{
	for (int i = 0; i < STATUS_COUNT; i++)
		if (strcmp(word, inv_status_name(i)) == 0)
			return i;
	return -1;
}

static void parse_status(struct arguments *arguments, char *words, const struct argp_state *state)
{
	arguments->by_status = true;
	for (char *word = strsep(&words, ","); word; word = strsep(&words, ",")) {
		int number = status_number(word);

		if (number < 0)
			usage_error(state,
			            "--status '%s' is none of pending, running, completed, "
			            "cancelled, error",
			            word);
		arguments->status[number] = true;
	}
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	const char *unknown;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl list");
		return 0;
	case 'a':
		arguments->all = true;
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
		unknown = columns_parse(value, &arguments->columns);
		if (unknown)
			usage_error(state, "--output '%s' is no column, or one too many", unknown);
		return 0;
	case 'n':
		arguments->no_headings = true;
		return 0;
	case OPTION_JSON:
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		usage_error(state,
		            "list takes no argument such as '%s'; --name chooses some, "
		            "'invctl show' is about one",
		            value);
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

static const struct argp argp = {options, parse_option, NULL, documentation,
                                 NULL,    help_filter,  NULL};

static bool is_wanted(const struct inv_info *info, const void *arg)
{
	const struct arguments *arguments = arg;

	if (arguments->name_glob && fnmatch(arguments->name_glob, info->name, 0) != 0)
		return false;
	if (arguments->by_status)
		return info->status >= 0 && info->status < STATUS_COUNT &&
		       arguments->status[info->status];
	return arguments->all || info->completed_ns == 0;
}

/* The rows of a JSON list, in full. */
static int keep_info(const struct inv_info *info, void *arg, size_t *content)
{
	struct growing *infos = arg;
	struct inv_info *kept = growing_room(infos, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = *info;
	*content = infos->used;
	infos->used += sizeof(*kept);
	return 0;
}

/* One invocation a line: to be read by programs, and by grep. */
static void print_json(inv_table *table, const struct listing *listing, const struct growing *infos)
{
	for (size_t i = 0; i < listing->count; i++) {
		const struct inv_info *info =
		        (const void *)(infos->bytes + listing->rows[i].content);
		struct details details;

		details_find(table, info, &details);

		struct json_object *object = json_invocation(info, &details);

		fputs(i == 0 ? "[\n" : ",\n", stdout);
		json_write(object, false);
		json_object_put(object);
		details_free(&details);
	}
	fputs(listing->count == 0 ? "[]\n" : "\n]\n", stdout);
}

static int print_listing(inv_table *table, const struct arguments *arguments)
{
	/* Not given back before the process ends, which takes it all at once: to do it here would
	 * only take longer. */
	static struct columns_cells cells;
	static struct growing infos;
	static struct listing listing;
	struct listing_wish wish = {
	        .keep = is_wanted,
	        .keep_arg = arguments,
	        .make = arguments->json ? keep_info : columns_make,
	        .make_arg = arguments->json ? (void *)&infos : (void *)&cells,
	        .short_ids = !arguments->json && isatty(STDOUT_FILENO),
	};

	cells.columns = &arguments->columns;
	cells.table = table;

	int error = listing_collect(table, &wish, &listing);

	if (error == 0 && arguments->tree)
		error = listing_order_as_tree(&listing);
	if (error < 0)
		message("the invocations can't be listed: %s", inv_strerror(error));
	else if (arguments->json)
		print_json(table, &listing, &infos);
	else
		columns_print(&cells, &listing, !arguments->no_headings);
	return error < 0 ? EXIT_INTERNAL : EXIT_DONE;
}

static int run(int argc, char **argv, const struct globals *globals)
{
	static struct arguments arguments;
	inv_table *table = NULL;

	columns_default(&arguments.columns);
	options_parse(&argp, argc, argv, 0, &arguments);

	int error = attach_table(globals, 0, &table);

	if (error < 0 && error != -ENOENT)
		return attach_failure(globals, error);

	/* The table stays attached until the process ends: to detach before would only take longer.
	 */
	return print_listing(table, &arguments);
}

const struct command command_list = {"list", "ls", "list the invocations", run};
