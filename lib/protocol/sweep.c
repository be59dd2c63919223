/*
 * The sweep: what becomes of a dead process's slots.
 *
 *   CLAIMED, PUBLISHING, ABORTED   FREE: it was never registered
 *   LIVE, event or context         FREE: they leave no record
 *   LIVE, begun by a call          DONE, lost (cancelled, where a request was made)
 *   LIVE, of `run`                 where the action's process lives: taken over by the
 *                                  broker (the owner field changes); without a broker it
 *                                  is left, live, for one to take over
 *                                  where it is gone: DONE; but with a finish command that is
 *                                  owed (finish.h) it is left for a broker
 *                                  in another PID namespace: left, until it is gone
 * After that the owner's entry is free.
 *
 * Every step is a compare-and-swap of a word that was read before the owner was
 * found to be dead (owner.c tells why that is safe), so sweepers may race each other,
 * owners that were falsely taken for dead, and be killed anywhere: the next sweep
 * finds what is left. The entry is freed last; until then the dead owner is found again.
 */
#include "protocol/sweep.h"

#include <stdlib.h>

#include "os/clock.h"
#include "os/pid_namespace.h"
#include "protocol/finish.h"
#include "protocol/lifecycle.h"
#include "table/event_word.h"
#include "table/index.h"
#include "table/owner.h"

enum { CHECK_AGAIN_NS = 50000000 };

/* The PID namespace in which a slot's action runs is its owner's. */
static bool runs_elsewhere(const inv_table *table, uint32_t owner,
                           struct process_identity *identity)
{
	return owner_read(table, owner, identity) != 0 &&
	       identity->namespace != process_namespace();
}

/* It is not seen from here, so it counts as alive until the contrary is known: its namespace has
 * vanished with its first process, or all processes can be seen and it is not among them. */
static bool action_lives_elsewhere(const inv_table *table, uint32_t index,
                                   const struct process_identity *owner)
{
	uint64_t action = atomic_load(&table->slots[index].action_process);

	return action != 0 && owner->pid != 1 &&
	       process_life_elsewhere(action_pid(action), action_start(action),
	                              action_start(action), owner->namespace) != PROCESS_DEAD;
}

static bool action_lives(const inv_table *table, uint32_t index)
{
	uint64_t action = atomic_load(&table->slots[index].action_process);
	struct process_identity identity = {
	        .pid = action_pid(action),
	        .start = action_start(action),
	        .namespace = process_namespace(),
	};

	return action != 0 && process_life(&identity) != PROCESS_DEAD;
}

/* Of `run`, whose supervisor is dead. */
static bool sweep_run(inv_table *table, uint32_t index, uint64_t word, sweep_adopt *adopt,
                      void *arg)
{
	struct process_identity owner;

	if (runs_elsewhere(table, control_owner(word), &owner)) {
		if (action_lives_elsewhere(table, index, &owner))
			return false;
	} else if (adopt || action_lives(table, index) ||
	           finish_is_owed(table, slot_ref_of(index, word))) {
		return adopt && adopt(table, index, word, arg);
	}
	return lifecycle_lose(table, slot_ref_of(index, word), word);
}

static bool sweep_live(inv_table *table, uint32_t index, uint64_t word, sweep_adopt *adopt,
                       void *arg)
{
	uint64_t kind = atomic_load(&table->slots[index].flags) & SLOT_KIND_MASK;

	if (kind == INV_KIND_EVENT || kind == INV_KIND_CONTEXT)
		return slot_release(table, index, word);
	if (kind == INV_KIND_RUN)
		return sweep_run(table, index, word, adopt, arg);
	return lifecycle_lose(table, slot_ref_of(index, word), word);
}

/* Sweep one slot whose control word was read as word and whose owner was judged by
 * owner_word after that. false: it stays for a broker. */
static bool sweep_one(inv_table *table, uint32_t index, uint64_t word, uint64_t owner_word,
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

	for (uint32_t i = 0, extent = index_extent(table); i < extent; i++) {
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

/* What is known of each owner: the word by which it was judged dead, or 0. */
struct judged {
	uint64_t word;
	bool left; /* a slot names it still */
};

/* Judge one owner; *judged, of all owners, is made with the first that is dead. No memory: the
 * next sweep finds it. */
static void judge(const inv_table *table, uint32_t index, struct judged **judged)
{
	struct process_identity identity;
	uint64_t word = owner_read(table, index, &identity);

	if (word == 0 || owner_judge(table, index, word, &identity) != PROCESS_DEAD)
		return;
	if (!*judged)
		*judged = calloc(table->geometry.owners, sizeof(**judged));
	if (*judged)
		(*judged)[index].word = word;
}

/* The recorder of an end was killed before it closed the event, or before it woke the waiters.
 *   all  wake also where the event is closed: it may have been killed after that */
static void finish_end(inv_table *table, uint32_t index, uint64_t word, bool all)
{
	struct slot_ref ref = slot_ref_of(index, word);
	uint64_t before = event_word_load(table, ref);

	if (before == 0 || (before & EVENT_ENDED && !(all && before & EVENT_WAITED)))
		return;
	event_word_close(table, ref);
	event_word_wake(table, ref);
}

/* As sweep_owner, for one slot and its owner. */
static void sweep_judged_slot(inv_table *table, uint32_t index, struct judged *judged,
                              sweep_adopt *adopt, void *arg)
{
	for (int tries = 0; tries < 3; tries++) {
		uint64_t word = atomic_load(&table->control[index]);
		uint32_t owner = control_owner(word);
		if (control_state(word) == SLOT_DONE)
			finish_end(table, index, word, false);
		if (!owned(word) || owner >= table->geometry.owners || judged[owner].word == 0)
			return;
		if (sweep_one(table, index, word, judged[owner].word, adopt, arg))
			continue;
		if (atomic_load(&table->control[index]) == word) {
			judged[owner].left = true;
			return;
		}
	}
}

/* One pass over the slots, however many owners have died. true: one of them is done with. */
static bool sweep_judged(inv_table *table, struct judged *judged, sweep_adopt *adopt, void *arg)
{
	for (uint32_t i = 0, extent = index_extent(table); i < extent; i++)
		sweep_judged_slot(table, i, judged, adopt, arg);
	bool done = false;
	for (uint32_t index = 1; index < table->geometry.owners; index++) {
		if (judged[index].word == 0 || judged[index].left)
			continue;
		owner_free(table, index, judged[index].word);
		done = true;
	}
	return done;
}

bool sweep_dead(inv_table *table, sweep_adopt *adopt, void *arg)
{
	struct judged *judged = NULL;
	uint32_t last = owner_last(table);

	for (uint32_t index = 1; index <= last; index++)
		judge(table, index, &judged);
	bool done = judged && sweep_judged(table, judged, adopt, arg);
	free(judged);
	return done;
}

bool sweep_owners(inv_table *table, const uint32_t *indices, size_t count, sweep_adopt *adopt,
                  void *arg)
{
	struct judged *judged = NULL;

	for (size_t i = 0; i < count; i++)
		judge(table, indices[i], &judged);
	bool done = judged && sweep_judged(table, judged, adopt, arg);
	free(judged);
	return done;
}

void sweep_recover(inv_table *table, sweep_adopt *adopt, void *arg)
{
	sweep_dead(table, adopt, arg);
	for (uint32_t i = 0, extent = index_extent(table); i < extent; i++) {
		uint64_t word = atomic_load(&table->control[i]), owner_word;
		if (control_state(word) == SLOT_DONE)
			finish_end(table, i, word, true);
		else if (owned(word) &&
		         owner_life(table, control_owner(word), &owner_word) == PROCESS_DEAD)
			sweep_one(table, i, word, owner_word, adopt, arg);
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

/* Three system calls, so not more often than it matters. */
static bool owner_executed_lately(inv_table *table, uint32_t owner)
{
	int64_t now_ns = clock_monotonic_coarse_ns();
	struct process_identity identity;
	uint64_t word = owner_read(table, owner, &identity);

	if (atomic_load_explicit(&table->same_program, memory_order_relaxed) == word &&
	    atomic_load_explicit(&table->same_program_ns, memory_order_relaxed) + CHECK_AGAIN_NS >
	            now_ns)
		return false;
	if (process_executed(&identity))
		return true;
	atomic_store_explicit(&table->same_program_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&table->same_program, word, memory_order_relaxed);
	return false;
}

bool sweep_before_answer(inv_table *table, uint32_t index, bool watched)
{
	uint64_t kind = atomic_load(&table->slots[index].flags) & SLOT_KIND_MASK;
	uint32_t owner = control_owner(atomic_load(&table->control[index]));

	if (watched &&
	    (kind == INV_KIND_RUN || owner == table->owner || !owner_executed_lately(table, owner)))
		return false;
	return sweep_slot(table, index);
}
