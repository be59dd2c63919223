/* A word that is no subcommand: what to say about it. */
#ifndef UNKNOWN_COMMAND_H
#define UNKNOWN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/command.h"

/* The subcommands of this program. */
struct command_list {
	const struct command *const *all;
	size_t count;
};

const struct command *command_find(const struct command_list *list, const char *name);

/* In other tools the word stops or removes something: no program of the user's runs under it. */
bool word_is_reserved(const char *name);

/* Say what the word may have meant. Returns EXIT_USAGE. */
int unknown_command(const struct command_list *list, const char *name);

#endif
