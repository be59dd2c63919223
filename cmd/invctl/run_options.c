/* The command line of `invctl run`: see run_options.h. */
#include "invctl/run_options.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"
#include "supervise/kept_output.h"

enum {
	OPTION_ID = 256,
	OPTION_SIGNAL_AFTER,
	OPTION_STOP,
	OPTION_NO_KILL,
	OPTION_ID_FILE,
	OPTION_NO_PARENT,
	OPTION_PRESERVE_STATUS,
	OPTION_NESTED_WAIT,
	OPTION_FINISH,
	OPTION_FINISH_TIMEOUT,
	OPTION_COOPERATIVE,
	OPTION_SIGNAL_TO,
	OPTION_OUTPUT_LIMIT,
	OPTION_WAIT_HOLD,
};

static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, "Its name in lists (default: the command's)", 1},
        {"id", OPTION_ID, "UUID", 0, "Its id (default: a fresh one)", 1},
        {"id-file", OPTION_ID_FILE, "FILE", 0, "Write the id to FILE before COMMAND starts", 1},
        {"detach", 'd', 0, 0, "Print the id and leave it in the background; output is kept", 1},
        {"output-limit", OPTION_OUTPUT_LIMIT, "SIZE", 0,
         "Of a detached one's output keep the last SIZE bytes, with K, M or G, or inf (default: "
         "64M)",
         1},
        {"no-parent", OPTION_NO_PARENT, 0, 0, "Not nested in the invocation that this runs in", 1},
        {"preserve-status", OPTION_PRESERVE_STATUS, 0, 0,
         "Exit as COMMAND did, also after a request", 1},
        {"wait-hold", OPTION_WAIT_HOLD, NULL, 0,
         "Where a hold stands wait until it is released, instead of refusing", 1},
        {"timeout", 't', "DURATION", 0, "Request it to stop after that time; 0: never", 2},
        {"signal", 's', "SIGNAL", 0,
         "The signal for a command that does not check itself (default: TERM); none: nothing", 3},
        {"stop", OPTION_STOP, "CMD", 0, "Run the shell command CMD instead of signalling", 3},
        {"signal-to", OPTION_SIGNAL_TO, "all|command", 0,
         "Signal every process of it (all), or COMMAND alone: for a COMMAND that writes into tee, "
         "or "
         "ends what it started itself",
         3},
        {"cooperative", OPTION_COOPERATIVE, 0, 0,
         "It checks itself: no signal, not even before its first check", 3},
        {"signal-after", OPTION_SIGNAL_AFTER, "DURATION", 0,
         "Signal also a command that checks itself, that long after a request", 3},
        {"kill-after", 'k', "DURATION", 0,
         "SIGKILL all it started, that long after a request; 0: never", 3},
        {"no-kill", OPTION_NO_KILL, 0, 0, "Refuse SIGKILL by 'cancel --kill'", 3},
        {"finish", OPTION_FINISH, "CMD", 0,
         "Run the shell command CMD after the end of COMMAND, however it ended", 4},
        {"finish-timeout", OPTION_FINISH_TIMEOUT, "DURATION", 0,
         "SIGTERM to CMD after that time, SIGKILL 5 s later (default: 60s)", 4},
        {"nested-wait", OPTION_NESTED_WAIT, "DURATION", 0,
         "How long a signal waits for nested invocations to end first (default: 10s)", 3},
        {0},
};

static void parse_id(struct argp_state *state, const char *text, struct run_options *run)
{
	static const uint8_t nil[16];

	if (inv_id_parse(text, run->id) != 0 || memcmp(run->id, nil, sizeof(nil)) == 0)
		usage_error(state,
		            "--id '%s' is no UUID such as 6ba7b810-9dad-41d1-80b4-00c04fd430c8",
		            text);
	run->id_given = true;
}

static void parse_signal(struct argp_state *state, const char *text, struct run_options *run)
{
	run->signal = strcasecmp(text, "none") == 0 ? 0 : signal_option(state, "--signal", text);
	if (run->signal == SIGKILL)
		usage_error(state, "--signal can't be KILL, which leaves no time for clean-up; "
		                   "--kill-after=DURATION is its last resort");
}

static void parse_signal_to(struct argp_state *state, const char *text, struct run_options *run)
{
	run->signal_command = strcmp(text, "command") == 0;
	if (!run->signal_command && strcmp(text, "all") != 0)
		usage_error(state, "--signal-to is all or command, not '%s'", text);
}

static void parse_finish(struct argp_state *state, char *text, struct run_options *run)
{
	run->finish_command = text;
	if (*text == '\0')
		usage_error(state, "--finish needs a command; leave it out for none");
}

/* A number of bytes, perhaps with K, M or G; 0: inf. */
static int64_t parse_size(struct argp_state *state, const char *text)
{
	static const char units[] = "KMG";
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	int64_t size;

	if (strcmp(text, "inf") == 0)
		return 0;
	if (text[0] < '0' || text[0] > '9' || (*end && (!unit || end[1])) || number == 0 ||
	    __builtin_mul_overflow(number, 1ULL << (unit ? 10 * (unit - units + 1) : 0), &size))
		usage_error(state, "--output-limit '%s' is no size such as 500K, 64M, 2G, inf",
		            text);
	return size;
}

static void take_command(struct argp_state *state, struct run_options *run)
{
	run->command = state->argv + state->next - 1;
	state->next = state->argc; /* the rest is the command's */
	if (run->command[0][0] == '\0')
		usage_error(state, "COMMAND is empty");
}

/* 0 is none, as in timeout(1). */
static int64_t parse_limit(struct argp_state *state, const char *what, const char *text)
{
	int64_t ns = duration_option(state, what, text);

	return ns == 0 ? INV_FOREVER : ns;
}

static error_t parse_time(int key, char *value, struct argp_state *state, struct run_options *run)
{
	switch (key) {
	case 't':
		run->timeout_ns = parse_limit(state, "--timeout", value);
		return 0;
	case 'k':
		run->kill_after_ns = parse_limit(state, "--kill-after", value);
		return 0;
	case OPTION_SIGNAL_AFTER:
		run->signal_after_ns = duration_option(state, "--signal-after", value);
		return 0;
	case OPTION_FINISH_TIMEOUT:
		run->finish_timeout_ns = duration_option(state, "--finish-timeout", value);
		return 0;
	case OPTION_NESTED_WAIT:
		run->nested_wait_ns = duration_option(state, "--nested-wait", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_switch(int key, struct run_options *run)
{
	switch (key) {
	case 'd':
		run->detach = true;
		return 0;
	case OPTION_NO_KILL:
		run->no_kill = true;
		return 0;
	case OPTION_COOPERATIVE:
		run->cooperative = true;
		return 0;
	case OPTION_NO_PARENT:
		run->no_parent = true;
		return 0;
	case OPTION_PRESERVE_STATUS:
		run->preserve_status = true;
		return 0;
	case OPTION_WAIT_HOLD:
		run->wait_hold = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	static char name[] = "invctl run";
	struct run_options *run = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, name);
		return 0;
	case 'n':
		run->name = value;
		return 0;
	case 's':
		parse_signal(state, value, run);
		return 0;
	case OPTION_ID:
		parse_id(state, value, run);
		return 0;
	case OPTION_SIGNAL_TO:
		parse_signal_to(state, value, run);
		return 0;
	case OPTION_FINISH:
		parse_finish(state, value, run);
		return 0;
	case OPTION_STOP:
		if (value[strspn(value, " \t\n")] == '\0')
			usage_error(state, "--stop is empty; give the shell command that stops "
			                   "COMMAND, or --signal=none for nothing");
		run->stop_command = value;
		return 0;
	case OPTION_OUTPUT_LIMIT:
		run->output_limit = parse_size(state, value);
		return 0;
	case OPTION_ID_FILE:
		run->id_file = value;
		return 0;
	case ARGP_KEY_ARG:
		take_command(state, run);
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "there is no COMMAND to run");
	default:
		return parse_switch(key, run) == 0 ? 0 : parse_time(key, value, state, run);
	}
}

static const struct argp argp = {
        options,
        parse_option,
        "[--] COMMAND [ARGUMENT...]",
        "Run COMMAND as an invocation that can be requested to stop.\v"
        "Options end at COMMAND. It finds its invocation in INVCTL_ID and "
        "INVCTL_TABLE.\n\n" HELP_DURATION " SIGNAL: a name, with or without SIG, or a number.\n\n"
        "Exit status: COMMAND's; 122 cancelled, 124 by its --timeout, 137 killed, 125 invctl "
        "failed, 126 COMMAND can't be executed, 127 it is not found, 128+N signal N killed it.",
        NULL,
        NULL,
        NULL};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] != '\0' ? slash + 1 : path;
}

int run_options_parse(int argc, char **argv, struct run_options *run)
{
	*run = (struct run_options){.timeout_ns = INV_FOREVER,
	                            .signal_after_ns = INV_FOREVER,
	                            .kill_after_ns = INV_FOREVER,
	                            .nested_wait_ns = 10 * NS_PER_SECOND,
	                            .finish_timeout_ns = 60 * NS_PER_SECOND,
	                            .output_limit = KEPT_OUTPUT_LIMIT,
	                            .signal = SIGTERM};
	options_parse(&argp, argc, argv, ARGP_IN_ORDER, run);
	if (!run->name)
		run->name = base_name(run->command[0]);
	if (!run->no_kill || run->kill_after_ns < 0)
		return EXIT_DONE;
	message("--no-kill refuses SIGKILL, --kill-after=DURATION wants it; leave one of them "
	        "out");
	return EXIT_DENIED;
}

unsigned run_options_flags(const struct run_options *run)
{
	return (run->no_kill ? INV_RUN_NO_KILL : 0u) |
	       (run->stop_command ? INV_RUN_STOP_COMMAND : 0u) |
	       (run->finish_command ? INV_RUN_FINISH_COMMAND : 0u) |
	       (run->cooperative ? INV_RUN_COOPERATIVE : 0u) |
	       (run->signal_command ? INV_RUN_SIGNAL_COMMAND : 0u);
}
