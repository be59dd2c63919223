/*
 * Cancelling an invocation and its descendants.
 *
 * Each slot's kin word names its parent's slot; a scan of that dense array finds
 * the children of whatever is marked, until a pass marks nothing new. A kin word is
 * a hint, left over by a former tenant perhaps: the slot's own parent_ref, with the
 * parent's generation, decides. Slots without SLOT_HAS_CHILDREN cost no scan.
 *
 * The parent's event is set before the scan, and a child that is registered after it
 * finds its parent's request pending. Finished invocations are walked through: what
 * outlives its parent is still a descendant of its grandparent.
 */
#include "protocol/cascade.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "api/event.h"
#include "os/futex.h"
#include "protocol/program.h"
#include "protocol/sweep.h"
#include "table/event_word.h"
#include "table/index.h"
#include "table/notification.h"
#include "table/slot.h"

struct marks {
	uint64_t *bits;
	size_t words;
};

static bool marked(const struct marks *marks, uint32_t index)
{
	return marks->bits[index / 64] >> (index % 64) & 1;
}

static void mark(struct marks *marks, uint32_t index)
{
	marks->bits[index / 64] |= UINT64_C(1) << (index % 64);
}

/* Is index the live or finished child of a marked slot? */
static bool child_of_marked(const inv_table *table, const struct marks *marks, uint32_t index)
{
	uint32_t kin = atomic_load_explicit(&table->parent_index[index], memory_order_relaxed);

	if (kin == 0 || kin > table->geometry.slots || !marked(marks, kin - 1) ||
	    marked(marks, index))
		return false;
	uint64_t parent = atomic_load(&table->slots[index].parent_ref);
	struct slot_ref parent_ref = {.index = kin - 1, .generation = (uint32_t)parent};
	return parent >> 32 == kin && slot_word(table, parent_ref) != 0 &&
	       slot_visible(atomic_load(&table->control[index]));
}

int cascade_each(inv_table *table, struct slot_ref ref,
                 void (*each)(inv_table *table, struct slot_ref ref, void *arg), void *arg)
{
	if (!(atomic_load(&table->slots[ref.index].flags) & SLOT_HAS_CHILDREN))
		return 0;
	struct marks marks = {.words = (table->geometry.slots + 63) / 64};
	marks.bits = calloc(marks.words, sizeof(uint64_t));
	if (!marks.bits)
		return -ENOMEM;
	mark(&marks, ref.index);
	for (bool found = true; found;) {
		found = false;
		for (uint32_t i = 0, extent = index_extent(table); i < extent; i++) {
			if (!child_of_marked(table, &marks, i))
				continue;
			mark(&marks, i);
			found = true;
			uint64_t word = atomic_load(&table->control[i]);
			if (control_state(word) == SLOT_LIVE)
				each(table, slot_ref_of(i, word), arg);
		}
	}
	free(marks.bits);
	return 0;
}

static void tell_supervisor(inv_table *table, struct slot_ref ref, unsigned asks, int signum)
{
	shared_u64 *word = &table->slots[ref.index].escalation;
	uint64_t seen = atomic_load(word);

	while (event_generation(seen) == ref.generation) {
		uint64_t low = (uint32_t)(seen + ESCALATE_COUNT_STEP) | asks;
		if (asks & ESCALATE_SIGNAL)
			low = (low & ~ESCALATE_SIGNUM_MASK) |
			      ((uint64_t)(unsigned)signum << ESCALATE_SIGNUM_SHIFT);
		if (!atomic_compare_exchange_weak(word, &seen,
		                                  (uint64_t)ref.generation << 32 | low))
			continue;
		futex_wake_all(futex_low_half(word));
		notify_request(table, ref.index);
		return;
	}
}

/* 0; -EPERM its process is not the caller's to signal. */
static int ask_for_more(inv_table *table, struct slot_ref ref, const struct cascade_asks *more)
{
	uint64_t flags = atomic_load(&table->slots[ref.index].flags);
	unsigned asks = more->asks;
	int error = 0;

	if (flags & SLOT_NO_KILL)
		asks &= ~(unsigned)ESCALATE_KILL;
	if (asks == 0)
		return 0;
	if ((flags & SLOT_KIND_MASK) == INV_KIND_RUN)
		tell_supervisor(table, ref, asks, more->signum);
	else if (asks & ESCALATE_KILL)
		error = program_signal(table, ref, &more->target, SIGKILL);
	else
		error = program_signal(table, ref, &more->target,
		                       more->signum ? more->signum : SIGTERM);
	/* A process that has gone needs no signal. */
	return error == -EPERM ? -EPERM : 0;
}

static bool has_supervisor(const inv_table *table, struct slot_ref ref)
{
	return (atomic_load(&table->slots[ref.index].flags) & SLOT_KIND_MASK) == INV_KIND_RUN;
}

/* What more is asked stands before the request does: a supervisor that the event
 * wakes would do the usual thing first otherwise. A program has none to wait for it. */
static int request_and_ask(inv_table *table, struct slot_ref ref, const struct request *request,
                           const struct cascade_asks *more)
{
	bool supervised = has_supervisor(table, ref);
	uint64_t event = event_word_load(table, ref);
	/* Asked to stop before: what more is asked may end it before the next line. */
	bool heard =
	        supervised && more->asks != 0 && event & EVENT_REQUESTED && !(event & EVENT_ENDED);

	if (supervised)
		ask_for_more(table, ref, more);
	int result = request_make(table, ref, request);
	if (result < 0)
		return heard ? 0 : result;
	return supervised ? 0 : ask_for_more(table, ref, more);
}

struct passing_on {
	struct request request;
	const struct cascade_asks *more;
	struct slot_ref *programs; /* without a supervisor, parents first */
	size_t count, room;
};

/* It is signalled after those nested in it, whose belonging it bears out while it lives. */
static bool put_off(struct passing_on *passing, struct slot_ref ref)
{
	if (passing->count == passing->room) {
		size_t room = passing->room ? 2 * passing->room : 16;
		struct slot_ref *grown = realloc(passing->programs, room * sizeof(*grown));
		if (!grown)
			return false;
		passing->programs = grown;
		passing->room = room;
	}
	passing->programs[passing->count++] = ref;
	return true;
}

static void pass_on(inv_table *table, struct slot_ref ref, void *arg)
{
	struct passing_on *passing = arg;

	if (passing->more->asks == 0 || has_supervisor(table, ref) || !put_off(passing, ref))
		request_and_ask(table, ref, &passing->request, passing->more);
	else
		request_make(table, ref, &passing->request);
}

static int pass_on_to_all(inv_table *table, struct slot_ref ref, const struct request *request,
                          const struct cascade_asks *more)
{
	struct passing_on passing = {
	        .request = {.cause = INV_CAUSE_PARENT, .reason = request->reason},
	        .more = more,
	};

	int error = cascade_each(table, ref, pass_on, &passing);
	while (passing.count > 0)
		ask_for_more(table, passing.programs[--passing.count], more);
	free(passing.programs);
	return error;
}

int cascade_request(inv_table *table, struct slot_ref ref, const struct request *request, bool only,
                    const struct cascade_asks *more)
{
	int result = request_and_ask(table, ref, request, more);

	if (result == -ESTALE)
		return result;
	/* Only the one who asks can do something about it, by asking again. */
	if (!only && pass_on_to_all(table, ref, request, more) != 0)
		return -ENOMEM;
	return result;
}

int inv_cancel(inv_table *table, const uint8_t id[16], unsigned flags, const char *reason)
{
	struct request request = {.cause = INV_CAUSE_REQUESTED, .reason = reason};
	int signum = (int)(flags >> 8);
	struct cascade_asks more = {.signum = signum};
	struct slot_ref ref;
	uint64_t word;

	if (flags & 0xf8 || signum > 64 || (signum && !(flags & INV_CANCEL_SIGNAL)))
		return -EINVAL;
	int error = table_resolve(table, false, &table);
	if (!error)
		error = slot_find(table, id, &ref, &word);
	if (error)
		return error;
	if (sweep_before_answer(table, ref.index, table_broker_watches(table)) &&
	    (word = slot_word(table, ref)) == 0)
		return -ENOENT;
	if (control_state(word) != SLOT_LIVE)
		return -EALREADY;
	if (flags & INV_CANCEL_KILL && atomic_load(&table->slots[ref.index].flags) & SLOT_NO_KILL)
		return -EPERM;
	more.asks |= flags & INV_CANCEL_SIGNAL ? (unsigned)ESCALATE_SIGNAL : 0;
	more.asks |= flags & INV_CANCEL_KILL ? (unsigned)ESCALATE_KILL : 0;
	more.target = (struct target){.id = id, .ref = ref};
	error = cascade_request(table, ref, &request, flags & INV_CANCEL_ONLY, &more);
	return error == -ESTALE ? -EALREADY : error;
}
