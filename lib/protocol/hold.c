/*
 * The hold.
 *
 * Its record lies in the table's header; the record's word is
 *
 *   | sequence 62 | writing 1 | held 1 |
 *
 *   put      sequence + 1, writing, held as before; the note, actor and time are written;
 *            then not writing, held
 *   release  (held)  sequence + 1, not writing, not held; then wake all that wait
 *
 * each by one compare-and-swap. The last step of a put fails where another put or a release has
 * come in between: that one counts.
 *
 * A registrar reads the word before it registers, and again when its slot is live: a hold put up
 * before the second read takes the slot back. A process that puts it up and then scans the table
 * sees the slot, or the registrar sees the hold: both orders are sequentially consistent.
 *
 * A SIGKILL of a put before its last step leaves the hold as it was; where it stood, its note
 * reads as empty until the next put. Between a release and its wake: waiters read the word again
 * at the end of their slice.
 */
#include "protocol/hold.h"

#include <errno.h>

#include "os/clock.h"
#include "os/futex.h"
#include "protocol/request.h"
#include "table/notification.h"

#define HELD UINT64_C(1)
#define WRITING UINT64_C(2)
#define SEQUENCE_STEP UINT64_C(4)

static uint64_t next(uint64_t word)
{
	return (word & ~(HELD | WRITING)) + SEQUENCE_STEP;
}

void hold_put(inv_table *table, const char *note)
{
	const struct request request = {.cause = INV_CAUSE_HOLD, .reason = note};
	struct request_record *hold = &table->header->hold;
	uint64_t seen = atomic_load(&hold->word), writing;

	do
		writing = next(seen) | WRITING | (seen & HELD);
	while (!atomic_compare_exchange_weak(&hold->word, &seen, writing));
	request_write(hold, &request);
	atomic_compare_exchange_strong(&hold->word, &writing, (writing & ~WRITING) | HELD);
	notify_broker(table);
}

bool hold_release(inv_table *table)
{
	struct request_record *hold = &table->header->hold;
	uint64_t seen = atomic_load(&hold->word);

	do
		if (!(seen & HELD))
			return false;
	while (!atomic_compare_exchange_weak(&hold->word, &seen, next(seen)));
	futex_wake_all(futex_low_half(&hold->word));
	notify_broker(table);
	return true;
}

bool hold_read(const inv_table *table, struct inv_request *out)
{
	const struct request_record *hold = &table->header->hold;
	uint64_t word = atomic_load(&hold->word);
	int64_t made_ns;

	*out = (struct inv_request){.cause = INV_CAUSE_HOLD};
	if (!(word & HELD))
		return false;
	if (!(word & WRITING) && request_copy(hold, word, out, &made_ns)) {
		/* Negative: put up before the last start of the machine. */
		if (__builtin_sub_overflow(clock_monotonic_ns(), made_ns, &out->age_ns) ||
		    out->age_ns < 0)
			out->age_ns = 0;
		return true;
	}
	*out = (struct inv_request){.cause = INV_CAUSE_HOLD};
	return atomic_load(&hold->word) & HELD;
}

void hold_restore(struct request_record *record, const struct inv_request *hold)
{
	request_restore(record, hold);
	atomic_store(&record->word, SEQUENCE_STEP | HELD);
}

int hold_wait(const inv_table *table, int64_t until_ns)
{
	const shared_u64 *word = &table->header->hold.word;
	int64_t slice_end_ns = clock_monotonic_ns() + WAIT_SLICE_NS;
	uint64_t seen = atomic_load(word);

	if (!(seen & HELD))
		return 0;
	int error = futex_wait(futex_low_half(word), (uint32_t)seen,
	                       until_ns >= 0 && until_ns < slice_end_ns ? until_ns : slice_end_ns);
	return error == -EINTR ? -EINTR : 0;
}
