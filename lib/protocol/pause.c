/*
 * Pauses.
 *
 * A pause is a bit of the event word (table/event_word.c): a check or sleep that finds it stops
 * until it is gone, so that an action that is not paused pays nothing. A request takes it away with
 * the same swap that sets the event; so does the end. Inside a shield a check does not stop.
 *
 * The bit is set or cleared in a target first. Then it is spread: a scan makes the bit of each live
 * descendant as the target's is, and begins anew where that has changed meanwhile. What is
 * registered in the target inherits it in the same way, once it is live.
 *
 *   pause, resume   (1) the target's bit is set or cleared   (2) it is read   (3) the scan makes
 *                   that of each descendant so   (4) it is read again: as in (2), or go to (2)
 *   register        (1) the child is live   (2) its parent's bit is read: not set, or   (3) its
 *                   own is made so   (4) it is read again: as in (2), or go to (2)
 *
 * So a pause, a resume and a registration may come in any order, and the last scan that writes a
 * descendant's bit is one whose target's bit has stayed. A child that a scan does not find is live
 * later, and reads the bit that the scan was for. All words are sequentially consistent.
 *
 * What has never checked is refused. A descendant that has not goes on until it does, unless its
 * processes are stopped (SIGSTOP). Only its supervisor, or the broker in its place, knows which
 * they are. It does so by two words, so that it need remember nothing: ESCALATE_STOP in the
 * escalation word says that the pause is the processes', too.
 *
 *   stop set, paused       they are to be stopped
 *   stop set, not paused   they are to be continued (SIGCONT); then stop is cleared
 *
 *   pause      (1) paused       (2) stop set; then wake
 *   resume     (1) not paused   (2) stop set; then wake
 *   request    set, not paused  (the event wakes the supervisor)
 *   continued  (1) SIGCONT to the processes   (2) stop cleared   (3) the bit is read again: where
 *              a pause has come meanwhile, stop set, as that was perhaps its mark
 *
 * A resume sets the mark too: it continues what a signal from elsewhere has stopped.
 *
 * A SIGKILL
 *   of the pauser or resumer between bit and wake    waiters read the word again at the end of
 *                                                    their slice
 *   of a pauser or resumer between bit and mark,     each is as its bit says; a second pause or
 *   or in the scan                                   resume does the rest
 *   of the resumer between bit and mark              where a pause has stopped the processes, its
 *                                                    mark stands, and they are continued
 *   of a registrar between its steps                 its owner is dead, and the slot is swept
 *   of the supervisor anywhere                       the broker reads both words, and does it
 * again. Between clear and (3) of continued a pause may lose its mark: its processes go on, until a
 *                                                    second pause
 */
#include "protocol/pause.h"

#include <errno.h>

#include "os/futex.h"
#include "protocol/cascade.h"
#include "table/event_word.h"
#include "table/last_check.h"
#include "table/notification.h"
#include "table/slot.h"
#include "table/text.h"

/* How often a scan begins anew: in a damaged table the bit could change for ever. */
enum { TRIES_MAX = 64 };

static bool has_supervisor(const inv_table *table, struct slot_ref ref)
{
	return (atomic_load(&table->slots[ref.index].flags) & SLOT_KIND_MASK) == INV_KIND_RUN;
}

/* Set the mark, or clear it. The generation keeps it from the slot's next tenant. */
static void change_mark(shared_u64 *word, struct slot_ref ref, uint64_t mark)
{
	uint64_t seen = atomic_load(word);

	while (event_generation(seen) == ref.generation &&
	       !atomic_compare_exchange_weak(word, &seen, (seen & ~ESCALATE_STOP) | mark))
		;
}

/* Have the supervisor compare the two words, and act. */
static void mark_stop(inv_table *table, struct slot_ref ref)
{
	shared_u64 *word = &table->slots[ref.index].escalation;

	if (!has_supervisor(table, ref))
		return;
	change_mark(word, ref, ESCALATE_STOP);
	futex_wake_all(futex_low_half(word));
	notify_request(table, ref.index);
}

struct pausing {
	bool stop;
	pause_goes_on goes_on;
	void *arg;
};

/* One that goes on has the bit too: it stops at its first check. */
static void pause_nested(inv_table *table, struct slot_ref ref, void *arg)
{
	const struct pausing *pausing = arg;
	uint8_t id[16];

	if (event_word_pause(table, ref) < 0 || action_is_cooperative(table, ref))
		return;
	if (pausing->stop && has_supervisor(table, ref)) {
		mark_stop(table, ref);
		return;
	}
	words_load(table->ids[ref.index].half, 2, id);
	if (pausing->goes_on && slot_word(table, ref) != 0)
		pausing->goes_on(id, pausing->arg);
}

static void resume_nested(inv_table *table, struct slot_ref ref, void *arg)
{
	(void)arg;
	if (event_word_resume(table, ref) >= 0)
		mark_stop(table, ref);
}

static bool is_paused(const inv_table *table, struct slot_ref ref)
{
	return (event_word_load(table, ref) & EVENT_PAUSED) != 0;
}

static int spread(inv_table *table, struct slot_ref ref, struct pausing *pausing)
{
	int error = 0;

	for (int tries = 0; tries < TRIES_MAX && !error; tries++) {
		bool paused = is_paused(table, ref);
		error = cascade_each(table, ref, paused ? pause_nested : resume_nested, pausing);
		if (is_paused(table, ref) == paused)
			break;
		pausing->goes_on = NULL;
	}
	return error;
}

int pause_begin(inv_table *table, struct slot_ref ref, bool stop, pause_goes_on goes_on, void *arg)
{
	struct pausing pausing = {.stop = stop, .goes_on = goes_on, .arg = arg};
	bool cooperative = action_is_cooperative(table, ref);

	if (!cooperative && (!stop || !has_supervisor(table, ref)))
		return -EOPNOTSUPP;
	int result = event_word_pause(table, ref);
	if (result < 0)
		return result;
	if (!cooperative)
		mark_stop(table, ref);
	return spread(table, ref, &pausing);
}

int pause_end(inv_table *table, struct slot_ref ref)
{
	struct pausing pausing = {.stop = false};
	int result = event_word_resume(table, ref);

	if (result < 0)
		return result;
	mark_stop(table, ref);
	return spread(table, ref, &pausing);
}

static bool stops_processes(const inv_table *table, struct slot_ref ref)
{
	uint64_t word = atomic_load(&table->slots[ref.index].escalation);

	return event_generation(word) == ref.generation && word & ESCALATE_STOP;
}

void pause_inherit(inv_table *table, struct slot_ref ref, struct slot_ref parent)
{
	bool paused = is_paused(table, parent);

	if (!paused)
		return;
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		if (!paused)
			event_word_resume(table, ref);
		else if (event_word_pause(table, ref) >= 0 && stops_processes(table, parent))
			mark_stop(table, ref);
		bool now = is_paused(table, parent);
		if (now == paused)
			return;
		paused = now;
	}
}

void pause_continued(inv_table *table, struct slot_ref ref)
{
	shared_u64 *word = &table->slots[ref.index].escalation;

	change_mark(word, ref, 0);
	if (is_paused(table, ref))
		change_mark(word, ref, ESCALATE_STOP);
}
