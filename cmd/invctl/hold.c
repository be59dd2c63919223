/* invctl hold, invctl release: an operator's stop sign on a table, put up and taken down. */
#include "invctl/hold.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/attach.h"
#include "common/duration.h"
#include "common/hold_text.h"
#include "common/message.h"
#include "common/options.h"
#include "common/user.h"
#include "invctl-exit-status.h"
#include "invctl/actor.h"
#include "invctl/command.h"
#include "os/process.h"
#include "os/state_directory.h"

enum { OPTION_CANCEL_ALL = 256, TRIES = 3, TURN_NS = 200000000 };

struct arguments {
	const char *note; /* NULL: none */
	bool cancel_all;
};

static const struct argp_option hold_options[] = {
        {"cancel-all", OPTION_CANCEL_ALL, NULL, 0, "And request all that runs to stop", 0},
        {0},
};

static error_t parse_hold(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options_begin(state, "invctl hold");
		return 0;
	case OPTION_CANCEL_ALL:
		arguments->cancel_all = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->note)
			usage_error(state,
			            "a hold has one NOTE, and '%s' is a second: put it in quotes",
			            value);
		arguments->note = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp hold_argp = {
        hold_options,
        parse_hold,
        "[NOTE]",
        "Put the table on hold: nothing new starts, until 'invctl release'.\v"
        "What runs goes on, and what it starts in turn still starts. The hold says who put it up, "
        "when, and why; it survives the broker and a restart of the machine. Another user's hold "
        "stays as it is; a NOTE replaces that of your own.\n\n"
        "Examples:\n"
        "  invctl hold 'the laser is being aligned'\n"
        "  invctl hold --cancel-all 'gas alarm'    and request all that runs to stop\n"
        "  invctl stop-all                         the emergency: every table, and waits\n\n"
        "Exit status: 0 the hold stands, 116 there is no table, and none could be made; 118 not "
        "yours.",
        NULL,
        NULL,
        NULL};

static error_t parse_release(int key, char *value, struct argp_state *state)
{
	if (key == ARGP_KEY_INIT)
		options_begin(state, "invctl release");
	else if (key == ARGP_KEY_ARG)
		usage_error(state,
		            "release takes no argument such as '%s'; it is about a whole table",
		            value);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp release_argp = {
        NULL,
        parse_release,
        NULL,
        "Release the hold of the table: what is new may start.\v"
        "Where there is no hold, nothing is done.\n\n"
        "Examples:\n"
        "  invctl release\n"
        "  invctl --table=lab release\n\n"
        "Exit status: 0 no hold stands, 116 the table can't be opened, 118 not yours.",
        NULL,
        NULL,
        NULL};

void hold_name_table(const char *name, uint32_t uid, char text[TABLE_WORDS_BYTES])
{
	const char *user = user_name(uid);

	if (uid == geteuid())
		snprintf(text, TABLE_WORDS_BYTES, "table '%s'", name);
	else if (user)
		snprintf(text, TABLE_WORDS_BYTES, "table '%s' of %.64s", name, user);
	else
		snprintf(text, TABLE_WORDS_BYTES, "table '%s' of user %u", name, uid);
}

/* Its words; true: it is another user's. */
static bool name_opened(inv_table *table, char words[TABLE_WORDS_BYTES])
{
	struct inv_table_info info = {.uid = geteuid()};

	inv_table_info_get(table, &info);
	hold_name_table(inv_table_name(table), info.uid, words);
	return info.uid != geteuid();
}

static int64_t patience_end_ns(void)
{
	return clock_monotonic_ns() + HOLD_STORED_PATIENCE_NS;
}

static int64_t time_left_ns(int64_t until_ns)
{
	int64_t left_ns = until_ns - clock_monotonic_ns();

	return left_ns > 0 ? left_ns : 0;
}

/* Why the broker has not stored it; with a remedy. */
static void explain_not_stored(inv_table *table, const char *what)
{
	struct inv_table_info info = {0};
	const char *name = inv_table_name(table);
	char words[TABLE_WORDS_BYTES];

	inv_table_info_get(table, &info);
	if (!info.serving && name_opened(table, words))
		message("no broker serves %s, so a restart of this machine would undo %s; the next "
		        "'invctl run' of that user starts one, which stores it",
		        words, what);
	else if (!info.serving)
		message("no broker serves table '%s', so a restart of this machine would undo %s; "
		        "'invbroker --table=%s' stores it",
		        name, what, name);
	else if (process_state(info.broker_pid) == 'T')
		message("the broker of table '%s' is stopped, so a restart of this machine would "
		        "undo "
		        "%s; 'kill -CONT %d' lets the broker store it",
		        name, what, info.broker_pid);
	else
		message("the broker of table '%s' (process %d) can't store it, so a restart of "
		        "this "
		        "machine would undo %s; see that its state directory has room and can be "
		        "written to",
		        name, info.broker_pid, what);
}

void hold_have_stored(inv_table *table, const char *what, int64_t until_ns)
{
	int error = inv_hold_await_stored(table, 0);
	int64_t left_ns = 1;

	/* The broker may die meanwhile: the next one stores it. */
	while (error && left_ns > 0) {
		inv_table_have_broker(table);
		left_ns = time_left_ns(until_ns);
		error = inv_hold_await_stored(table, left_ns < TURN_NS ? left_ns : TURN_NS);
	}
	if (error)
		explain_not_stored(table, what);
}

/* 0, or as inv_hold. An operator's own note is replaced, another's is kept. */
static int put_up(inv_table *table, const char *note)
{
	char text[HOLD_TEXT_BYTES], words[TABLE_WORDS_BYTES];
	struct inv_request hold;
	bool others = name_opened(table, words);

	if (inv_hold_get(table, &hold) <= 0 || (note && hold.uid == geteuid())) {
		int error = inv_hold(table, note);

		if (!error && others)
			message("%s is on hold", words);
		return error;
	}
	hold_describe(&hold, text);
	message("%s is on hold already: %s; that hold stays as it is", words, text);
	return 0;
}

static int hold(int argc, char **argv, const struct globals *globals)
{
	struct arguments arguments = {0};
	inv_table *table = NULL;
	int error = -ESTALE;

	options_parse(&hold_argp, argc, argv, 0, &arguments);
	actor_find();
	/* Its broker may end, and remove the table, before the hold is in it. */
	for (int i = 0; i < TRIES && error == -ESTALE; i++) {
		inv_close(table);
		table = NULL;
		error = attach_table(globals, INV_OPEN_AUTOSTART, &table);
		if (!error)
			error = put_up(table, arguments.note);
	}
	if (!error && arguments.cancel_all)
		error = inv_cancel_everything(table, arguments.note, NULL, NULL);
	if (error)
		return attach_failure(globals, error);
	hold_have_stored(table, "the hold", patience_end_ns());
	inv_close(table);
	return EXIT_DONE;
}

/* After a restart of the machine the hold is in the copy alone: the broker that makes the table
 * puts it up there. */
static int attach_held(const struct globals *globals, inv_table **table)
{
	int error = attach_table(globals, 0, table);

	if (error != -ENOENT || !state_file_exists(attach_name(globals), STATE_HOLD))
		return error;
	return attach_table(globals, INV_OPEN_AUTOSTART, table);
}

static int release(int argc, char **argv, const struct globals *globals)
{
	char text[HOLD_TEXT_BYTES], words[TABLE_WORDS_BYTES];
	struct inv_request hold;
	inv_table *table;

	options_parse(&release_argp, argc, argv, 0, NULL);
	int error = attach_held(globals, &table);
	if (error == -ENOENT && !state_file_exists(attach_name(globals), STATE_HOLD)) {
		message("table '%s' is not on hold: there is no such table", attach_name(globals));
		return EXIT_DONE;
	}
	if (error)
		return attach_failure(globals, error);
	name_opened(table, words);
	if (inv_hold_get(table, &hold) > 0) {
		hold_describe(&hold, text);
		inv_release(table);
		message("released %s, which was on hold: %s", words, text);
	} else {
		message("%s is not on hold", words);
	}
	hold_have_stored(table, "the release", patience_end_ns());
	inv_close(table);
	return EXIT_DONE;
}

const struct command command_hold = {
        .name = "hold", .purpose = "let nothing new start", .run = hold};
const struct command command_release = {
        .name = "release", .purpose = "let new ones start again", .run = release};
