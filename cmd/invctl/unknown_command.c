/*
 * A word that is no subcommand: see unknown_command.h.
 *
 * Nothing is ever done on a guess: `invctl stop scan` must not stop anything, neither by another
 * meaning of the word here nor by a program `invctl-stop` in PATH. So the words by which other
 * tools stop or remove things are reserved. Under the others a user's own program runs.
 */
#include "invctl/unknown_command.h"

#include <string.h>

#include "common/message.h"
#include "invctl-exit-status.h"

/* A word of other tools, and what there is here. Only a command that the list has is named. */
static const struct counterpart {
	const char *word;
	const char *command; /* NULL: there is none, and purpose says why */
	const char *purpose;
	bool reserved;
} counterparts[] = {
        {"stop", "cancel", "to stop an invocation", true},
        {"kill", "cancel", "to stop an invocation", true},
        {"terminate", "cancel", "to stop an invocation", true},
        {"abort", "cancel", "to stop an invocation", true},
        {"interrupt", "cancel", "to stop an invocation", true},
        {"signal", "cancel", "to signal an invocation, with --signal", true},
        {"quit", "cancel", "to stop an invocation", true},
        {"halt", "stop-all", "to stop everything", true},
        {"killall", "stop-all", "to stop everything", true},
        {"estop", "stop-all", "to stop everything", true},
        {"suspend", "pause", "to pause an invocation", true},
        {"freeze", "pause", "to pause an invocation", true},
        {"unpause", "resume", "to let a paused one go on", false},
        {"continue", "resume", "to let a paused one go on", false},
        {"thaw", "resume", "to let a paused one go on", false},
        {"unhold", "release", "to end a hold", false},
        {"start", "run", "to start one", false},
        {"exec", "run", "to start one", false},
        {"submit", "run", "to start one in the background, with --detach", false},
        {"add", "run", "to start one in the background, with --detach", false},
        {"restart", "run", "nothing is restarted: to start it anew", false},
        {"jobs", "list", "to see what runs", false},
        {"inspect", "show", "to see everything about one", false},
        {"info", "show", "to see everything about one", false},
        {"attach", "logs", "to follow its output, with --follow", false},
        {"tail", "logs", "to follow its output, with --follow", false},
        {"follow", "logs", "to follow its output, with --follow", false},
        {"watch", "monitor", "to see each change as it happens", false},
        {"events", "monitor", "to see each change as it happens", false},
        {"version", NULL, "'invctl --version' prints it", false},
        {"rm", NULL, "finished ones go by themselves", true},
        {"remove", NULL, "finished ones go by themselves", true},
        {"delete", NULL, "finished ones go by themselves", true},
        {"prune", NULL, "finished ones go by themselves", true},
};

static const struct counterpart *find_counterpart(const char *name)
{
	for (size_t i = 0; i < sizeof(counterparts) / sizeof(counterparts[0]); i++)
		if (strcmp(name, counterparts[i].word) == 0)
			return &counterparts[i];
	return NULL;
}

const struct command *command_find(const struct command_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(name, list->all[i]->name) == 0)
			return list->all[i];
		for (size_t j = 0; j < COMMAND_ALIASES && list->all[i]->aliases[j]; j++)
			if (strcmp(name, list->all[i]->aliases[j]) == 0)
				return list->all[i];
	}
	return NULL;
}

bool word_is_reserved(const char *name)
{
	const struct counterpart *counterpart = find_counterpart(name);

	return counterpart && counterpart->reserved;
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
static const char *nearest_command(const struct command_list *list, const char *name)
{
	static const char help[] = "help"; /* main.c has it beside the list */
	const char *nearest = NULL;
	int least = NEAR + 1;

	for (size_t i = 0; strlen(name) < WORD_LENGTH && i <= list->count; i++) {
		const char *command = i < list->count ? list->all[i]->name : help;
		int distance = edit_distance(name, command);

		if (distance < least && distance < (int)strlen(command) - 1) {
			least = distance;
			nearest = command;
		}
	}
	return nearest;
}

int unknown_command(const struct command_list *list, const char *name)
{
	const struct counterpart *counterpart = find_counterpart(name);
	const char *nearest = nearest_command(list, name);

	if (counterpart && !counterpart->command)
		message("'%s' is no command of invctl: %s", name, counterpart->purpose);
	else if (counterpart && command_find(list, counterpart->command))
		message("'%s' is no command of invctl: %s, 'invctl %s'", name, counterpart->purpose,
		        counterpart->command);
	else if (nearest)
		message("'%s' is no command of invctl; did you mean 'invctl %s'? 'invctl --help' "
		        "lists them",
		        name, nearest);
	else
		message("'%s' is no command of invctl; 'invctl --help' lists them", name);
	return EXIT_USAGE;
}
