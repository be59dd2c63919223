/*
 * A request and its record.
 *
 * The record belongs to the sequence number that the event word gets by the
 * request. Its word,
 *
 *   | generation 32 | sequence 28 | stage 4 |
 *
 * is claimed for that number by one compare-and-swap; the claimer writes the
 * record, marks it ready, and then sets the event. A rival that finds it claimed
 * leaves it alone and sets the event: the first request's cause stands.
 *
 * A SIGKILL
 *   while writing          the next requester sets the event; the record stays
 *                          without text and reads as "requested"
 *   between ready and set  no request was made; the next one has the same number
 *                          and carries this record's cause and actor
 * A writer stalled over a whole later request could mix its text into the record of
 * that one: wrong words, never a wrong decision.
 */
#include "protocol/request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fork.h"
#include "os/process.h"
#include "table/event_word.h"
#include "table/notification.h"
#include "table/text.h"

enum { STAGE_WRITING = 1, STAGE_READY = 2, STAGE_MASK = 15 };
enum { ACTOR_CAUSE_MASK = 0xff, ACTOR_PID_SHIFT = 8, ACTOR_UID_SHIFT = 32 };
#define ACTOR_PID_MASK UINT64_C(0xffffff)

static uint64_t record_word(struct slot_ref ref, uint32_t sequence, unsigned stage)
{
	return (uint64_t)ref.generation << 32 | (uint64_t)sequence << 4 | stage;
}

/* What is recorded of this process, read at a thread's first request: six system calls, which
 * would make up most of a set. A later setuid(2) or change of name is not recorded. */
static _Thread_local struct {
	unsigned process; /* fork_generation() of when it was read */
	uint64_t uid_pid; /* as in the slot, without a cause */
	char command[INV_COMMAND_BYTES];
} own;

static void read_own_actor(void)
{
	if (own.process == fork_generation())
		return;
	process_command(getpid(), own.command);
	own.uid_pid = (uint64_t)geteuid() << ACTOR_UID_SHIFT | (uint64_t)getpid()
	                                                               << ACTOR_PID_SHIFT;
	own.process = fork_generation();
}

static void write_record(struct slot *slot, const struct request *request)
{
	read_own_actor();
	atomic_store_explicit(&slot->request_ns, clock_realtime_ns(), memory_order_release);
	atomic_store_explicit(&slot->request_monotonic_ns, clock_monotonic_ns(),
	                      memory_order_release);
	atomic_store_explicit(&slot->request_actor,
	                      own.uid_pid | ((unsigned)request->cause & ACTOR_CAUSE_MASK),
	                      memory_order_release);
	text_store(slot->request_command, INV_COMMAND_BYTES / 8, own.command);
	text_store(slot->request_reason, INV_REASON_BYTES / 8, request->reason);
}

static void record(inv_table *table, struct slot_ref ref, uint32_t sequence,
                   const struct request *request)
{
	struct slot *slot = &table->slots[ref.index];
	uint64_t word = atomic_load(&slot->request_word);
	uint64_t writing = record_word(ref, sequence, STAGE_WRITING);

	if ((word & ~(uint64_t)STAGE_MASK) == (writing & ~(uint64_t)STAGE_MASK))
		return;
	if (!atomic_compare_exchange_strong(&slot->request_word, &word, writing))
		return;
	write_record(slot, request);
	atomic_compare_exchange_strong(&slot->request_word, &writing,
	                               record_word(ref, sequence, STAGE_READY));
}

int request_make(inv_table *table, struct slot_ref ref, const struct request *request)
{
	for (;;) {
		uint64_t word = event_word_load(table, ref);
		if (word == 0 || word & EVENT_ENDED)
			return -ESTALE;
		if (word & EVENT_SET)
			return 0;
		record(table, ref, event_sequence(event_next_sequence(word)), request);
		if (event_word_set(table, ref, word)) {
			notify_request(table, ref.index);
			return 1;
		}
	}
}

void request_read(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                  struct request_record *out)
{
	const struct slot *slot = &table->slots[ref.index];
	uint64_t ready = record_word(ref, event_sequence(event_word), STAGE_READY);

	memset(out, 0, sizeof(*out));
	if (!(event_word & EVENT_REQUESTED))
		return;
	out->cause = INV_CAUSE_REQUESTED;
	if (atomic_load(&slot->request_word) != ready)
		return;
	uint64_t actor = atomic_load(&slot->request_actor);
	int cause = (int)(actor & ACTOR_CAUSE_MASK);
	out->time_ns = atomic_load(&slot->request_ns);
	out->monotonic_ns = atomic_load(&slot->request_monotonic_ns);
	text_load(slot->request_command, INV_COMMAND_BYTES / 8, out->command);
	text_load(slot->request_reason, INV_REASON_BYTES / 8, out->reason);
	if (atomic_load(&slot->request_word) != ready) {
		memset(out, 0, sizeof(*out));
		out->cause = INV_CAUSE_REQUESTED;
		return;
	}
	out->uid = (uint32_t)(actor >> ACTOR_UID_SHIFT);
	out->pid = (int32_t)(actor >> ACTOR_PID_SHIFT & ACTOR_PID_MASK);
	if (cause > INV_CAUSE_NONE && cause <= INV_CAUSE_HOLD)
		out->cause = cause;
}
