/*
 * What a supervisor sees of its invocation, and how it sleeps until that changes: the
 * reading half of run.c.
 */
#include <errno.h>
#include <string.h>

#include "api/run.h"
#include "os/clock.h"
#include "os/futex.h"
#include "protocol/request.h"
#include "protocol/shield.h"
#include "table/event_word.h"

static int64_t unpack_after(uint64_t packed)
{
	uint32_t after = (uint32_t)packed;

	return after == 0 ? INV_FOREVER : (int64_t)(after - 1) * RUN_NS_PER_MS;
}

struct slot *run_slot(const inv_invocation *invocation)
{
	return &invocation->table->slots[invocation->ref.index];
}

uint64_t run_owned_word(const inv_invocation *invocation)
{
	const inv_table *table = invocation->table;
	uint64_t word;

	if (atomic_load(&invocation->event->disowned))
		return 0;
	word = slot_word(table, invocation->ref);
	return control_state(word) == SLOT_LIVE && control_owner(word) == table->owner ? word : 0;
}

/* When the request was made: as its record says, but never in the future; where the
 * record is not readable, when it was first seen. */
static int64_t requested_at_ns(inv_invocation *invocation, uint64_t event_word,
                               const struct request_record *record)
{
	int64_t now_ns = clock_monotonic_ns();

	if (invocation->request_seen != event_sequence(event_word) ||
	    !invocation->request_seen_ns) {
		invocation->request_seen = event_sequence(event_word);
		invocation->request_seen_ns = now_ns;
	}
	if (record->monotonic_ns > 0 && record->monotonic_ns <= now_ns)
		return record->monotonic_ns;
	return invocation->request_seen_ns;
}

/* A number that is no signal's is none. */
static int signal_number(uint64_t bits)
{
	unsigned number = (unsigned)(bits & RUN_SIGNUM_MASK);

	return number <= RUN_SIGNUM_MAX ? (int)number : 0;
}

static void view_asks(const struct slot *slot, struct slot_ref ref, struct inv_run_view *view)
{
	uint64_t asks = atomic_load(&slot->escalation);

	view->escalation_futex = (uint32_t)asks;
	if (event_generation(asks) != ref.generation)
		return;
	view->force_kill = (asks & ESCALATE_KILL) != 0;
	view->force_signal = (asks & ESCALATE_SIGNAL) != 0;
	view->force_signum = signal_number(asks >> ESCALATE_SIGNUM_SHIFT);
	view->force_count = (uint32_t)asks >> 16;
}

static void view_options(const struct slot *slot, uint64_t flags, struct inv_run_view *view)
{
	uint64_t after = atomic_load(&slot->after_ms);
	uint64_t action = atomic_load(&slot->action_process);
	int64_t deadline_ns = atomic_load(&slot->deadline_monotonic_ns);

	view->signal = signal_number(flags >> SLOT_SIGNUM_SHIFT);
	view->request_signal = signal_number(flags >> SLOT_REQUEST_SIGNUM_SHIFT);
	view->flags = (flags & SLOT_NO_KILL ? INV_RUN_NO_KILL : 0u) |
	              (flags & SLOT_STOP_COMMAND ? INV_RUN_STOP_COMMAND : 0u);
	view->signal_after_ns = unpack_after(after);
	view->kill_after_ns = unpack_after(after >> 32);
	view->nested_wait_ns = unpack_after(flags >> SLOT_NESTED_WAIT_SHIFT);
	view->deadline_ns = deadline_ns > 0 ? deadline_ns : INV_FOREVER;
	view->pid = (pid_t)(action & ACTION_PID_MASK);
	view->pid_start = action >> ACTION_START_SHIFT;
	view->signalled = (flags & SLOT_SIGNALLED) != 0;
	view->killed = (flags & SLOT_KILLED) != 0;
	view->had_nested = (flags & SLOT_HAS_CHILDREN) != 0;
}

int inv_run_view(inv_invocation *invocation, struct inv_run_view *view)
{
	inv_table *table = invocation->table;
	const struct slot *slot = run_slot(invocation);
	struct request_record record;

	memset(view, 0, sizeof(*view));
	if (run_owned_word(invocation) == 0)
		return -ESTALE;
	uint64_t word = event_word_load(table, invocation->ref);
	uint64_t flags = atomic_load(&slot->flags);
	view->event_futex = (uint32_t)word;
	view->requested = (word & EVENT_REQUESTED) != 0;
	view->pending = (word & EVENT_SET) != 0;
	view->cooperative = last_check_time_ns(table, invocation->ref) != 0;
	view->request = event_sequence(word);
	view_asks(slot, invocation->ref, view);
	view_options(slot, flags, view);
	if (view->requested) {
		request_read(table, invocation->ref, word, &record);
		view->cause = record.cause;
		view->requested_at_ns = requested_at_ns(invocation, word, &record);
	}
	if (view->pending)
		view->shielded = shield_holds(table, invocation->ref);
	return 0;
}

void inv_run_wait(inv_invocation *invocation, const struct inv_run_view *view,
                  const _Atomic uint32_t *word, uint32_t seen, int64_t until_ns)
{
	inv_table *table = invocation->table;
	/* A slice at most: whoever asks may be killed before the wake, and a shield
	 * that holds up a request may end with its process. */
	int64_t slice_end_ns = clock_monotonic_ns() + WAIT_SLICE_NS;
	struct futex_watch watch[] = {
	        {.word = futex_low_half(&table->event[invocation->ref.index]),
	         .seen = view->event_futex},
	        {.word = futex_low_half(&run_slot(invocation)->escalation),
	         .seen = view->escalation_futex},
	        {.word = word, .seen = seen},
	};

	if (until_ns < 0 || until_ns > slice_end_ns)
		until_ns = slice_end_ns;
	futex_wait_any(watch, word ? 3 : 2, until_ns);
}
