/* Invocations as handles of the process that owns them. */
#ifndef RUN_H
#define RUN_H

#include "api/event.h"
#include "invctl-supervisor.h"

enum {
	ACTION_START_SHIFT = 24,
	RUN_NS_PER_MS = 1000000,
	RUN_SIGNUM_MASK = 0x7f,
	RUN_SIGNUM_MAX = 64
};
#define ACTION_PID_MASK UINT64_C(0xffffff)

struct inv_invocation {
	inv_table *table;
	struct slot_ref ref;
	inv_event *event;
	inv_context *context;  /* of inv_invocation_begin; else NULL */
	uint32_t request_seen; /* the request that was last seen, and when */
	int64_t request_seen_ns;
};

/* Its slot. */
struct slot *run_slot(const inv_invocation *invocation);

/* The slot is still this supervisor's: its control word, or 0. */
uint64_t run_owned_word(const inv_invocation *invocation);

/* Take over an invocation whose owner is dead; word is its control word as judged.
 * NULL: somebody was quicker, or no memory. */
inv_invocation *run_adopt(inv_table *table, uint32_t index, uint64_t word);

#endif
