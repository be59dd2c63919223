/* The life of a slot: see slot.c for the protocol. */
#ifndef SLOT_H
#define SLOT_H

#include "table/table.h"

enum {
	CONTROL_STATE_BITS = 3,
	CONTROL_OWNER_BITS = 21, /* CAPACITY_MAX and OWNERS_SPARE need them */
	CONTROL_TAG_BITS = 8,
	CONTROL_ADOPTIONS_BITS = 2,
	CONTROL_GENERATION_BITS = 30,
	CONTROL_OWNER_SHIFT = CONTROL_STATE_BITS,
	CONTROL_TAG_SHIFT = CONTROL_OWNER_SHIFT + CONTROL_OWNER_BITS,
	CONTROL_ADOPTIONS_SHIFT = CONTROL_TAG_SHIFT + CONTROL_TAG_BITS,
	CONTROL_GENERATION_SHIFT = CONTROL_ADOPTIONS_SHIFT + CONTROL_ADOPTIONS_BITS,
};
#define CONTROL_GENERATION_MAX ((UINT32_C(1) << CONTROL_GENERATION_BITS) - 1)

static inline enum slot_state control_state(uint64_t word)
{
	return (enum slot_state)(word & ((1u << CONTROL_STATE_BITS) - 1));
}

static inline uint32_t control_owner(uint64_t word)
{
	return (uint32_t)(word >> CONTROL_OWNER_SHIFT) & ((1u << CONTROL_OWNER_BITS) - 1);
}

static inline uint32_t control_tag(uint64_t word)
{
	return (uint32_t)(word >> CONTROL_TAG_SHIFT) & ((1u << CONTROL_TAG_BITS) - 1);
}

static inline uint32_t control_generation(uint64_t word)
{
	return (uint32_t)(word >> CONTROL_GENERATION_SHIFT);
}

static inline uint64_t control_word(uint32_t generation, uint32_t tag, uint32_t owner,
                                    enum slot_state state)
{
	return (uint64_t)generation << CONTROL_GENERATION_SHIFT |
	       (uint64_t)tag << CONTROL_TAG_SHIFT | (uint64_t)owner << CONTROL_OWNER_SHIFT |
	       (uint64_t)state;
}

/* How an invocation ended: fits the owner field of a control word, so that the
 * end and its outcome are one transition. The bit above it is the history's. */
#define CONTROL_IN_HISTORY (UINT64_C(1) << (CONTROL_OWNER_SHIFT + 16))
struct outcome {
	unsigned status; /* enum inv_status: completed, cancelled or error; 2 bits */
	unsigned cause;  /* enum inv_cause; 4 bits */
	bool killed;     /* by --kill or kill-after */
	bool by_signal;  /* code is a signal, not an exit status */
	unsigned code;   /* 8 bits */
};

uint32_t outcome_pack(const struct outcome *outcome);
struct outcome outcome_unpack(uint32_t packed);

/* What is written into a slot before it is published. */
struct registration {
	const uint8_t *id;
	const uint8_t *parent;      /* NULL: none */
	struct slot_ref parent_ref; /* where the parent is, if parent_known */
	bool parent_known;
	uint64_t flags; /* kind and the rest; SLOT_PENDING */
	const char *name;
	int64_t requested_ns;
	int64_t started_ns; /* 0: pending */
	int64_t deadline_monotonic_ns;
	uint64_t after_ms;
};

/* Register an id, owned by table->owner. 0; -EEXIST; -ENOSPC; -ESTALE this
 * process was taken for dead. */
int slot_register(inv_table *table, const struct registration *registration, struct slot_ref *ref);

/* Where an id is, live or done. *word is its control word. 0 or -ENOENT. */
int slot_find(const inv_table *table, const uint8_t id[16], struct slot_ref *ref, uint64_t *word);

/* Is that the id in the slot? The caller knows the generation by which it was there. */
bool slot_has_id(const inv_table *table, uint32_t index, const uint8_t id[16]);

/* LIVE -> DONE with that outcome; closes the event and wakes who waits. false: it was not
 * LIVE as word said, and nothing is done. */
bool slot_finish(inv_table *table, struct slot_ref ref, uint64_t word,
                 const struct outcome *outcome);

/* LIVE or DONE -> FREE, with the next generation; wakes who waits. */
bool slot_release(inv_table *table, uint32_t index, uint64_t word);

/* CLAIMED, PUBLISHING or ABORTED -> FREE. */
bool slot_withdraw(inv_table *table, uint32_t index, uint64_t word);

/* LIVE stays LIVE, with another owner. */
bool slot_adopt(inv_table *table, uint32_t index, uint64_t word, uint32_t owner);

/* The control word of a registration, or 0 where it is over. */
uint64_t slot_word(const inv_table *table, struct slot_ref ref);

/* The slot that it is nested in, which may be over. false: none. */
bool slot_parent(const inv_table *table, struct slot_ref ref, struct slot_ref *parent);

/* The process of a command, as a slot stores it: | start time 40 | pid 24 |; 0: none. */
uint64_t action_word(pid_t pid, uint64_t start);
pid_t action_pid(uint64_t word);
uint64_t action_start(uint64_t word);

static inline bool slot_visible(uint64_t word)
{
	return control_state(word) == SLOT_LIVE || control_state(word) == SLOT_DONE;
}

static inline struct slot_ref slot_ref_of(uint32_t index, uint64_t word)
{
	return (struct slot_ref){.index = index, .generation = control_generation(word)};
}

#endif
