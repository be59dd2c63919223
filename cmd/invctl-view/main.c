/*
 * invctl-view: what shows, as a program of its own, for the libraries that this needs. It is
 * executed by invctl, which hands on its version, --table, and the subcommand's words.
 */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "common/helper_version.h"
#include "common/message.h"
#include "common/options.h"
#include "common/standard_files.h"
#include "common/user.h"
#include "invctl-exit-status.h"
#include "invctl-view/commands.h"

static const struct command *const commands[] = {&command_list, &command_logs, &command_show,
                                                 &command_status};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

enum { OPTION_TABLE = 256, OPTION_VERSION };

static const struct argp_option options[] = {
        {"table", OPTION_TABLE, "NAME", 0, "The table to use", 0},
        {HELPER_VERSION_OPTION, OPTION_VERSION, "VERSION", OPTION_HIDDEN, NULL, 0},
        {0},
};

struct arguments {
	struct globals globals;
	int command_at; /* index in argv of the subcommand; 0: none */
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPTION_TABLE:
		arguments->globals.table = value;
		return 0;
	case OPTION_VERSION:
		helper_version_check("invctl-view", value);
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
        options,
        parse_option,
        "list|logs|show|status [ARGUMENT...]",
        "Show invocations. It is a part of invctl, which executes it: call 'invctl list', "
        "'invctl logs', 'invctl show' and 'invctl status'.",
        NULL,
        NULL,
        NULL};

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	static char program[] = "invctl";

	standard_files_open();
	standard_files_check_at_exit();
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "invctl " INV_VERSION;
	user_lookup = getpwuid;
	options_parse(&argp, argc, argv, ARGP_IN_ORDER, &arguments);
	argc -= arguments.command_at;
	argv += arguments.command_at;
	for (size_t i = 0; arguments.command_at > 0 && i < COMMAND_COUNT; i++) {
		if (strcmp(argv[0], commands[i]->name) != 0)
			continue;
		argv[0] = program; /* what getopt puts before its messages */
		return commands[i]->run(argc, argv, &arguments.globals);
	}
	message("invctl-view is a part of invctl: call 'invctl list', 'invctl logs', "
	        "'invctl show' or 'invctl status'");
	return EXIT_USAGE;
}
