/*
 * Shields.
 *
 * A slot has a few holder words, each a process that shields it:
 *
 *   | depth 8 | PID namespace 10 | start time 24 | pid 22 |, or 0
 *
 *   begin   0 -> (self, depth 1), or depth + 1 of one's own word
 *   end     depth - 1 of one's own word, to 0 at the last
 *
 * each by one compare-and-swap. The word names its process, so that a SIGKILL inside
 * a shield leaves a word whose process is dead: it holds nothing, and the next
 * process that needs a word takes it over. A holder of another PID namespace is searched
 * for in /proc (os/pid_namespace.h). Where that is not conclusive, it holds as long as the
 * invocation lives: there is no lease for it, since the holder may be a shell, which can't keep
 * one. The words carry no generation: begin reads the slot's generation again after it
 * has taken a word, and gives it back where the slot has a new tenant.
 */
#include "protocol/shield.h"

#include <errno.h>
#include <unistd.h>

#include "os/pid_namespace.h"
#include "os/process.h"
#include "protocol/finish.h"
#include "table/event_word.h"
#include "table/slot.h"

enum {
	SHIELD_START_SHIFT = 22,
	SHIELD_NAMESPACE_SHIFT = 46,
	SHIELD_DEPTH_SHIFT = 56,
	SHIELD_DEPTH_MAX = 255
};
enum { ANCESTORS_MAX = 64 }; /* a damaged table could make a ring of parents */
#define SHIELD_PID_MASK UINT64_C(0x3fffff)
#define SHIELD_START_MASK UINT64_C(0xffffff)
#define SHIELD_NAMESPACE_MASK UINT64_C(0x3ff)
#define SHIELD_DEPTH_STEP (UINT64_C(1) << SHIELD_DEPTH_SHIFT)
#define SHIELD_HOLDER_MASK (SHIELD_DEPTH_STEP - 1)

/* Of this PID namespace. */
static uint64_t holder(pid_t pid, uint64_t start)
{
	return ((uint64_t)pid & SHIELD_PID_MASK) |
	       (start & SHIELD_START_MASK) << SHIELD_START_SHIFT |
	       (process_namespace() & SHIELD_NAMESPACE_MASK) << SHIELD_NAMESPACE_SHIFT;
}

static bool holder_lives(uint64_t word)
{
	struct process_identity identity = {.pid = (pid_t)(word & SHIELD_PID_MASK)};
	uint64_t namespace = word >> SHIELD_NAMESPACE_SHIFT & SHIELD_NAMESPACE_MASK;

	if (namespace != (process_namespace() & SHIELD_NAMESPACE_MASK))
		return process_life_elsewhere(identity.pid, word >> SHIELD_START_SHIFT,
		                              SHIELD_START_MASK, 0) != PROCESS_DEAD;
	if (identity.pid == getpid())
		return true;
	return process_life(&identity) != PROCESS_DEAD &&
	       (holder(identity.pid, process_start(identity.pid)) == (word & SHIELD_HOLDER_MASK) ||
	        !process_proc_is_own());
}

static bool slot_shielded(const struct slot *slot)
{
	for (int i = 0; i < SHIELD_HOLDERS; i++) {
		uint64_t word = atomic_load(&slot->shield[i]);
		if (word != 0 && holder_lives(word))
			return true;
	}
	return false;
}

bool shield_holds(const inv_table *table, struct slot_ref ref)
{
	for (int depth = 0; depth < ANCESTORS_MAX; depth++) {
		if (slot_word(table, ref) == 0)
			return false;
		if (slot_shielded(&table->slots[ref.index]) || finish_shields(table, ref))
			return true;
		if (!slot_parent(table, ref, &ref))
			return false;
	}
	return false;
}

/* Deepen one's own word by step (which may be negative, as unsigned). */
static int deepen(struct slot *slot, uint64_t self, uint64_t step)
{
	for (int i = 0; i < SHIELD_HOLDERS; i++) {
		uint64_t word = atomic_load(&slot->shield[i]);
		while (word != 0 && (word & SHIELD_HOLDER_MASK) == self) {
			/* One more than fits would come to depth 0. */
			if (step == SHIELD_DEPTH_STEP &&
			    word >> SHIELD_DEPTH_SHIFT == SHIELD_DEPTH_MAX)
				return -EAGAIN;
			uint64_t depth = (word + step) >> SHIELD_DEPTH_SHIFT;
			if (atomic_compare_exchange_strong(&slot->shield[i], &word,
			                                   depth ? word + step : 0))
				return 0;
		}
	}
	return -EINVAL;
}

static int take_word(struct slot *slot, uint64_t self)
{
	for (int i = 0; i < SHIELD_HOLDERS; i++) {
		uint64_t word = atomic_load(&slot->shield[i]);
		if (word != 0 && holder_lives(word))
			continue;
		if (atomic_compare_exchange_strong(&slot->shield[i], &word,
		                                   self | SHIELD_DEPTH_STEP))
			return 0;
	}
	return -EAGAIN;
}

static uint64_t self_holder(void)
{
	return holder(getpid(), process_start(getpid()));
}

int shield_begin(inv_table *table, struct slot_ref ref)
{
	struct slot *slot = &table->slots[ref.index];
	uint64_t self = self_holder();
	int error = deepen(slot, self, SHIELD_DEPTH_STEP);

	if (error == -EINVAL)
		error = take_word(slot, self);
	if (!error && slot_word(table, ref) == 0) {
		deepen(slot, self, -SHIELD_DEPTH_STEP);
		error = -ESTALE;
	}
	return error;
}

int shield_end(inv_table *table, struct slot_ref ref)
{
	int error = deepen(&table->slots[ref.index], self_holder(), -SHIELD_DEPTH_STEP);

	/* A sleep elsewhere in the action goes on in the shield; now it must check. */
	if (!error)
		event_word_wake(table, ref);
	return error;
}
