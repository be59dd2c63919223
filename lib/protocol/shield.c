/*
 * Shields.
 *
 * A slot has a few holders, each a process that shields it, of two words each:
 *
 *   shield       | depth 8 | PID namespace 10 | since 24 | pid 22 |, or 0
 *   shield_more  | since, the higher part 8 | check 10 | limit 14 |
 *
 *   begin   1. shield 0, or of a dead process -> (process, depth 1)
 *           2. shield_more -> the rest, with the check of that word
 *           or of a process that holds one: 1. depth + 1, 2. the longer of the limits
 *   end     depth - 1, to 0 at the last
 *
 * each by one compare-and-swap. since is when the process took the word, in clock ticks since boot,
 * as start times are: a process with this pid that started later is another one. So a SIGKILL
 * inside a shield leaves a word whose process is dead: it holds nothing, and the next process that
 * needs a word takes it over. A process of another PID namespace is searched for in /proc
 * (os/pid_namespace.h). Where that is not conclusive, it holds as long as the invocation lives:
 * there is no lease for it, since the process may be a shell, which can't keep one.
 *
 * The check is a digest of the word's pid, namespace and since. A word holds only while its
 * shield_more has its check: what a former holder left in there, its limit too, counts for nothing.
 * The taker chooses a since whose check differs from what it finds there.
 * Step 2 reads the word again before each try, and gives up where another process has it, so that a
 * late one destroys nothing. A SIGKILL between the two steps leaves a word that does not hold:
 * begin had not returned. Where another process did it for the holder (`invctl shield --begin` for
 * its shell), the shell's next begin completes the word, then one level deeper.
 *
 * Each process that needs to know whether the shield holds compares the limit with the clock, so
 * that none has to be there to end it. After the limit the word is still its holder's, until
 * the end or a longer limit.
 *
 * The words carry no generation: begin reads the slot's generation again after it
 * has taken a word, and gives it back where the slot has a new tenant.
 */
#include "protocol/shield.h"

#include <errno.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/pid_namespace.h"
#include "os/process.h"
#include "protocol/finish.h"
#include "table/event_word.h"
#include "table/slot.h"

enum {
	SHIELD_SINCE_SHIFT = 22,
	SHIELD_SINCE_BITS = 24,
	SHIELD_NAMESPACE_SHIFT = 46,
	SHIELD_DEPTH_SHIFT = 56,
	SHIELD_DEPTH_MAX = 255
};
enum {
	MORE_CHECK_SHIFT = 14,
	MORE_CHECK_MASK = 0x3ff,
	MORE_SINCE_SHIFT = 24,
	MORE_LIMIT_MASK = 0x3fff,
	LIMIT_COUNT_BITS = 12,
	LIMIT_COUNT_MAX = (1 << LIMIT_COUNT_BITS) - 1
};
enum { ANCESTORS_MAX = 64 }; /* a damaged table could make a ring of parents */
#define SHIELD_PID_MASK UINT64_C(0x3fffff)
#define SHIELD_SINCE_MASK UINT64_C(0xffffff)
#define SHIELD_NAMESPACE_MASK UINT64_C(0x3ff)
#define SHIELD_DEPTH_STEP (UINT64_C(1) << SHIELD_DEPTH_SHIFT)
#define SHIELD_HOLDER_MASK (SHIELD_DEPTH_STEP - 1)
#define NO_LIMIT UINT64_MAX
#define NS_PER_TICK (10 * NS_PER_MS)

/* What the two words of a holder say. Times are clock ticks since boot. */
struct holder {
	uint64_t word;
	uint32_t more;
	bool complete; /* both words are of one process */
	uint64_t since;
	uint64_t until; /* NO_LIMIT */
};

static uint32_t check_of(uint64_t word)
{
	uint64_t mixed = (word & SHIELD_HOLDER_MASK) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(mixed >> 54);
}

/* A limit as a number of one of these, so that a round one stays what it is; else rounded up. */
static const uint64_t limit_units[] = {1, 100, UINT64_C(60) * 100, UINT64_C(3600) * 100};

/* 0: none. */
static uint32_t limit_pack(uint64_t ticks)
{
	for (uint32_t unit = 0; unit < 4; unit++) {
		uint64_t count = ticks / limit_units[unit] + (ticks % limit_units[unit] != 0);
		if (count <= LIMIT_COUNT_MAX)
			return unit << LIMIT_COUNT_BITS | (count > 0 ? (uint32_t)count : 1);
	}
	return 0; /* half a year is no limit */
}

static uint64_t limit_unpack(uint32_t packed)
{
	uint64_t count = packed & LIMIT_COUNT_MAX;

	return count ? count * limit_units[packed >> LIMIT_COUNT_BITS & 3] : NO_LIMIT;
}

/* The last time before now, or a tick after it, with those lowest bits. */
static uint64_t last_with_bits(uint64_t now, uint64_t low, unsigned bits)
{
	uint64_t mask = (UINT64_C(1) << bits) - 1;

	return now + 1 - ((now + 1 - low) & mask);
}

/* false: it is free. */
static bool read_holder(const struct slot *slot, int i, struct holder *holder)
{
	holder->word = atomic_load(&slot->shield[i]);
	if (holder->word == 0)
		return false;
	holder->more = atomic_load(&slot->shield_more[i]);
	holder->complete =
	        (holder->more >> MORE_CHECK_SHIFT & MORE_CHECK_MASK) == check_of(holder->word);
	/* Read after the word, so that it is not before since. */
	uint64_t now = process_ticks_now();
	uint64_t low = holder->word >> SHIELD_SINCE_SHIFT & SHIELD_SINCE_MASK;
	uint64_t high = (uint64_t)(holder->more >> MORE_SINCE_SHIFT) << SHIELD_SINCE_BITS;
	holder->since = holder->complete ? last_with_bits(now, high | low, SHIELD_SINCE_BITS + 8)
	                                 : last_with_bits(now, low, SHIELD_SINCE_BITS);
	uint64_t limit = limit_unpack(holder->more & MORE_LIMIT_MASK);
	holder->until = limit == NO_LIMIT ? NO_LIMIT : holder->since + limit;
	return true;
}

static bool in_own_namespace(uint64_t word)
{
	return (word >> SHIELD_NAMESPACE_SHIFT & SHIELD_NAMESPACE_MASK) ==
	       (process_namespace() & SHIELD_NAMESPACE_MASK);
}

static pid_t holder_pid(const struct holder *holder)
{
	return (pid_t)(holder->word & SHIELD_PID_MASK);
}

static bool holder_lives(const struct holder *holder)
{
	struct process_identity identity = {.pid = holder_pid(holder)};

	if (!in_own_namespace(holder->word))
		return process_life_elsewhere(identity.pid, 1, holder->since + 1, 0) !=
		       PROCESS_DEAD;
	if (identity.pid == getpid())
		return true;
	/* Start 0: /proc hides it. */
	return process_life(&identity) != PROCESS_DEAD &&
	       (process_start(identity.pid) <= holder->since + 1 || !process_proc_is_own());
}

static bool ran_out(const struct holder *holder)
{
	return holder->until != NO_LIMIT && process_ticks_now() > holder->until;
}

static void describe(const struct holder *holder, struct shield *shield)
{
	uint64_t now = process_ticks_now();

	*shield = (struct shield){
	        .pid = in_own_namespace(holder->word) ? holder_pid(holder) : 0,
	        .age_ns = now > holder->since ? (int64_t)(now - holder->since) * NS_PER_TICK : 0,
	        .limit_ns = holder->until == NO_LIMIT
	                            ? INV_FOREVER
	                            : (int64_t)(holder->until - holder->since) * NS_PER_TICK,
	        .ran_out = ran_out(holder)};
}

/* As shield_find, of one slot. */
static bool slot_shielded(const struct slot *slot, struct shield *shield)
{
	for (int i = 0; i < SHIELD_HOLDERS; i++) {
		struct holder holder;
		if (!read_holder(slot, i, &holder) || !holder.complete)
			continue;
		bool over = ran_out(&holder);
		if ((over && (!shield || shield->ran_out)) || !holder_lives(&holder))
			continue;
		if (shield)
			describe(&holder, shield);
		if (!over)
			return true;
	}
	return false;
}

bool shield_find(const inv_table *table, struct slot_ref ref, struct shield *shield)
{
	if (shield)
		*shield = (struct shield){.ran_out = false};
	for (int depth = 0; depth < ANCESTORS_MAX; depth++) {
		if (slot_word(table, ref) == 0)
			return false;
		if (slot_shielded(&table->slots[ref.index], shield))
			return true;
		if (finish_shields(table, ref)) {
			if (shield)
				*shield = (struct shield){.ran_out = false};
			return true;
		}
		if (!slot_parent(table, ref, &ref))
			return false;
	}
	return false;
}

bool shield_holds(const inv_table *table, struct slot_ref ref)
{
	return shield_find(table, ref, NULL);
}

int shield_processes(const inv_table *table, struct slot_ref ref, pid_t pids[SHIELD_HOLDERS])
{
	const struct slot *slot = &table->slots[ref.index];
	struct holder holder;
	int count = 0;

	for (int i = 0; i < SHIELD_HOLDERS; i++)
		if (read_holder(slot, i, &holder) && holder.complete && !ran_out(&holder) &&
		    in_own_namespace(holder.word) && holder_lives(&holder))
			pids[count++] = holder_pid(&holder);
	return count;
}

/* A process of this PID namespace. */
struct process_self {
	pid_t pid;
	uint64_t start;
};

static uint64_t holder_word(pid_t pid, uint64_t since)
{
	return ((uint64_t)pid & SHIELD_PID_MASK) |
	       (since & SHIELD_SINCE_MASK) << SHIELD_SINCE_SHIFT |
	       (process_namespace() & SHIELD_NAMESPACE_MASK) << SHIELD_NAMESPACE_SHIFT;
}

static bool is_of(const struct holder *holder, const struct process_self *self)
{
	return holder_pid(holder) == self->pid && in_own_namespace(holder->word) &&
	       self->start <= holder->since + 1;
}

/* Step 2: complete word i with a limit, if it is still that process's. */
static void complete(struct slot *slot, int i, const struct process_self *self, uint64_t until)
{
	struct holder holder;
	uint32_t next;

	do {
		if (!read_holder(slot, i, &holder) || !is_of(&holder, self))
			return;
		uint64_t later = holder.complete && holder.until > until ? holder.until : until;
		next = (uint32_t)(holder.since >> SHIELD_SINCE_BITS) << MORE_SINCE_SHIFT |
		       check_of(holder.word) << MORE_CHECK_SHIFT | limit_pack(later - holder.since);
	} while (!atomic_compare_exchange_strong(&slot->shield_more[i], &holder.more, next));
}

/* Deepen the process's word by step (which may be negative, as unsigned). Its index; -EAGAIN;
 * -EINVAL it has none. *holder is what it was before. */
static int deepen(struct slot *slot, const struct process_self *self, uint64_t step,
                  struct holder *holder)
{
	for (int i = 0; i < SHIELD_HOLDERS; i++) {
		while (read_holder(slot, i, holder) && is_of(holder, self)) {
			uint64_t word = holder->word;
			/* One more than fits would come to depth 0. */
			if (step == SHIELD_DEPTH_STEP &&
			    word >> SHIELD_DEPTH_SHIFT == SHIELD_DEPTH_MAX)
				return -EAGAIN;
			uint64_t depth = (word + step) >> SHIELD_DEPTH_SHIFT;
			if (atomic_compare_exchange_strong(&slot->shield[i], &word,
			                                   depth ? word + step : 0))
				return i;
		}
	}
	return -EINVAL;
}

/* The word to take in the place of one that is free or dead. */
static uint64_t fresh_word(const struct slot *slot, int i, pid_t pid)
{
	uint32_t left = atomic_load(&slot->shield_more[i]) >> MORE_CHECK_SHIFT & MORE_CHECK_MASK;
	uint64_t since = process_ticks_now(), word = holder_word(pid, since);

	return (check_of(word) != left ? word : holder_word(pid, since + 1)) | SHIELD_DEPTH_STEP;
}

/* Step 1. The word's index; -EAGAIN. */
static int take_word(struct slot *slot, const struct process_self *self)
{
	for (int i = 0; i < SHIELD_HOLDERS; i++) {
		struct holder holder;
		if (read_holder(slot, i, &holder) && holder_lives(&holder))
			continue;
		uint64_t word = holder.word;
		if (atomic_compare_exchange_strong(&slot->shield[i], &word,
		                                   fresh_word(slot, i, self->pid)))
			return i;
	}
	return -EAGAIN;
}

/* The last tick of limit_ns from now on. */
static uint64_t until_of(int64_t limit_ns)
{
	return limit_ns < 0
	               ? NO_LIMIT
	               : process_ticks_now() + ((uint64_t)limit_ns + NS_PER_TICK - 1) / NS_PER_TICK;
}

int shield_begin(inv_table *table, struct slot_ref ref, pid_t pid, int64_t limit_ns)
{
	struct slot *slot = &table->slots[ref.index];
	struct process_self self = {.pid = pid, .start = process_start(pid)};
	struct holder before;

	if (self.start == 0 && process_proc_is_own())
		return -ESRCH;
	int i = deepen(slot, &self, SHIELD_DEPTH_STEP, &before);
	if (i == -EINVAL)
		i = take_word(slot, &self);
	if (i < 0)
		return i;
	complete(slot, i, &self, until_of(limit_ns));
	if (slot_word(table, ref) != 0)
		return 0;
	deepen(slot, &self, -SHIELD_DEPTH_STEP, &before);
	return -ESTALE;
}

int shield_end(inv_table *table, struct slot_ref ref, pid_t pid)
{
	struct process_self self = {.pid = pid, .start = process_start(pid)};
	struct holder before;
	int i = deepen(&table->slots[ref.index], &self, -SHIELD_DEPTH_STEP, &before);

	if (i < 0)
		return i;
	/* A sleep elsewhere in the action goes on in the shield; now it must check. */
	event_word_wake(table, ref);
	return before.complete && ran_out(&before);
}
