/* invctl log: append to the current invocation's log. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/attach.h"
#include "common/level.h"
#include "common/message.h"
#include "common/options.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"
#include "invctl/command.h"
#include "invctl/context.h"

enum { OPTION_ID = 256 };

struct arguments {
	const char *id;
	int level;
	char **words;
	int word_count;
	int inserted_at; /* index in argv of a "--" that was not typed; 0: none */
};

static const struct argp_option options[] = {
        {"priority", 'p', "LEVEL", 0, "debug, info (default), warning or error", 0},
        {"id", OPTION_ID, "SELECTOR", 0, "Of that invocation instead of the current one", 0},
        {0},
};

static const char documentation[] =
        "Append a message to the log of the current invocation. Words are joined by a space; - "
        "alone "
        "reads lines from stdin. Options end at the first word of the message.\v"
        "Examples:\n"
        "  invctl log pumping down, target -3.2 bar\n"
        "  invctl log -p warning 'pressure is rising'\n"
        "  ./measure | invctl log -\n\n"
        "Exit status: 0 written; or, outside any invocation (INVCTL_REQUIRE=1: 113) and where it "
        "can't be stored, told on stderr; 113 the invocation of INVCTL_ID does not exist, 115 it "
        "has "
        "finished.";

static int parse_level(const struct argp_state *state, const char *text)
{
	int level = level_parse(text);

	if (level < 0)
		usage_error(state, "--priority '%s' is none of debug, info, warning, error", text);
	return level;
}

static void take_words(struct arguments *arguments, const struct argp_state *state)
{
	int first = state->next - 1;

	if (first == arguments->inserted_at)
		first++;
	arguments->words = state->argv + first;
	arguments->word_count = state->argc - first;
	/* One inserted behind the first word was never seen by getopt: close the gap. */
	if (arguments->inserted_at > first) {
		int at = arguments->inserted_at - first;

		arguments->word_count--;
		memmove(arguments->words + at, arguments->words + at + 1,
		        (size_t)(arguments->word_count - at) * sizeof(*arguments->words));
	}
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl log");
		return 0;
	case 'p':
		arguments->level = parse_level(state, value);
		return 0;
	case OPTION_ID:
		arguments->id = value;
		return 0;
	case ARGP_KEY_ARG:
		take_words(arguments, state);
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "say what to log: a MESSAGE, or - for the lines of stdin");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse_option, "MESSAGE...", documentation,
                                 NULL,    NULL,         NULL};

static bool is_negative_number(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && strchr("0123456789.", word[1]);
}

/* A copy of argv in which "--" stands before the first word like -3.2, so that it is no option. */
static char **end_options_at_number(int argc, char **argv, struct arguments *arguments)
{
	static char end_of_options[] = "--";
	char **copy = calloc((size_t)argc + 2, sizeof(*copy));
	int used = 0;

	for (int i = 0; copy && i < argc; i++) {
		if (i > 0 && arguments->inserted_at == 0 && is_negative_number(argv[i])) {
			arguments->inserted_at = used;
			copy[used++] = end_of_options;
		}
		copy[used++] = argv[i];
	}
	return copy;
}

static void write_to_stderr(const char *text)
{
	fprintf(stderr, "%s\n", text);
}

/* 0, or -ENOENT, -ESTALE: the invocation is not there. Any other failure does not lose the text. */
static int write_line(const struct context *context, int level, const char *text)
{
	static bool warned;

	if (!context->inside) {
		write_to_stderr(text);
		return 0;
	}

	int error = inv_log_text(level, text);

	if (error == 0 || error == -ENOENT || error == -ESTALE)
		return error;
	write_to_stderr(text);
	if (!warned)
		message("the log could not be written: %s; the text is above", inv_strerror(error));
	warned = true;
	return 0;
}

static int write_stdin(const struct context *context, int level)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int error = 0;

	while (error == 0 && (length = getline(&line, &room, stdin)) >= 0) {
		if (length > 0 && line[length - 1] == '\n')
			line[length - 1] = '\0';
		error = write_line(context, level, line);
	}
	free(line);
	if (error == 0 && ferror(stdin))
		error = -EIO;
	return error;
}

static int write_words(const struct context *context, const struct arguments *arguments)
{
	size_t size = 1;

	for (int i = 0; i < arguments->word_count; i++)
		size += strlen(arguments->words[i]) + 1;

	char *text = malloc(size), *end = text;

	if (!text)
		return -ENOMEM;
	*end = '\0';
	for (int i = 0; i < arguments->word_count; i++) {
		if (i > 0)
			*end++ = ' ';
		end = stpcpy(end, arguments->words[i]);
	}

	int error = write_line(context, arguments->level, text);

	free(text);
	return error;
}

/* The library logs for the current invocation: make the one that is meant that. */
static int become_current(const struct globals *globals, const struct context *context)
{
	char id_text[INV_ID_TEXT_BYTES];

	inv_id_format(context->id, id_text);
	if (setenv("INVCTL_TABLE", attach_name(globals), 1) != 0 ||
	    setenv("INVCTL_ID", id_text, 1) != 0)
		return -ENOMEM;
	inv_default_table_set(context->table);
	return 0;
}

static int log_message(const struct globals *globals, const struct context *context,
                       const struct arguments *arguments)
{
	bool from_stdin = arguments->word_count == 1 && strcmp(arguments->words[0], "-") == 0;
	int error = context->inside ? become_current(globals, context) : 0;

	if (error == 0)
		error = from_stdin ? write_stdin(context, arguments->level)
		                   : write_words(context, arguments);
	if (error == -EIO) {
		message("stdin could not be read");
		return EXIT_INTERNAL;
	}
	return error == 0 ? EXIT_DONE : context_failure(globals, context, error);
}

static int run(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {.level = LOG_INFO};
	struct context context;
	char **words = end_options_at_number(argc, argv, &arguments);

	if (!words) {
		message("there is not enough memory for the message");
		return EXIT_INTERNAL;
	}
	argc += arguments.inserted_at != 0;
	options_parse(&argp, argc, words, ARGP_IN_ORDER, &arguments);

	int status = context_open(globals, arguments.id, SELECTOR_LIVE, &context);

	if (status == 0)
		status = log_message(globals, &context, &arguments);
	free(words);
	return status;
}

const struct command command_log = {
        .name = "log", .purpose = "inside an action: append to its log", .run = run};
