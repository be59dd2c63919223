/* Invocations as handles of the process that owns them. */
#ifndef RUN_H
#define RUN_H

#include "api/handle.h"
#include "invctl-supervisor.h"
#include "table/slot.h"

struct inv_invocation {
	inv_table *table;
	struct slot_ref ref;
	inv_event *event;
	inv_context *context;  /* of inv_invocation_begin; else NULL */
	uint32_t request_seen; /* the request that was last seen, and when */
	int64_t request_seen_ns;
};

/* Take over an invocation whose owner is dead; word is its control word as judged.
 * NULL: another process was faster, or no memory. */
inv_invocation *run_adopt(inv_table *table, uint32_t index, uint64_t word);

/* Its slot. */
static inline struct slot *run_slot(const inv_invocation *invocation)
{
	return &invocation->table->slots[invocation->ref.index];
}

/* The slot is still this supervisor's: its control word, or 0. */
static inline uint64_t run_owned_word(const inv_invocation *invocation)
{
	const inv_table *table = invocation->table;
	uint64_t word;

	if (atomic_load(&invocation->event->disowned))
		return 0;
	word = slot_word(table, invocation->ref);
	return control_state(word) == SLOT_LIVE && control_owner(word) == table->owner ? word : 0;
}

/* As `run` shows it (run_end.c). */
struct inv_run_outcome run_outcome(const struct outcome *outcome);

#endif
