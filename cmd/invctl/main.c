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
#include "invctl/unknown_command.h"

static const struct command command_list = {.name = "list",
                                            .aliases = {"ls", "ps"},
                                            .purpose = "list the invocations",
                                            .helper = "invctl-view"};
static const struct command command_show = {
        .name = "show", .purpose = "show everything about one invocation", .helper = "invctl-view"};
static const struct command command_logs = {
        .name = "logs", .purpose = "show its log and kept output", .helper = "invctl-view"};
static const struct command command_status = {.name = "status",
                                              .purpose = "show the table, its broker, and problems",
                                              .helper = "invctl-view"};

static const struct command *const commands[] = {
        &command_run,     &command_cancel,   &command_pause, &command_resume, &command_list,
        &command_show,    &command_logs,     &command_wait,  &command_status, &command_hold,
        &command_release, &command_stop_all, &command_id,    &command_check,  &command_sleep,
        &command_log,     &command_shield,   &command_why,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct command_list subcommands = {.all = commands, .count = COMMAND_COUNT};

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
        "  invctl cancel --reason=leak scan      request it to stop, with all below it\n"
        "  invctl check || exit                  in its script: stop here if requested\n"
        "  invctl stop-all                       the emergency: everything\n"
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

static int run_command(const char *name, int argc, char **argv, const struct globals *globals)
{
	const struct command *command = command_find(&subcommands, name);
	static char program[] = "invctl";

	if (!command) {
		if (!word_is_reserved(name))
			extension_exec(name, argv, globals);
		return unknown_command(&subcommands, name);
	}
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
