/*
 * The invocation that a command used inside an action is about: --id, else the
 * context of INVCTL_ID, which counts only in the table that it was given for.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/selector.h"
#include "invctl.h"
#include "invctl/command.h"

struct context {
	bool inside; /* false: outside any context; nothing else is set */
	inv_table *table;
	uint8_t id[16];
};

/*
 * The id of the context: 0; -ENXIO outside any; -EINVAL INVCTL_ID is no UUID.
 * Opens nothing.
 */
int context_id(const struct globals *globals, uint8_t id[16]);

/* Whether INVCTL_REQUIRE=1 makes it an error to be outside any context. */
bool context_is_required(void);

/* Say that INVCTL_ID is no UUID; returns the exit status. */
int context_unusable(void);

/*
 * Find the context, or with id_text (not NULL) the invocation that it selects,
 * and open its table, which stays so until the process ends: to detach before would only
 * take longer. 0, also outside any context unless INVCTL_REQUIRE=1 requires one;
 * or an exit status, and a message has been printed.
 */
int context_open(const struct globals *globals, const char *id_text, enum selector_names names,
                 struct context *context);

/* Say why a call on the context's invocation failed with error (-ENOENT, -ESTALE,
 * …); returns the exit status. */
int context_failure(const struct globals *globals, const struct context *context, int error);

#endif
