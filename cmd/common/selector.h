/* One SELECTOR: a UUID, the exact name of one live invocation, a unique prefix of an id. */
#ifndef SELECTOR_H
#define SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/command.h"
#include "invctl.h"

/* Where no live one has the name, what it means. */
enum selector_names {
	SELECTOR_LIVE,     /* none */
	SELECTOR_FINISHED, /* the newest finished one of that name */
};

/* A NULL table has no invocations. 0; or the exit status (EXIT_NO_INVOCATION,
 * EXIT_AMBIGUOUS), and a message has been printed. */
int selector_resolve(const struct globals *globals, inv_table *table, const char *text,
                     enum selector_names names, uint8_t id[16]);

/* Whether text is that name, of which a table may have kept the beginning only. */
bool selector_is_name(const char *text, const char *name);

/* Say that there is no such invocation (any more); returns EXIT_NO_INVOCATION. */
int selector_unknown(const char *text);

#endif
