/* invctl: the options before the subcommand, and the list of subcommands. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"
#include "common/options.h"
#include "common/standard_files.h"
#include "invctl-exit-status.h"
#include "invctl.h"
#include "invctl/command.h"
#include "invctl/helper.h"

static const struct command command_list = {.name = "list",
                                            .aliases = {"ls", "ps"},
                                            .purpose = "list the invocations",
                                            .helper = "invctl-view"};
static const struct command command_show = {
        .name = "show", .purpose = "show everything about one invocation", .helper = "invctl-view"};
static const struct command command_status = {.name = "status",
                                              .purpose = "show the table, its broker, and problems",
                                              .helper = "invctl-view"};

static const struct command *const commands[] = {
        &command_run,   &command_cancel, &command_list, &command_show,
        &command_wait,  &command_status, &command_id,   &command_check,
        &command_sleep, &command_log,    &command_why,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const char before_commands[] =
        "Stop laboratory actions cleanly, by the id of their invocation.\v"
        "Commands:\n";

static const char after_commands[] =
        "\n"
        "  help [COMMAND]        the same as COMMAND --help\n"
        "\n"
        "Examples:\n"
        "  invctl run --name=scan -- ./scan.py   run what can be stopped\n"
        "  invctl list                           what runs\n"
        "  invctl cancel --reason=leak scan      ask it to stop, with all below it\n"
        "  invctl check || exit                  in its script: stop here if asked\n"
        "\n" HELP_SELECTOR "\n" HELP_DURATION "\n"
        "\n"
        "Exit status: 0 done, 1 no, 2 usage, 113 no such invocation, 114 ambiguous, "
        "115 already finished, 116 no table or broker, 117 table full, 118 denied or on "
        "hold, 119 my own wait timed out, 122 cancelled, 124 deadline, 125 invctl failed "
        "or lost, 126 and 127 not run, 137 killed, 128+n killed by signal n.\n"
        "\n"
        "It is software for stopping work cleanly, not a safety interlock. See invctl(1).";

enum { OPTION_TABLE = 256 };

static const struct argp_option options[] = {
        {"table", OPTION_TABLE, "NAME", 0,
         "The table to use (default: INVCTL_TABLE, else the one in "
         "/etc/invctl/table, else invctl-UID)",
         0},
        {0},
};

struct arguments {
	struct globals globals;
	int command_at; /* index in argv of the subcommand; 0: none */
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
		for (size_t j = 0; j < COMMAND_ALIASES && commands[i]->aliases[j]; j++)
			if (strcmp(name, commands[i]->aliases[j]) == 0)
				return commands[i];
	}
	return NULL;
}

/* The text behind the options: a line per subcommand, from the same list that runs them. */
static char *help_filter(int key, const char *text, void *input)
{
	char *all = NULL;
	size_t size;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;

	FILE *out = open_memstream(&all, &size);

	if (!out)
		return (char *)text;
	fputs(text, out);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char names[64];
		int used = snprintf(names, sizeof(names), "%s", commands[i]->name);

		for (size_t j = 0; j < COMMAND_ALIASES && commands[i]->aliases[j]; j++)
			used += snprintf(names + used, sizeof(names) - (size_t)used, ", %s",
			                 commands[i]->aliases[j]);
		fprintf(out, "  %-20s  %s\n", names, commands[i]->purpose);
	}
	fputs(after_commands, out);
	fclose(out);
	return all;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPTION_TABLE:
		arguments->globals.table = value;
		return 0;
	case ARGP_KEY_ARG:
		arguments->command_at = state->next - 1;
		state->next = state->argc; /* the rest is the subcommand's */
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
        options, parse_option, "COMMAND [ARGUMENT...]", before_commands, NULL, help_filter, NULL};

/* What other tools call it, and what there is here. */
static const struct {
	const char *word;
	const char *answer;
} words_of_others[] = {
        {"stop", "to stop an invocation, 'invctl cancel'"},
        {"kill", "to stop an invocation, 'invctl cancel'; 'cancel --kill' sends SIGKILL"},
        {"terminate", "to stop an invocation, 'invctl cancel'"},
        {"inspect", "to see one, 'invctl show'"},
        {"start", "to start one, 'invctl run'"},
        {"exec", "to start one, 'invctl run'"},
        {"rm", "finished ones go by themselves"},
        {"remove", "finished ones go by themselves"},
};

static const char *counterpart(const char *name)
{
	for (size_t i = 0; i < sizeof(words_of_others) / sizeof(words_of_others[0]); i++)
		if (strcmp(name, words_of_others[i].word) == 0)
			return words_of_others[i].answer;
	return NULL;
}

enum { WORD_LENGTH = 32, NEAR = 2 };

static int smallest(int a, int b, int c)
{
	int smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Letters to change, add, leave out or swap with their neighbour until one word is the other.
 * Both are shorter than WORD_LENGTH. */
static int edit_distance(const char *a, const char *b)
{
	int costs[WORD_LENGTH + 1][WORD_LENGTH + 1];
	size_t rows = strlen(a), columns = strlen(b);

	for (size_t i = 0; i <= rows; i++)
		for (size_t j = 0; j <= columns; j++) {
			if (i == 0 || j == 0) {
				costs[i][j] = (int)(i + j);
				continue;
			}
			costs[i][j] = smallest(costs[i - 1][j] + 1, costs[i][j - 1] + 1,
			                       costs[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    costs[i - 2][j - 2] + 1 < costs[i][j])
				costs[i][j] = costs[i - 2][j - 2] + 1;
		}
	return costs[rows][columns];
}

/* The command that is at most two letters away, and not all other letters; NULL: none. */
static const char *nearest_command(const char *name)
{
	const char *nearest = NULL;
	int least = NEAR + 1;

	for (size_t i = 0; strlen(name) < WORD_LENGTH && i < COMMAND_COUNT; i++) {
		int distance = edit_distance(name, commands[i]->name);

		if (distance < least && distance < (int)strlen(commands[i]->name) - 1) {
			least = distance;
			nearest = commands[i]->name;
		}
	}
	return nearest;
}

/* A user's own `invctl-NAME` comes last, so that a word of other tools always means the same. */
static int unknown_command(const char *name, char **argv, const struct globals *globals)
{
	const char *answer = counterpart(name);
	const char *nearest = nearest_command(name);

	if (!answer)
		extension_exec(name, argv, globals);
	if (answer)
		message("'%s' is no command of invctl: %s", name, answer);
	else if (nearest)
		message("'%s' is no command of invctl; did you mean 'invctl %s'? 'invctl --help' "
		        "lists them",
		        name, nearest);
	else
		message("'%s' is no command of invctl; 'invctl --help' lists them", name);
	return EXIT_USAGE;
}

static int run_command(const char *name, int argc, char **argv, const struct globals *globals)
{
	const struct command *command = find_command(name);
	static char program[] = "invctl";

	if (!command)
		return unknown_command(name, argv, globals);
	argv[0] = program; /* what getopt puts before its messages */
	if (command->run)
		return command->run(argc, argv, globals);
	return helper_exec(command->helper, command->name, argc, argv, globals);
}

/* `invctl help [COMMAND]` */
static int help(int argc, char **argv, const struct globals *globals)
{
	static char option[] = "--help";
	char *help_argv[] = {argv[0], option, NULL};

	if (argc > 1)
		return run_command(argv[1], 2, help_argv, globals);
	argp_help(&argp, stdout, ARGP_HELP_STD_HELP & ~(unsigned)ARGP_HELP_EXIT_OK, "invctl");
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	static char program[] = "invctl";

	standard_files_open();
	standard_files_check_at_exit();
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "invctl " INV_VERSION;
	if (argc > 0)
		argv[0] = program;
	options_parse(&argp, argc, argv, ARGP_IN_ORDER, &arguments);
	if (arguments.command_at == 0) {
		argp_help(&argp, stderr, ARGP_HELP_STD_HELP & ~(unsigned)ARGP_HELP_EXIT_OK,
		          program);
		return EXIT_USAGE;
	}

	argc -= arguments.command_at;
	argv += arguments.command_at;
	if (strcmp(argv[0], "help") == 0)
		return help(argc, argv, &arguments.globals);
	return run_command(argv[0], argc, argv, &arguments.globals);
}
