/*
 * The sweep: what becomes of a dead process's slots.
 *
 *   CLAIMED, PUBLISHING, ABORTED   FREE: nobody ever saw it as registered
 *   LIVE, event or context         FREE: they leave no record
 *   LIVE, begun by a call          DONE, lost (cancelled, where a request was made)
 *   LIVE, of `run`                 where the action's process lives: taken over by the
 *                                  broker (the owner field changes); without a broker it
 *                                  is left, live, for one to take over
 *                                  where it is gone: DONE
 * After that the owner's entry is free.
 *
 * Every step is a compare-and-swap of a word that was read before the owner was
 * found to be dead (owner.c tells why that is safe), so sweepers may race each other,
 * owners that were falsely taken for dead, and be killed anywhere: the next sweep
 * finds what is left. The entry is freed last; until then the dead owner is found again.
 */
#include "sweep.h"

#include "event_word.h"
#include "lifecycle.h"
#include "owner.h"
#include "run.h"

static bool action_lives(const inv_table *table, uint32_t index)
{
	uint64_t action = atomic_load(&table->slots[index].action_process);
	struct process_identity identity = {
		.pid = (pid_t)(action & ACTION_PID_MASK),
		.start = action >> ACTION_START_SHIFT,
		.namespace = process_namespace(),
	};

	return action != 0 && process_life(&identity) != PROCESS_DEAD;
}

static bool sweep_live(inv_table *table, uint32_t index, uint64_t word, sweep_adopt *adopt,
                       void *arg)
{
	uint64_t kind = atomic_load(&table->slots[index].flags) & SLOT_KIND_MASK;
	struct ending lost = {.how = ENDING_LOST};
	struct outcome outcome;

	if (kind == INV_KIND_EVENT || kind == INV_KIND_CONTEXT)
		return slot_release(table, index, word);
	if (kind == INV_KIND_RUN && (adopt || action_lives(table, index))) {
		inv_invocation *orphan = adopt ? run_adopt(table, index, word) : NULL;
		if (orphan)
			adopt(orphan, arg);
		return orphan != NULL;
	}
	return lifecycle_end(table, slot_ref_of(index, word), word, &lost, &outcome) == 0;
}

bool sweep_one(inv_table *table, uint32_t index, uint64_t word, uint64_t owner_word,
               sweep_adopt *adopt, void *arg)
{
	if (!owner_still(table, control_owner(word), owner_word))
		return true;
	switch (control_state(word)) {
	case SLOT_CLAIMED:
	case SLOT_PUBLISHING:
	case SLOT_ABORTED:
		return slot_withdraw(table, index, word);
	case SLOT_LIVE:
		return sweep_live(table, index, word, adopt, arg);
	default:
		return true;
	}
}

static bool owned(uint64_t word)
{
	return control_state(word) != SLOT_FREE && control_state(word) != SLOT_DONE;
}

size_t sweep_owner(inv_table *table, uint32_t index, uint64_t owner_word, sweep_adopt *adopt,
                   void *arg)
{
	size_t left = 0;

	for (uint32_t i = 0; i < table->geometry.slots; i++) {
		/* Read again until it is settled: it may lose a race against a late
		 * helper, and a single try would leave it. */
		for (int tries = 0; tries < 3; tries++) {
			uint64_t word = atomic_load(&table->control[i]);
			if (!owned(word) || control_owner(word) != index)
				break;
			if (sweep_one(table, i, word, owner_word, adopt, arg))
				continue;
			if (atomic_load(&table->control[i]) == word) {
				left++;
				break;
			}
		}
	}
	return left;
}

void sweep_dead(inv_table *table, sweep_adopt *adopt, void *arg)
{
	for (uint32_t index = 1; index < table->geometry.owners; index++) {
		struct process_identity identity;
		uint64_t word = owner_read(table, index, &identity);
		if (word == 0 || process_life(&identity) != PROCESS_DEAD)
			continue;
		if (sweep_owner(table, index, word, adopt, arg) == 0)
			owner_free(table, index, word);
	}
}

bool sweep_slot(inv_table *table, uint32_t index)
{
	uint64_t word = atomic_load(&table->control[index]);
	uint64_t owner_word;

	if (!owned(word) || owner_life(table, control_owner(word), &owner_word) != PROCESS_DEAD)
		return false;
	return sweep_one(table, index, word, owner_word, NULL, NULL);
}
