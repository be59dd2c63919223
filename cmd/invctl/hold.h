/* What stop-all shares with hold. */
#ifndef HOLD_COMMAND_H
#define HOLD_COMMAND_H

#include "invctl-supervisor.h"
#include "os/clock.h"

enum { TABLE_WORDS_BYTES = 192 };

/* Wait until until_ns (monotonic) for the broker, which is started where there is none, to have
 * stored the hold of the table as it is; else say what a restart of the machine would undo, and
 * why. */
void hold_have_stored(inv_table *table, const char *what, int64_t until_ns);

/* "table 'lab'", and where it is another user's "table 'lab' of anna". */
void hold_name_table(const char *name, uint32_t uid, char text[TABLE_WORDS_BYTES]);

/* How long that takes at most, where the broker can. */
#define HOLD_STORED_PATIENCE_NS (2 * NS_PER_SECOND)

#endif
