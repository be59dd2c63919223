/*
 * Cancelling an invocation and its descendants.
 *
 * Each slot has a word in the parent index, which names its parent's slot. A scan of that dense
 * array finds the children of all that are marked, until a pass marks nothing new. A word of
 * the index is a hint, left by a former tenant perhaps: the slot's own parent_ref, with the
 * parent's generation, decides. Slots without SLOT_HAS_CHILDREN cost no scan.
 *
 * The parent's event is set before the scan, and a child that is registered after it
 * finds its parent's request pending. The scan goes on below finished invocations: what
 * outlives its parent is still a descendant of its grandparent.
 */
#include "protocol/cascade.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "os/futex.h"
#include "protocol/program.h"
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
	uint32_t hint = atomic_load_explicit(&table->parent_index[index], memory_order_relaxed);
	struct slot_ref parent;

	if (hint == 0 || hint > table->geometry.slots || !marked(marks, hint - 1) ||
	    marked(marks, index))
		return false;
	return slot_parent(table, (struct slot_ref){.index = index}, &parent) &&
	       parent.index == hint - 1 && slot_word(table, parent) != 0 &&
	       slot_visible(atomic_load(&table->control[index]));
}

/* Call each for every live descendant of those that are marked. */
static void scan(inv_table *table, struct marks *marks,
                 void (*each)(inv_table *table, struct slot_ref ref, void *arg), void *arg)
{
	for (bool found = true; found;) {
		found = false;
		for (uint32_t i = 0, extent = index_extent(table); i < extent; i++) {
			if (!child_of_marked(table, marks, i))
				continue;
			mark(marks, i);
			found = true;
			uint64_t word = atomic_load(&table->control[i]);
			if (control_state(word) == SLOT_LIVE)
				each(table, slot_ref_of(i, word), arg);
		}
	}
}

static int each_below(inv_table *table, const struct slot_ref *refs, size_t count,
                      void (*each)(inv_table *table, struct slot_ref ref, void *arg), void *arg)
{
	struct marks marks = {.words = (table->geometry.slots + 63) / 64};
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= (atomic_load(&table->slots[refs[i].index].flags) & SLOT_HAS_CHILDREN) != 0;
	if (!any)
		return 0;
	marks.bits = calloc(marks.words, sizeof(uint64_t));
	if (!marks.bits)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		mark(&marks, refs[i].index);
	scan(table, &marks, each, arg);
	free(marks.bits);
	return 0;
}

int cascade_each(inv_table *table, struct slot_ref ref,
                 void (*each)(inv_table *table, struct slot_ref ref, void *arg), void *arg)
{
	return each_below(table, &ref, 1, each, arg);
}

static void escalate_to_supervisor(inv_table *table, struct slot_ref ref, unsigned steps,
                                   int signum)
{
	shared_u64 *word = &table->slots[ref.index].escalation;
	uint64_t seen = atomic_load(word);

	while (event_generation(seen) == ref.generation) {
		uint64_t low = (uint32_t)(seen + ESCALATE_COUNT_STEP) | steps;
		if (steps & ESCALATE_SIGNAL)
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

static bool has_supervisor(const inv_table *table, struct slot_ref ref)
{
	return (atomic_load(&table->slots[ref.index].flags) & SLOT_KIND_MASK) == INV_KIND_RUN;
}

/* 0; -EPERM its process is not the caller's to signal. */
static int escalate(inv_table *table, struct slot_ref ref, const struct escalation_steps *more)
{
	unsigned steps = more->steps;
	int error = 0;

	if (atomic_load(&table->slots[ref.index].flags) & SLOT_NO_KILL)
		steps &= ~(unsigned)ESCALATE_KILL;
	if (steps == 0)
		return 0;
	if (has_supervisor(table, ref))
		escalate_to_supervisor(table, ref, steps, more->signum);
	else if (steps & ESCALATE_KILL)
		error = program_signal(table, ref, SIGKILL);
	else
		error = program_signal(table, ref, more->signum ? more->signum : SIGTERM);
	/* A process that has gone needs no signal. */
	return error == -EPERM ? -EPERM : 0;
}

/* Its outcome is decided; SIGKILL alone still makes a difference. */
static int kill_finishing(inv_table *table, struct slot_ref ref,
                          const struct escalation_steps *more)
{
	const struct escalation_steps kill = {.steps = more->steps & (unsigned)ESCALATE_KILL};

	return kill.steps ? escalate(table, ref, &kill) : -EALREADY;
}

/*
 * A supervisor gets the further steps before the request: woken by the event first, it would take
 * the usual one. Where a request is pending, the steps are for that one, and another changes
 * nothing. Once one was delivered, there is no usual step; SIGKILL then comes behind its request,
 * which would otherwise find the event closed and leave no record. A program has no supervisor
 * that could be too fast.
 */
static int request_and_escalate(inv_table *table, struct slot_ref ref,
                                const struct request *request, const struct escalation_steps *more)
{
	bool supervised = has_supervisor(table, ref);
	uint64_t event = event_word_load(table, ref);
	bool first = supervised && (event & EVENT_SET || !(event & EVENT_DELIVERED) ||
	                            !(more->steps & ESCALATE_KILL));
	/* With a request made before, the further steps may end it before the request. */
	bool ends_by_it =
	        first && more->steps != 0 && event_requested(event) && !(event & EVENT_ENDED);

	if (event & EVENT_FINISHING)
		return kill_finishing(table, ref, more);
	if (first)
		escalate(table, ref, more);
	if (first && more->steps != 0 && event & EVENT_SET && !(event & EVENT_ENDED))
		return 0;
	int result = request_make(table, ref, request);
	if (result == -EALREADY && !first)
		return kill_finishing(table, ref, more);
	if (result < 0)
		return ends_by_it ? 0 : result;
	return first ? 0 : escalate(table, ref, more);
}

struct passing_on {
	struct request request;
	const struct escalation_steps *more;
};

static void pass_on(inv_table *table, struct slot_ref ref, void *arg)
{
	struct passing_on *passing = arg;

	/* A SIGKILL to the parent leaves a finish command alone. */
	if (!(event_word_load(table, ref) & EVENT_FINISHING))
		request_and_escalate(table, ref, &passing->request, passing->more);
}

int cascade_request(inv_table *table, const struct slot_ref *refs, size_t count,
                    const struct request *request, bool only, const struct escalation_steps *more,
                    int *results)
{
	struct passing_on passing = {.request = *request, .more = more};

	passing.request.cause = INV_CAUSE_PARENT;
	for (size_t i = 0; i < count; i++)
		results[i] = request_and_escalate(table, refs[i], request, more);
	/* The caller alone can do something about it, by calling again. */
	return only ? 0 : each_below(table, refs, count, pass_on, &passing);
}
