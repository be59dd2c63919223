/*
 * Has a variable of the environment changed? Where it stood is kept, so that a hot
 * path needs two loads instead of a secure_getenv(3). A changed environment differs there:
 * setenv(3), putenv(3) and unsetenv(3) move the array or an entry, or put another one there.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct variable_place {
	char **variables;
	char **place;
	char *variable; /* NULL: it was not set */
};

/* Where the variable stands now. name ends with "=". */
static inline struct variable_place variable_place_of(const char *name)
{
	struct variable_place found = {.variables = environ, .place = environ};

	if (!environ)
		return found;
	while (*found.place && strncmp(*found.place, name, strlen(name)) != 0)
		found.place++;
	found.variable = *found.place;
	return found;
}

static inline bool variable_unchanged(const struct variable_place *kept)
{
	return environ == kept->variables && environ && *kept->place == kept->variable;
}

#endif
