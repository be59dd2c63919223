/*
 * Outcomes: see lifecycle.h.
 *
 * The owner closes the event first: from then on no request is taken, so what the
 * word says about requests is final, and the outcome that follows from it can't be
 * contradicted by a late one. Then the outcome is recorded by one transition of the
 * control word. A SIGKILL in between leaves a closed event and a dead owner: the
 * sweep decides again, from the same word.
 *
 * Where something follows the command (finish.h), the outcome is decided before, and is recorded as
 * it was decided.
 *
 * A sweep after a dead owner records first and closes then: a sweeper that
 * loses to the broker's taking over must not have closed what goes on to live. A
 * request that comes in between is lost with its invocation. A SIGKILL in between
 * leaves a finished slot with an open event; the owner's entry is freed last, so
 * that the next sweep comes by and closes it.
 */
#include "protocol/lifecycle.h"

#include <errno.h>

#include "invctl-exit-status.h"
#include "protocol/finish.h"
#include "protocol/request.h"
#include "table/event_word.h"
#include "table/last_check.h"
#include "table/notification.h"

static bool ended_well(const struct ending *ending)
{
	return (ending->how == ENDING_EXITED && ending->code == 0) ||
	       (ending->how == ENDING_CALL && ending->code == INV_COMPLETED);
}

/* The first line of the contract between user and run that fits. */
static struct outcome decide(bool requested, int request_cause, uint64_t flags,
                             bool nested_cancelled, const struct ending *ending)
{
	struct outcome outcome = {.status = INV_ERROR, .code = (unsigned)ending->code & 0xff};
	bool delivered_hard = flags & SLOT_SIGNALLED || nested_cancelled;

	outcome.by_signal = ending->how == ENDING_SIGNALLED;
	if (ending->how == ENDING_EXEC_FAILED)
		outcome.code = ending->code == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	else if (ending->how == ENDING_LOST || ending->how == ENDING_NOT_STARTED)
		outcome.code = 0;
	else if (ending->how == ENDING_CALL)
		outcome.code = ending->code == INV_COMPLETED ? 0 : 1;

	if (ending->how == ENDING_NOT_STARTED) {
		outcome.status = INV_CANCELLED;
		outcome.cause = (unsigned)(requested ? request_cause : INV_CAUSE_PARENT);
	} else if (requested && flags & SLOT_KILLED) {
		outcome.status = INV_CANCELLED;
		outcome.cause = (unsigned)request_cause;
		outcome.killed = true;
	} else if (requested && (delivered_hard || !ended_well(ending))) {
		outcome.status = INV_CANCELLED;
		outcome.cause = (unsigned)request_cause;
	} else if (ended_well(ending)) {
		outcome.status = INV_COMPLETED;
		outcome.cause = INV_CAUSE_EXIT;
	} else if (ending->how == ENDING_CALL && ending->code == INV_CANCELLED) {
		outcome.status = INV_CANCELLED;
		outcome.cause = INV_CAUSE_EXIT;
	} else {
		outcome.cause = ending->how == ENDING_LOST          ? INV_CAUSE_LOST
		                : ending->how == ENDING_EXEC_FAILED ? INV_CAUSE_EXEC
		                : ending->how == ENDING_SIGNALLED   ? INV_CAUSE_SIGNAL
		                                                    : INV_CAUSE_EXIT;
	}
	return outcome;
}

struct outcome outcome_without_request(const struct ending *ending)
{
	return decide(false, INV_CAUSE_NONE, 0, false, ending);
}

/* A nested run that ends by its parent's request is a cancellation point of the parent: the
 * parent's script has its answer, and needs no signal. Before the end can be seen. Where
 * its supervisor is dead nothing has come back to the script. */
static void note_at_parent(inv_table *table, struct slot_ref ref)
{
	struct slot_ref parent;

	if (!slot_parent(table, ref, &parent) || slot_word(table, parent) == 0)
		return;
	last_check_note(table, parent);
	shared_u64 *escalation = &table->slots[parent.index].escalation;
	uint64_t seen = atomic_load(escalation);
	/* The parent may have ended meanwhile, and its slot have another tenant. */
	while (event_generation(seen) == parent.generation &&
	       !atomic_compare_exchange_weak(escalation, &seen, seen | ESCALATE_NESTED_CANCELLED))
		;
}

static bool nested_cancelled(const inv_table *table, struct slot_ref ref)
{
	uint64_t escalation = atomic_load(&table->slots[ref.index].escalation);

	return event_generation(escalation) == ref.generation &&
	       escalation & ESCALATE_NESTED_CANCELLED;
}

static struct outcome decide_now(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                                 const struct ending *ending)
{
	struct inv_request request;
	int64_t made_ns;
	uint64_t flags = atomic_load(&table->slots[ref.index].flags);

	if (event_word & EVENT_FINISHING)
		return finish_load(table, ref).outcome;
	request_read(table, ref, event_word, &request, &made_ns);
	return decide(event_requested(event_word), request.cause, flags,
	              nested_cancelled(table, ref), ending);
}

void lifecycle_decide(inv_table *table, struct slot_ref ref, const struct ending *ending,
                      struct outcome *outcome)
{
	struct slot *slot = &table->slots[ref.index];
	struct finish finish = {.state = FINISH_DECIDED};
	uint64_t event_word;

	do {
		event_word = event_word_load(table, ref);
		finish.outcome = decide_now(table, ref, event_word, ending);
		if (event_word == 0 || event_word & (EVENT_FINISHING | EVENT_ENDED))
			break;
		atomic_store(&slot->action_process, 0);
		finish_store(table, ref, &finish);
	} while (!event_word_finish(table, ref, event_word));
	*outcome = finish.outcome;
}

static int record_end(inv_table *table, struct slot_ref ref, uint64_t word, uint64_t event_word,
                      const struct ending *ending, struct outcome *outcome)
{
	uint64_t flags = atomic_load(&table->slots[ref.index].flags);

	*outcome = decide_now(table, ref, event_word, ending);
	if ((flags & SLOT_KIND_MASK) == INV_KIND_RUN && outcome->status == INV_CANCELLED &&
	    outcome->cause == INV_CAUSE_PARENT && ending->how != ENDING_LOST)
		note_at_parent(table, ref);
	if (!slot_finish(table, ref, word, outcome))
		return -ESTALE;
	notify_broker(table);
	return 0;
}

int lifecycle_end(inv_table *table, struct slot_ref ref, uint64_t word, const struct ending *ending,
                  struct outcome *outcome)
{
	/* Closed first: requests until then count, and none after it. */
	return record_end(table, ref, word, event_word_close(table, ref), ending, outcome);
}

bool lifecycle_lose(inv_table *table, struct slot_ref ref, uint64_t word)
{
	struct ending lost = {.how = ENDING_LOST};
	struct outcome outcome;

	return record_end(table, ref, word, event_word_load(table, ref), &lost, &outcome) == 0;
}

int outcome_exit_status(const struct outcome *outcome)
{
	if (outcome->status == INV_COMPLETED)
		return 0;
	if (outcome->status == INV_CANCELLED) {
		if (outcome->killed)
			return EXIT_KILLED;
		return outcome->cause == INV_CAUSE_DEADLINE ? EXIT_DEADLINE : EXIT_CANCELLED;
	}
	if (outcome->cause == INV_CAUSE_LOST)
		return EXIT_INTERNAL;
	/* A signal is less than 128, whatever a damaged table says. */
	return outcome->by_signal ? EXIT_SIGNAL_BASE + (int)(outcome->code & 0x7f)
	                          : (int)outcome->code;
}
