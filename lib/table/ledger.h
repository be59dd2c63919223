/* What a process owns in a shared table, as only its own user can have written it:
 * see ledger.c. */
#ifndef LEDGER_H
#define LEDGER_H

#include <sys/types.h>

#include "table/table.h"

/* This process has registered what is in that slot, or has ended it. Where the ledger can't be
 * kept, nobody can signal this process through the table, which is all. Under table->lock. */
void ledger_enter(inv_table *table, uint32_t index, const uint8_t id[16], const uint8_t *parent);
void ledger_strike(inv_table *table, uint32_t index);

/* This process owns nothing in the table any more. */
void ledger_close(inv_table *table);

struct ledger_entry {
	uint8_t id[16];
	uint8_t parent[16]; /* zeros: none */
};

/* What the ledger of that process has for that slot. false: nothing, or it has none that
 * the caller may read. */
bool ledger_read(const inv_table *table, pid_t pid, uint32_t index, struct ledger_entry *entry);

#endif
