/*
 * The end of a `run` in steps, where it does not end with its command: leftovers of a cancelled one
 * are waited for, or it has a finish command.
 *
 *   slot->finish: | outcome 16 | code 8 | by signal 1 | state 2 |, written by the owner alone
 *
 *   decide  state DECIDED with the outcome, no action's process; then, by one compare-and-swap,
 *           FINISHING in the event word that the outcome was decided by (lifecycle.c)
 *   start   the finish command's process as the action's; then state RUNNING. It executes nothing
 *           before that
 *   end     state ENDED with its exit status or signal
 *   record  LIVE -> DONE with the outcome that was decided (lifecycle.c)
 *
 * Until FINISHING is set the outcome is not decided. From then on no request is made, and the
 * outcome can't change. In RUNNING the invocation is shielded, so that the finish command's checks
 * and sleeps go on, and its nested runs start, whatever was pending.
 *
 * A SIGKILL of the owner
 *   before FINISHING   the broker takes over, and decides by what it can still know
 *   in DECIDED         the broker takes over, and goes on with that outcome
 *   in RUNNING         the broker waits until the process has ended. How is not known, and it may
 *                      have been killed too, so the finish command is run again
 *   in ENDED           the broker records the outcome
 * A sweep without a broker leaves it as it is while a finish command is owed; else it records the
 * outcome that was decided. Two never run at a time: the process that is recorded is waited for,
 * and one that is not recorded yet exits when its starter's end of their socket closes.
 *
 * The command itself is in the run file, never here.
 */
#include "protocol/finish.h"

#include "table/event_word.h"

enum { STATE_BITS = 2, BY_SIGNAL = 1 << STATE_BITS, CODE_SHIFT = 3, OUTCOME_SHIFT = 11 };
enum { STATE_MASK = (1 << STATE_BITS) - 1, CODE_MASK = 0xff, OUTCOME_MASK = 0xffff };

void finish_store(inv_table *table, struct slot_ref ref, const struct finish *finish)
{
	uint64_t word = (uint64_t)finish->state | (finish->by_signal ? BY_SIGNAL : 0u) |
	                (uint64_t)(finish->code & CODE_MASK) << CODE_SHIFT |
	                (uint64_t)outcome_pack(&finish->outcome) << OUTCOME_SHIFT;

	/* release: who sees FINISHING, or the state, sees what was written before it */
	atomic_store_explicit(&table->slots[ref.index].finish, word, memory_order_release);
}

struct finish finish_load(const inv_table *table, struct slot_ref ref)
{
	uint64_t word = atomic_load_explicit(&table->slots[ref.index].finish, memory_order_acquire);
	struct finish finish = {
	        .state = (enum finish_state)(word & STATE_MASK),
	        .by_signal = (word & BY_SIGNAL) != 0,
	        .code = word >> CODE_SHIFT & CODE_MASK,
	        .outcome = outcome_unpack(word >> OUTCOME_SHIFT & OUTCOME_MASK),
	};

	if (!(event_word_load(table, ref) & EVENT_FINISHING))
		return (struct finish){.state = FINISH_NONE};
	/* No outcome is anything but an end. */
	if (finish.outcome.status != INV_COMPLETED && finish.outcome.status != INV_CANCELLED)
		finish.outcome.status = INV_ERROR;
	return finish;
}

bool finish_shields(const inv_table *table, struct slot_ref ref)
{
	return finish_load(table, ref).state == FINISH_RUNNING;
}

bool finish_is_owed(const inv_table *table, struct slot_ref ref)
{
	uint64_t flags = atomic_load(&table->slots[ref.index].flags);

	return flags & SLOT_FINISH_COMMAND && !(flags & SLOT_PENDING) &&
	       finish_load(table, ref).state != FINISH_ENDED;
}
