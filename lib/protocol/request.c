/*
 * A request and its record.
 *
 * The record belongs to the sequence number that the event word gets by the request, and lies in
 * one of two places of the slot: request[sequence % 2]. A pending request and the last one that
 * was delivered have numbers of different parity (event_word.c), so that a later request, while
 * it is not delivered, never replaces the record of the one that stopped the action.
 *
 * A record's word,
 *
 *   | generation 32 | sequence 26 | stage 6 |
 *
 * is claimed for that number by one compare-and-swap; the claimer writes the
 * record, marks it ready, and then sets the event. A rival that finds it claimed
 * leaves it alone and sets the event: the first request's cause stands.
 *
 * One command or call makes at most one request of each invocation, however it reaches it: the
 * record carries the call's number, and a requester that finds the number in the record of the last
 * or last but one request makes none. The event word is read before the records, and the set fails
 * where it has changed since, so that of two that race one finds the other's.
 *
 * A SIGKILL
 *   while writing          the next requester sets the event; the record stays
 *                          without text and reads as "requested"
 *   between ready and set  no request was made; the next one has the same number
 *                          and carries this record's cause and actor
 * A writer stalled over two later requests could mix its text into the record of
 * the second: wrong words, never a wrong decision.
 */
#include "protocol/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fork.h"
#include "os/futex.h"
#include "os/process.h"
#include "table/event_word.h"
#include "table/notification.h"
#include "table/text.h"

enum { STAGE_BITS = 6, STAGE_WRITING = 1, STAGE_READY = 2, STAGE_MASK = (1 << STAGE_BITS) - 1 };
enum {
	ACTOR_CAUSE_MASK = 0x3f,
	ACTOR_BY_SIGNAL = 0x40,
	ACTOR_BY_ADDRESS = 0x80,
	ACTOR_PID_SHIFT = 8,
	ACTOR_UID_SHIFT = 32
};
#define ACTOR_PID_MASK UINT64_C(0xffffff)
#define ONE_SIGNAL_NS NS_PER_SECOND
#define SEQUENCE_MASK (EVENT_SEQUENCE_MASK / EVENT_SEQUENCE_STEP)

static uint64_t record_word(struct slot_ref ref, uint32_t sequence, unsigned stage)
{
	return (uint64_t)ref.generation << 32 | (uint64_t)sequence << STAGE_BITS | stage;
}

/* What is recorded of this process, read at a thread's first request: six system calls, which
 * would make up most of a set. A later setuid(2) or change of name is not recorded. */
static _Thread_local struct {
	unsigned process; /* fork_generation() of when it was read */
	uint64_t uid_pid; /* as in the slot, without a cause */
	char command[INV_COMMAND_BYTES];
} own;

/* What the program has said about who makes its requests (inv_actor_set). */
static struct {
	bool by_address;
	char command[INV_COMMAND_BYTES]; /* "": the process's */
	char origin[ORIGIN_BYTES];
} stated;

/* The address; where that is NULL, terminal and script, each with its NUL. */
static void join_origin(const char *address, const char *terminal, const char *script,
                        char origin[ORIGIN_BYTES])
{
	if (address) {
		snprintf(origin, ORIGIN_BYTES, "%s", address);
		return;
	}
	size_t used = (size_t)snprintf(origin, INV_TERMINAL_BYTES, "%s", terminal ? terminal : "");
	if (used >= INV_TERMINAL_BYTES)
		used = INV_TERMINAL_BYTES - 1;
	snprintf(origin + used + 1, ORIGIN_BYTES - used - 1, "%s", script ? script : "");
}

void request_set_actor(const struct inv_actor *actor)
{
	memset(&stated, 0, sizeof(stated));
	if (actor->command)
		snprintf(stated.command, sizeof(stated.command), "%s", actor->command);
	stated.by_address = actor->address != NULL;
	join_origin(actor->address, actor->terminal, actor->script, stated.origin);
}

static void read_own(void)
{
	if (own.process == fork_generation())
		return;
	process_command(getpid(), own.command);
	own.uid_pid = (uint64_t)geteuid() << ACTOR_UID_SHIFT | (uint64_t)getpid()
	                                                               << ACTOR_PID_SHIFT;
	own.process = fork_generation();
}

void request_write(struct request_record *record, const struct request *request)
{
	read_own();
	atomic_store_explicit(&record->time_ns, clock_realtime_ns(), memory_order_release);
	atomic_store_explicit(&record->monotonic_ns, clock_monotonic_ns(), memory_order_release);
	atomic_store_explicit(&record->actor,
	                      own.uid_pid | (stated.by_address ? ACTOR_BY_ADDRESS : 0u) |
	                              (request->by_signal ? ACTOR_BY_SIGNAL : 0u) |
	                              ((unsigned)request->cause & ACTOR_CAUSE_MASK),
	                      memory_order_release);
	atomic_store_explicit(&record->call, request->call, memory_order_release);
	text_store(record->command, INV_COMMAND_BYTES / 8,
	           *stated.command ? stated.command : own.command);
	words_store(record->origin, ORIGIN_BYTES / 8, stated.origin);
	text_store(record->reason, INV_REASON_BYTES / 8, request->reason);
}

/*
 * Claim the record of the request that would follow the event word seen. true: it is the
 * caller's to write. false: a rival has claimed it for the same request, or the event has changed.
 *
 * A late requester must not take the place from a request made since. The event is read after the
 * record's word: if it is as seen, the request has not been made yet; if it is made from here
 * on, its maker has claimed the record before, and the swap fails.
 */
static bool claim(inv_table *table, struct slot_ref ref, uint64_t seen,
                  struct request_record *record, uint64_t writing)
{
	uint64_t word = atomic_load(&record->word);

	for (;;) {
		if ((word & ~(uint64_t)STAGE_MASK) == (writing & ~(uint64_t)STAGE_MASK))
			return false;
		uint64_t now = event_word_load(table, ref);
		if ((now ^ seen) & (EVENT_SEQUENCE_MASK | EVENT_SET))
			return false;
		if (atomic_compare_exchange_strong(&record->word, &word, writing))
			return true;
	}
}

static void record(inv_table *table, struct slot_ref ref, uint64_t seen,
                   const struct request *request)
{
	uint32_t sequence = event_sequence(event_next_sequence(seen));
	struct request_record *record = &table->slots[ref.index].request[sequence % 2];
	uint64_t writing = record_word(ref, sequence, STAGE_WRITING);

	if (!claim(table, ref, seen, record, writing))
		return;
	request_write(record, request);
	atomic_compare_exchange_strong(&record->word, &writing,
	                               record_word(ref, sequence, STAGE_READY));
}

uint64_t request_call(void)
{
	static _Atomic uint64_t count;
	uint64_t number = atomic_fetch_add(&count, 1) << 1 | 1;

	return (uint64_t)clock_realtime_ns() ^ (uint64_t)getpid() << 40 ^ number;
}

uint64_t request_call_of(const inv_table *table, struct slot_ref ref, uint64_t event_word)
{
	uint32_t sequence = event_sequence(event_word);
	const struct request_record *record = &table->slots[ref.index].request[sequence % 2];

	return atomic_load(&record->word) == record_word(ref, sequence, STAGE_READY)
	               ? atomic_load(&record->call)
	               : 0;
}

/* It is the request of that record once more: of one call, which reaches an invocation by two ways
 * (as a target and as a descendant, by the cascade and by a join); or one signal that an init
 * system sends to each of several nested `run`s, which pass it on. The same `run` signalled twice
 * gets two requests. */
static bool repeats(const struct request_record *record, struct slot_ref ref,
                    const struct request *request)
{
	uint64_t word = atomic_load(&record->word);
	uint64_t actor = atomic_load(&record->actor);
	int64_t age_ns = clock_monotonic_ns() - atomic_load(&record->monotonic_ns);
	bool passed_on = request->cause == INV_CAUSE_PARENT ||
	                 (actor & ACTOR_CAUSE_MASK) == INV_CAUSE_PARENT;

	if (event_generation(word) != ref.generation || (word & STAGE_MASK) != STAGE_READY)
		return false;
	if (request->call != 0 && atomic_load(&record->call) == request->call)
		return true;
	return request->by_signal && actor & ACTOR_BY_SIGNAL && passed_on && age_ns >= 0 &&
	       age_ns < ONE_SIGNAL_NS;
}

/* The records of the last two requests; of a withdrawn one too: the call has made it. */
static bool is_repeated(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                        const struct request *request)
{
	const struct request_record *records = table->slots[ref.index].request;

	if (event_sequence(event_word) == 0 || (request->call == 0 && !request->by_signal))
		return false;
	return repeats(&records[0], ref, request) || repeats(&records[1], ref, request);
}

int request_make(inv_table *table, struct slot_ref ref, const struct request *request)
{
	for (;;) {
		uint64_t word = event_word_load(table, ref);
		if (word == 0 || word & EVENT_ENDED)
			return -ESTALE;
		if (word & EVENT_FINISHING)
			return -EALREADY;
		if (word & EVENT_SET || is_repeated(table, ref, word, request))
			return 0;
		record(table, ref, word, request);
		if (event_word_set(table, ref, word)) {
			notify_request(table, ref.index);
			return 1;
		}
	}
}

/* Where `run` supervises: by this moment it tells a leftover from clean-up. */
static void note_newest_process(inv_table *table, struct slot_ref ref)
{
	shared_u64 *escalation = &table->slots[ref.index].escalation;
	uint64_t newest =
	        (uint64_t)process_newest() << ESCALATE_NEWEST_SHIFT & ESCALATE_NEWEST_MASK;
	uint64_t seen = atomic_load(escalation);

	while (event_generation(seen) == ref.generation &&
	       !atomic_compare_exchange_weak(escalation, &seen,
	                                     (seen & ~ESCALATE_NEWEST_MASK) | newest))
		;
}

int request_take(inv_table *table, struct slot_ref ref)
{
	struct slot *slot = &table->slots[ref.index];
	bool supervised = (atomic_load(&slot->flags) & SLOT_KIND_MASK) == INV_KIND_RUN;

	/* Before the request is seen as taken. */
	if (supervised)
		note_newest_process(table, ref);
	int taken = event_word_consume(table, ref);
	if (taken == 1 && supervised)
		futex_wake_all(futex_low_half(&slot->escalation));
	return taken;
}

void request_restore(struct request_record *record, const struct inv_request *request)
{
	char origin[ORIGIN_BYTES] = "";
	bool by_address = request->address[0] != '\0';

	join_origin(by_address ? request->address : NULL, request->terminal, request->script,
	            origin);
	atomic_store(&record->time_ns, request->time_ns);
	/* Before the last start of the machine, it is negative. */
	atomic_store(&record->monotonic_ns, clock_monotonic_ns() - request->age_ns);
	atomic_store(&record->actor, (uint64_t)request->uid << ACTOR_UID_SHIFT |
	                                     ((uint64_t)(uint32_t)request->pid & ACTOR_PID_MASK)
	                                             << ACTOR_PID_SHIFT |
	                                     (by_address ? ACTOR_BY_ADDRESS : 0u) |
	                                     ((unsigned)request->cause & ACTOR_CAUSE_MASK));
	text_store(record->command, INV_COMMAND_BYTES / 8, request->command);
	words_store(record->origin, ORIGIN_BYTES / 8, origin);
	text_store(record->reason, INV_REASON_BYTES / 8, request->reason);
}

static void split_origin(uint64_t actor, const char origin[ORIGIN_BYTES + 1],
                         struct inv_request *out)
{
	if (actor & ACTOR_BY_ADDRESS) {
		snprintf(out->address, sizeof(out->address), "%s", origin);
		return;
	}
	snprintf(out->terminal, sizeof(out->terminal), "%.*s", INV_TERMINAL_BYTES - 1, origin);
	size_t terminal = strlen(out->terminal);
	if (origin[terminal] == '\0')
		snprintf(out->script, sizeof(out->script), "%s", origin + terminal + 1);
}

bool request_copy(const struct request_record *record, uint64_t word, struct inv_request *out,
                  int64_t *monotonic_ns)
{
	char origin[ORIGIN_BYTES + 1] = "";

	if (atomic_load(&record->word) != word)
		return false;
	uint64_t actor = atomic_load(&record->actor);
	int cause = (int)(actor & ACTOR_CAUSE_MASK);
	out->time_ns = atomic_load(&record->time_ns);
	*monotonic_ns = atomic_load(&record->monotonic_ns);
	text_load(record->command, INV_COMMAND_BYTES / 8, out->command);
	words_load(record->origin, ORIGIN_BYTES / 8, origin);
	text_load(record->reason, INV_REASON_BYTES / 8, out->reason);
	if (atomic_load(&record->word) != word)
		return false;
	out->uid = (uint32_t)(actor >> ACTOR_UID_SHIFT);
	out->pid = (int32_t)(actor >> ACTOR_PID_SHIFT & ACTOR_PID_MASK);
	if (cause > INV_CAUSE_NONE && cause <= INV_CAUSE_HOLD)
		out->cause = cause;
	split_origin(actor, origin, out);
	return true;
}

static void read_record(const inv_table *table, struct slot_ref ref, uint64_t ready,
                        uint32_t parity, struct inv_request *out, int64_t *monotonic_ns)
{
	*monotonic_ns = 0;
	memset(out, 0, sizeof(*out));
	out->cause = INV_CAUSE_REQUESTED;
	if (request_copy(&table->slots[ref.index].request[parity], ready, out, monotonic_ns))
		return;
	memset(out, 0, sizeof(*out));
	out->cause = INV_CAUSE_REQUESTED;
	*monotonic_ns = 0;
}

static void read_pending(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                         struct inv_request *out, int64_t *monotonic_ns)
{
	uint32_t sequence = event_sequence(event_word);

	read_record(table, ref, record_word(ref, sequence, STAGE_READY), sequence % 2, out,
	            monotonic_ns);
}

/* The place of the last one that was consumed. */
static uint32_t delivered_place(uint64_t event_word)
{
	return (event_sequence(event_word) + (event_word & EVENT_SET)) % 2;
}

bool request_by_signal(uint64_t event_word, uint64_t slot_flags)
{
	return event_word & EVENT_DELIVERED && slot_flags & SLOT_SIGNALLED &&
	       delivered_place(event_word) == ((slot_flags & SLOT_SIGNALLED_ODD) != 0);
}

/* The last one that was consumed. Where others were withdrawn since, its number is not known,
 * but its place is, which no other has written since. */
static void read_delivered(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                           struct inv_request *out, int64_t *monotonic_ns)
{
	uint32_t parity = delivered_place(event_word);
	uint64_t word = atomic_load(&table->slots[ref.index].request[parity].word);
	uint32_t sequence = (uint32_t)(word >> STAGE_BITS) & SEQUENCE_MASK;

	read_record(table, ref, record_word(ref, sequence, STAGE_READY), parity, out, monotonic_ns);
}

bool request_read(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                  struct inv_request *out, int64_t *monotonic_ns)
{
	if (event_word & EVENT_DELIVERED)
		read_delivered(table, ref, event_word, out, monotonic_ns);
	else if (event_word & EVENT_SET)
		read_pending(table, ref, event_word, out, monotonic_ns);
	else
		*out = (struct inv_request){0};
	return event_requested(event_word);
}

bool request_read_later(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                        struct inv_request *out, int64_t *monotonic_ns)
{
	bool later = event_word & EVENT_DELIVERED && event_word & EVENT_SET;

	if (later)
		read_pending(table, ref, event_word, out, monotonic_ns);
	else
		*out = (struct inv_request){0};
	return later;
}
