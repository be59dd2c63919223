/*
 * The protocol of a slot's life. Exactly this file writes control words.
 *
 *   control word: | generation 30 | adoptions 2 | tag 8 | owner 21 | state 3 |
 *
 * Every transition is one compare-and-swap of the whole word:
 *
 *   1. FREE(g) -> CLAIMED(g + 1)   by a registrar, with its owner index and the id's
 *                                  tag. Then it writes id, payload and event word.
 *   2. CLAIMED -> PUBLISHING       by the same: the id can now be read.
 *      It scans the id's buckets (index.h) for the same id. One that is live or done, or is being
 *      published at a lower index: it withdraws (FREE) and answers -EEXIST. One that is
 *      being published at a higher index it aborts (PUBLISHING -> ABORTED).
 *   3. PUBLISHING -> LIVE          by the same, unless a rival has aborted it.
 *   4. LIVE -> DONE                the outcome takes the place of the owner. By the owner
 *                                  once, or by a sweeper when the owner is dead.
 *      LIVE -> LIVE                with another owner: the broker takes over. adoptions + 1.
 *      LIVE -> FREE                of an event or context, which leave no record.
 *   5. CLAIMED, PUBLISHING, ABORTED -> FREE   by the registrar, or by a sweeper when
 *                                  it is dead.
 *   6. DONE -> FREE                after the retention time, or under pressure, the oldest
 *                                  of its buckets first.
 *
 * Exactly one registration of an id wins: of two that publish, each scans after it
 * is PUBLISHING, so at least one sees the other (sequentially consistent); the one
 * at the lower index aborts the other, the one at the higher index withdraws.
 * Should the lower one die before it is LIVE, neither is: the higher has answered
 * -EEXIST for an id that is free again once the dead one is swept.
 *
 * A SIGKILL of the owner between any two steps leaves one of the states above, with
 * a dead owner: the sweep (sweep.c) frees what was not LIVE and finishes what was.
 * Between LIVE -> DONE and the wake: waiters check again at the end of their slice.
 *
 * The generation is counted up when a slot is claimed, and skips 0; adoptions, when it
 * is taken over. A word never returns to a former value (before 2^30 registrations of
 * one slot, or four brokers killed in turn), so that a late compare-and-swap of a stalled
 * process fails. A handle that is kept longer is refused by its id (api/handle.c).
 *
 * Who writes the payload: id, parent, name, requested time and options: the
 * registrar, before PUBLISHING. started, completed, action, finish: the owner. last check,
 * escalation, request, progress, shield: any process, each by a word that carries the generation,
 * or (shield) by a protocol of its own. Readers read the control word, the payload, and the word
 * again.
 */
#include "table/slot.h"

#include <errno.h>
#include <string.h>

#include "os/clock.h"
#include "table/event_word.h"
#include "table/index.h"
#include "table/text.h"

enum { SETTLE_READS_MAX = 100000 };
enum { STATUS_BITS = 2, CAUSE_BITS = 4, CODE_BITS = 8 };
enum { ACTION_PID_BITS = 24, ACTION_PID_MASK = (1 << ACTION_PID_BITS) - 1 };

uint32_t outcome_pack(const struct outcome *outcome)
{
	uint32_t packed = outcome->status & ((1u << STATUS_BITS) - 1);

	packed |= (outcome->cause & ((1u << CAUSE_BITS) - 1)) << STATUS_BITS;
	packed |= (uint32_t)outcome->killed << (STATUS_BITS + CAUSE_BITS);
	packed |= (uint32_t)outcome->by_signal << (STATUS_BITS + CAUSE_BITS + 1);
	packed |= (outcome->code & ((1u << CODE_BITS) - 1)) << (STATUS_BITS + CAUSE_BITS + 2);
	return packed;
}

struct outcome outcome_unpack(uint32_t packed)
{
	return (struct outcome){
	        .status = packed & ((1u << STATUS_BITS) - 1),
	        .cause = packed >> STATUS_BITS & ((1u << CAUSE_BITS) - 1),
	        .killed = packed >> (STATUS_BITS + CAUSE_BITS) & 1,
	        .by_signal = packed >> (STATUS_BITS + CAUSE_BITS + 1) & 1,
	        .code = packed >> (STATUS_BITS + CAUSE_BITS + 2) & ((1u << CODE_BITS) - 1),
	};
}

static bool swap(inv_table *table, uint32_t index, uint64_t seen, uint64_t next)
{
	return atomic_compare_exchange_strong(&table->control[index], &seen, next);
}

static uint64_t with_state(uint64_t word, enum slot_state state)
{
	return (word & ~UINT64_C(7)) | (uint64_t)state;
}

bool slot_has_id(const inv_table *table, uint32_t index, const uint8_t id[16])
{
	uint64_t wanted[2];

	memcpy(wanted, id, sizeof(wanted));
	return index_same_id(table, index, wanted);
}

int slot_find(const inv_table *table, const uint8_t id[16], struct slot_ref *ref, uint64_t *word)
{
	struct search search;
	uint64_t wanted[2];

	memcpy(wanted, id, sizeof(wanted));
	index_search(table, id, index_levels(table), &search);
	do {
		const struct bucket *bucket = &search.bucket;
		for (uint32_t i = 0; i < bucket->width; i++) {
			uint32_t index = bucket->first + i;
			uint64_t seen =
			        atomic_load_explicit(&table->control[index], memory_order_acquire);
			if (!index_may_be(seen, search.tag) || !index_same_id(table, index, wanted))
				continue;
			if (slot_word(table, slot_ref_of(index, seen)) == 0)
				continue; /* it ended while it was read */
			*ref = slot_ref_of(index, seen);
			*word = seen;
			return 0;
		}
	} while (index_next(table, &search));
	return -ENOENT;
}

uint64_t slot_word(const inv_table *table, struct slot_ref ref)
{
	uint64_t word = atomic_load_explicit(&table->control[ref.index], memory_order_acquire);

	return control_generation(word) == ref.generation && slot_visible(word) ? word : 0;
}

bool slot_parent(const inv_table *table, struct slot_ref ref, struct slot_ref *parent)
{
	uint64_t word = atomic_load(&table->slots[ref.index].parent_ref);
	uint64_t index = word >> 32;

	if (index == 0 || index > table->geometry.slots)
		return false;
	*parent = (struct slot_ref){.index = (uint32_t)index - 1, .generation = (uint32_t)word};
	return true;
}

uint64_t action_word(pid_t pid, uint64_t start)
{
	return start << ACTION_PID_BITS | ((uint64_t)pid & ACTION_PID_MASK);
}

pid_t action_pid(uint64_t word)
{
	return (pid_t)(word & ACTION_PID_MASK);
}

uint64_t action_start(uint64_t word)
{
	return word >> ACTION_PID_BITS;
}

/* The oldest finished one of the buckets makes room. */
static bool evict_oldest(inv_table *table, const uint8_t id[16])
{
	int64_t oldest_ns = INT64_MAX;
	uint32_t victim = 0;
	uint64_t victim_word = 0;
	struct search search;

	index_search(table, id, index_levels(table), &search);
	do {
		for (uint32_t i = 0; i < search.bucket.width; i++) {
			uint32_t index = search.bucket.first + i;
			uint64_t word = atomic_load(&table->control[index]);
			int64_t ended_ns = atomic_load(&table->slots[index].completed_monotonic_ns);
			if (control_state(word) != SLOT_DONE || ended_ns >= oldest_ns)
				continue;
			oldest_ns = ended_ns;
			victim = index;
			victim_word = word;
		}
	} while (index_next(table, &search));
	return victim_word != 0 && slot_release(table, victim, victim_word);
}

/* Room for an id, where there may be none in the levels in use. */
static int find_room(inv_table *table, const uint8_t id[16], struct room *room)
{
	for (;;) {
		uint32_t levels = index_levels(table);
		int error = index_room(table, id, levels, room);
		if (error != -ENOSPC)
			return error;
		if (levels < table->geometry.level_count)
			index_use_levels(table, levels + 1);
		else if (!evict_oldest(table, id))
			return error;
	}
}

static int claim(inv_table *table, const uint8_t id[16], uint32_t *index, uint64_t *claimed)
{
	struct room room = {0};

	for (;;) {
		int error = find_room(table, id, &room);
		if (error)
			return error;
		uint32_t generation = control_generation(room.word);
		*claimed = control_word(generation < CONTROL_GENERATION_MAX ? generation + 1 : 1,
		                        room.tag, table->owner, SLOT_CLAIMED);
		*index = room.index;
		if (swap(table, room.index, room.word, *claimed))
			return 0;
	}
}

static void fill(inv_table *table, struct slot_ref ref, const struct registration *registration)
{
	struct slot *slot = &table->slots[ref.index];
	static const uint8_t nil[16];
	uint64_t parent_ref = 0;

	if (registration->parent_known) {
		parent_ref = ((uint64_t)registration->parent_ref.index + 1) << 32 |
		             registration->parent_ref.generation;
		atomic_store_explicit(&table->parent_index[ref.index],
		                      registration->parent_ref.index + 1, memory_order_release);
	}
	words_store(table->ids[ref.index].half, 2, registration->id);
	words_store(slot->parent, 2, registration->parent ? registration->parent : nil);
	atomic_store_explicit(&slot->parent_ref, parent_ref, memory_order_release);
	atomic_store_explicit(&slot->requested_ns, registration->requested_ns,
	                      memory_order_release);
	atomic_store_explicit(&slot->flags, registration->flags, memory_order_release);
	atomic_store_explicit(&slot->last_check, (uint64_t)ref.generation << 32,
	                      memory_order_release);
	atomic_store_explicit(&slot->started_ns, registration->started_ns, memory_order_release);
	atomic_store_explicit(&slot->completed_ns, 0, memory_order_release);
	atomic_store_explicit(&slot->completed_monotonic_ns, 0, memory_order_release);
	atomic_store_explicit(&slot->deadline_monotonic_ns, registration->deadline_monotonic_ns,
	                      memory_order_release);
	atomic_store_explicit(&slot->after_ms, registration->after_ms, memory_order_release);
	atomic_store_explicit(&slot->owner_process, table->owner_process, memory_order_release);
	atomic_store_explicit(&slot->action_process, 0, memory_order_release);
	atomic_store_explicit(&slot->escalation, (uint64_t)ref.generation << 32,
	                      memory_order_release);
	for (int i = 0; i < SHIELD_HOLDERS; i++) {
		atomic_store_explicit(&slot->shield[i], 0, memory_order_release);
		atomic_store_explicit(&slot->shield_more[i], 0, memory_order_release);
	}
	atomic_store_explicit(&slot->log_lost, 0, memory_order_release);
	atomic_store_explicit(&slot->finish, 0, memory_order_release);
	text_store(slot->name, INV_NAME_BYTES / 8, registration->name);
	event_word_reset(table, ref);
}

/* Step 2: settle with others that register the same id. 0, or -EEXIST. A rival in a level
 * that is not in use yet counts it up before it is published, and so sees this one. */
static int settle(inv_table *table, uint32_t own, const uint8_t id[16])
{
	struct search search;
	uint64_t halves[2];
	uint32_t reads = 0;

	memcpy(halves, id, sizeof(halves));
	index_search(table, id, index_levels(table), &search);
	do {
		const struct bucket *bucket = &search.bucket;
		for (uint32_t i = 0; i < bucket->width; i++) {
			uint32_t index = bucket->first + i;
			uint64_t word = atomic_load(&table->control[index]);
			if (control_tag(word) != search.tag || index == own)
				continue;
			/* Words that never settle are damage: give up. */
			if (++reads > SETTLE_READS_MAX)
				return -EEXIST;
			bool publishing = control_state(word) == SLOT_PUBLISHING;
			if ((!publishing && !slot_visible(word)) ||
			    !index_same_id(table, index, halves))
				continue;
			if (atomic_load(&table->control[index]) != word) {
				i--; /* it changed while it was read: read it again */
				continue;
			}
			if (!publishing || index < own)
				return -EEXIST;
			if (!swap(table, index, word, with_state(word, SLOT_ABORTED)))
				i--;
		}
	} while (index_next(table, &search));
	return 0;
}

int slot_register(inv_table *table, const struct registration *registration, struct slot_ref *ref)
{
	uint64_t word;
	uint32_t index;
	int error = claim(table, registration->id, &index, &word);

	if (error)
		return error;
	*ref = slot_ref_of(index, word);
	fill(table, *ref, registration);
	uint64_t publishing = with_state(word, SLOT_PUBLISHING);
	if (!swap(table, index, word, publishing))
		return -ESTALE;
	error = settle(table, index, registration->id);
	if (!error && swap(table, index, publishing, with_state(word, SLOT_LIVE)))
		return 0;
	/* A rival has it, or has aborted us; or we were swept, then neither swap succeeds. */
	if (!slot_withdraw(table, index, publishing) &&
	    !slot_withdraw(table, index, with_state(word, SLOT_ABORTED)))
		return -ESTALE;
	return -EEXIST;
}

/* A next tenant may have reset the word already: those who slept on the former one
 * must wake all the same. */
static void wake_waiters(inv_table *table, struct slot_ref ref)
{
	uint64_t word = atomic_load(&table->event[ref.index]);

	if (word & EVENT_WAITED || event_generation(word) != ref.generation)
		event_word_wake(table, ref);
}

bool slot_finish(inv_table *table, struct slot_ref ref, uint64_t word,
                 const struct outcome *outcome)
{
	struct slot *slot = &table->slots[ref.index];

	atomic_store(&slot->completed_ns, clock_realtime_ns());
	atomic_store(&slot->completed_monotonic_ns, clock_monotonic_ns());
	if (!swap(table, ref.index, word,
	          control_word(ref.generation, control_tag(word), outcome_pack(outcome),
	                       SLOT_DONE)))
		return false;
	event_word_close(table, ref);
	wake_waiters(table, ref);
	return true;
}

static bool free_slot(inv_table *table, uint32_t index, uint64_t word)
{
	return swap(table, index, word, control_word(control_generation(word), 0, 0, SLOT_FREE));
}

bool slot_release(inv_table *table, uint32_t index, uint64_t word)
{
	struct slot_ref ref = slot_ref_of(index, word);

	event_word_close(table, ref);
	if (!free_slot(table, index, word))
		return false;
	wake_waiters(table, ref);
	return true;
}

bool slot_withdraw(inv_table *table, uint32_t index, uint64_t word)
{
	return free_slot(table, index, word);
}

bool slot_adopt(inv_table *table, uint32_t index, uint64_t word, uint32_t owner)
{
	uint64_t adoptions = (word >> CONTROL_ADOPTIONS_SHIFT) + 1;
	uint64_t mask = (UINT64_C(1) << CONTROL_ADOPTIONS_BITS) - 1;

	/* Counted, since an owner's index can come back: the word must not. */
	return swap(table, index, word,
	            control_word(control_generation(word), control_tag(word), owner, SLOT_LIVE) |
	                    (adoptions & mask) << CONTROL_ADOPTIONS_SHIFT);
}
