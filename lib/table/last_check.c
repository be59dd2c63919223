/*
 * When an action last reached a cancellation point: a word of its slot,
 *
 *   | generation 32 | 1 + 10-ms ticks since the table was made |; 0 ticks: never
 *
 * Any process of the action may write it. A SIGKILL leaves the value before or after.
 */
#include "table/last_check.h"

#include "os/clock.h"
#include "table/event_word.h"

enum { TICK_NS = 10000000 };

/* Since the table was made, as it says itself: 0 where that can't be. */
static int64_t since_made_ns(const inv_table *table, int64_t now_ns)
{
	int64_t since_ns;

	if (__builtin_sub_overflow(now_ns, table->header->created_monotonic_ns, &since_ns))
		return 0;
	return since_ns > 0 ? since_ns : 0;
}

void last_check_note(inv_table *table, struct slot_ref ref)
{
	shared_u64 *noted = &table->slots[ref.index].last_check;
	uint64_t ticks = (uint64_t)(since_made_ns(table, clock_monotonic_coarse_ns()) / TICK_NS);
	uint64_t seen = atomic_load_explicit(noted, memory_order_relaxed);
	uint64_t now = (uint64_t)ref.generation << 32 | ((ticks + 1) & UINT32_MAX);

	/* The generation keeps a late note from counting for the next tenant. */
	while (event_generation(seen) == ref.generation && seen != now &&
	       !atomic_compare_exchange_weak(noted, &seen, now))
		;
}

int64_t last_check_time_ns(const inv_table *table, struct slot_ref ref)
{
	const struct slot *slot = &table->slots[ref.index];
	uint64_t noted = atomic_load(&slot->last_check);
	uint64_t ticks = noted & UINT32_MAX;
	int64_t ended_ns = atomic_load(&slot->completed_monotonic_ns);

	if (event_generation(noted) != ref.generation || ticks == 0)
		return 0;
	/* Of one that has ended it is counted from there, so that it stands still. */
	int64_t age_ns = since_made_ns(table, ended_ns ? ended_ns : clock_monotonic_ns()) -
	                 (int64_t)(ticks - 1) * TICK_NS;
	int64_t time_ns = ended_ns ? atomic_load(&slot->completed_ns) : clock_realtime_ns();

	int64_t checked_ns;

	return __builtin_sub_overflow(time_ns, age_ns > 0 ? age_ns : 0, &checked_ns) ? 0
	                                                                             : checked_ns;
}

bool action_is_cooperative(const inv_table *table, struct slot_ref ref)
{
	return last_check_time_ns(table, ref) != 0 ||
	       (atomic_load(&table->slots[ref.index].flags) & SLOT_COOPERATIVE) != 0;
}
