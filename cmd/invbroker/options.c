/*
 * The broker's command line: all of it is checked before anything is done.
 */
#include "invbroker/options.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/message.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"

enum { CAPACITY_MOST = 1048576, RETAIN_DEFAULT_S = 300 };
enum {
	KEY_FOREGROUND = 'f',
	KEY_TABLE = 0x100, /* beyond what is a short option */
	KEY_CAPACITY,
	KEY_GROUP,
	KEY_MODE,
	KEY_RETAIN,
	KEY_READY_FD,
};

struct parse {
	struct options *options;
	int mode; /* 0: not given */
};

static const struct argp_option option_list[] = {
        {"foreground", KEY_FOREGROUND, NULL, 0,
         "Stay in the foreground and log to stderr, as systemd wants it", 0},
        {"table", KEY_TABLE, "NAME", 0,
         "Serve the table NAME (default: INVCTL_TABLE, else /etc/invctl/table, else invctl-UID)",
         0},
        {"capacity", KEY_CAPACITY, "COUNT", 0,
         "Make a new table for COUNT live invocations (default 16384, at most 1048576)", 0},
        {"group", KEY_GROUP, "NAME|GID", 0, "Share a new table with this group: mode 0660", 0},
        {"mode", KEY_MODE, "0600|0660", 0,
         "Mode of a new table: yours alone (the default), or shared with --group or your own group",
         0},
        {"retain", KEY_RETAIN, "DURATION", 0,
         "Keep what has ended in the table for DURATION (default 300s)", 0},
        {"ready-fd", KEY_READY_FD, "FD", 0,
         "Write \"ok\" or why not, in a line, to this descriptor once it is known", 0},
        {0},
};

static _Noreturn void usage_error(const char *format, const char *value)
{
	message(format, value);
	exit(EXIT_USAGE);
}

/* A decimal number from least to most; false where it is none. */
static bool parse_number(const char *text, unsigned long least, unsigned long most,
                         unsigned long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *number >= least && *number <= most;
}

static uint32_t parse_capacity(const char *text)
{
	unsigned long number;

	if (!parse_number(text, 1, CAPACITY_MOST, &number))
		usage_error(
		        "'%s' is no capacity; give a number of live invocations from 1 to 1048576",
		        text);
	return (uint32_t)number;
}

static gid_t parse_group(const char *text)
{
	unsigned long number;
	struct group *group = getgrnam(text);

	if (group)
		return group->gr_gid;
	/* The last one is chown's "leave it". */
	if (!parse_number(text, 0, UINT32_MAX - 1, &number))
		usage_error("there is no group '%s'; 'getent group' lists those there are", text);
	return (gid_t)number;
}

static int parse_mode(const char *text)
{
	if (strcmp(text, "0600") == 0 || strcmp(text, "600") == 0)
		return 0600;
	if (strcmp(text, "0660") == 0 || strcmp(text, "660") == 0)
		return 0660;
	usage_error("mode '%s' is not possible; a table is 0600 (yours alone) or 0660 (a group's)",
	            text);
}

static int64_t parse_retain(const char *text)
{
	int64_t retain_ns;

	if (duration_parse(text, &retain_ns) != 0)
		usage_error("'%s' is no duration; write a number with us, ms, s, m, h or d, or inf",
		            text);
	return retain_ns;
}

static int parse_ready_fd(const char *text)
{
	unsigned long number;

	if (!parse_number(text, 0, INT32_MAX, &number) || fcntl((int)number, F_GETFD) < 0)
		usage_error("'%s' is no open descriptor", text);
	return (int)number;
}

static void take_table(struct options *options, const char *name)
{
	if (strlen(name) >= sizeof(options->table) || *name == '\0')
		usage_error("'%s' is no table name; a name is 1 to 64 of A-Z a-z 0-9 . _ -", name);
	memcpy(options->table, name, strlen(name) + 1);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct options *options = parse->options;

	switch (key) {
	case KEY_FOREGROUND:
		options->foreground = true;
		return 0;
	case KEY_TABLE:
		take_table(options, arg);
		return 0;
	case KEY_CAPACITY:
		options->capacity = parse_capacity(arg);
		return 0;
	case KEY_GROUP:
		options->gid = parse_group(arg);
		options->shared = true;
		return 0;
	case KEY_MODE:
		parse->mode = parse_mode(arg);
		return 0;
	case KEY_RETAIN:
		options->retain_ns = parse_retain(arg);
		return 0;
	case KEY_READY_FD:
		options->ready_fd = parse_ready_fd(arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "it takes no argument '%s'", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "invbroker %s\n", inv_version());
}

/* What follows from the options together. */
static void complete(struct parse *parse)
{
	struct options *options = parse->options;

	if (parse->mode == 0600 && options->shared)
		usage_error("%s: a table of mode 0600 is not shared with a group",
		            "--mode=0600 and --group");
	if (parse->mode == 0660 && !options->shared) {
		options->shared = true;
		options->gid = getegid();
	}
	if (*options->table == '\0' && inv_default_table_name(options->table) != 0)
		usage_error("'%s' in INVCTL_TABLE is no table name; a name is 1 to 64 of A-Z a-z "
		            "0-9 . _ -",
		            secure_getenv("INVCTL_TABLE") ? secure_getenv("INVCTL_TABLE") : "");
}

void broker_options_parse(int argc, char **argv, struct options *options)
{
	static const struct argp argp = {
	        .options = option_list,
	        .parser = parse_option,
	        .doc = "Serve a table of invocations: make it or take over the one there is, watch "
	               "the owners, and look after what dead ones leave.\v"
	               "Without --foreground it returns once it has the table. SIGTERM stops "
	               "it; "
	               "the actions go on, and the next broker takes the table over.",
	};
	struct parse parse = {.options = options};

	*options = (struct options){.retain_ns = RETAIN_DEFAULT_S * NS_PER_SECOND, .ready_fd = -1};
	argp_program_version_hook = print_version;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &parse);
	complete(&parse);
}
