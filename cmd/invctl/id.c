/* invctl id: print the id of the current invocation. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "common/attach.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl/command.h"
#include "invctl/context.h"

static const char documentation[] =
        "Print the id of the invocation that this runs in.\v"
        "Example:\n"
        "  id=$(invctl id) || echo 'not under invctl run'\n\n"
        "Exit status: 0 printed, 1 outside any invocation (with INVCTL_REQUIRE=1: 113), 113 "
        "INVCTL_ID is no UUID.";

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl id");
		return 0;
	case ARGP_KEY_ARG:
		usage_error(state, "id takes no argument such as '%s'", value);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {NULL, parse_option, NULL, documentation, NULL, NULL, NULL};

static int run(int argc, char **argv, const struct globals *globals)
{
	uint8_t id[16];
	char id_text[INV_ID_TEXT_BYTES];

	options_parse(&argp, argc, argv, 0, NULL);

	int error = context_id(globals, id);

	if (error == -ENXIO) {
		message("this runs in no invocation of table '%s'", attach_name(globals));
		return context_is_required() ? EXIT_NO_INVOCATION : EXIT_NO;
	}
	if (error < 0)
		return context_unusable();
	inv_id_format(id, id_text);
	puts(id_text);
	return EXIT_DONE;
}

const struct command command_id = {
        .name = "id", .purpose = "print the current invocation's id", .run = run};
