/* Invocations that a program is itself: begin and end; and of any: wait, cancel. */
#include "api/invocation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/context.h"
#include "api/event.h"
#include "api/event_create.h"
#include "os/clock.h"
#include "protocol/cascade.h"
#include "protocol/lifecycle.h"
#include "protocol/register.h"
#include "protocol/sweep.h"
#include "table/event_word.h"
#include "table/index.h"
#include "table/lease.h"
#include "table/text.h"

enum { PAUSE_NS = 1000000, READ_AGAIN_MAX = 100 };

/* An event or context of that id which this process registered becomes the
 * invocation. 1 it did; 0 there is none; -EPERM a hold stands. */
static int take_over(inv_table *table, const uint8_t id[16], const char *name, inv_event **out)
{
	struct registration start = {.flags = INV_KIND_CALL};
	uint8_t parent[16];
	inv_event *event;

	if (event_handle_find(table, id, &event) != 0)
		return 0;
	if (!context_parent(table, parent, &start.parent_ref, &start.parent_known))
		start.parent_known = false;
	pthread_mutex_lock(&table->lock);
	bool own = event->owned, held = own && register_is_held(table, &start);
	if (own && !held) {
		struct slot *slot = &table->slots[event->ref.index];
		event->owned = false;
		text_store(slot->name, INV_NAME_BYTES / 8, name);
		atomic_store(&slot->started_ns, clock_realtime_ns());
		/* the kind last: with it the slot gets a record */
		uint64_t flags = atomic_load(&slot->flags);
		while (!atomic_compare_exchange_weak(&slot->flags, &flags,
		                                     (flags & ~(SLOT_KIND_MASK | SLOT_PENDING)) |
		                                             (uint64_t)INV_KIND_CALL))
			;
	}
	pthread_mutex_unlock(&table->lock);
	if (own && !held)
		*out = event;
	else
		inv_event_put(event);
	return held ? -EPERM : own;
}

/* Registered, but not the current invocation of any thread yet. */
int invocation_register(inv_table *table, const uint8_t *id, const char *name, inv_invocation **out)
{
	inv_event *event;
	int error = table_resolve(table, true, &table);

	*out = NULL;
	if (error)
		return error;
	inv_invocation *invocation = calloc(1, sizeof(*invocation));
	if (!invocation)
		return -ENOMEM;
	if (!name)
		name = program_invocation_short_name;
	error = id ? take_over(table, id, name, &event) : 0;
	if (error == 0) {
		error = event_register(table, id, INV_KIND_CALL, name, &event);
		if (!error)
			event->owned = false; /* its end leaves a record */
	}
	if (error < 0) {
		free(invocation);
		return error;
	}
	invocation->table = table;
	invocation->ref = event->ref;
	invocation->event = event;
	*out = invocation;
	return 0;
}

int invocation_enter(inv_invocation *invocation)
{
	event_handle_keep(invocation->event);
	invocation->context = context_push(invocation->event);
	if (invocation->context)
		return 0;
	inv_event_put(invocation->event);
	return -ENOMEM;
}

int inv_invocation_begin(inv_table *table, const uint8_t *id, const char *name,
                         inv_invocation **out)
{
	int error = invocation_register(table, id, name, out);

	if (error)
		return error;
	error = invocation_enter(*out);
	if (error) {
		inv_invocation_end(*out, INV_ERROR);
		*out = NULL;
	}
	return error;
}

int inv_invocation_end(inv_invocation *invocation, int result)
{
	struct ending ending = {.how = ENDING_CALL, .code = result};
	inv_table *table = invocation->table;
	struct outcome outcome;
	int error = -ESTALE;

	if (result < 0)
		ending.code = result == -ECANCELED ? INV_CANCELLED : INV_ERROR;
	else if (result > INV_ERROR)
		return -EINVAL;
	if (!atomic_load(&invocation->event->disowned)) {
		uint64_t word = slot_word(table, invocation->ref);
		if (control_state(word) == SLOT_LIVE && control_owner(word) == table->owner)
			error = lifecycle_end(table, invocation->ref, word, &ending, &outcome);
		if (!error) {
			pthread_mutex_lock(&table->lock);
			table->owned--;
			pthread_mutex_unlock(&table->lock);
		}
	}
	if (invocation->context)
		context_drop(invocation->context);
	inv_event_put(invocation->event);
	free(invocation);
	return error;
}

void inv_invocation_id(const inv_invocation *invocation, uint8_t id[16])
{
	inv_event_id(invocation->event, id);
}

inv_event *inv_invocation_event(inv_invocation *invocation)
{
	return invocation->event;
}

/* 0 and the status where it has ended; 1 it lives; -ENOENT it left without a record. */
static int ended(inv_table *table, struct slot_ref ref, int *status)
{
	uint64_t word = slot_word(table, ref);

	if (word == 0)
		return -ENOENT;
	if (control_state(word) == SLOT_LIVE)
		return 1;
	*status = (int)outcome_unpack(control_owner(word)).status;
	return 0;
}

/* A short sleep. 0, -EINTR, or -ETIMEDOUT: until_ns has come. */
static int pause_briefly(int64_t until_ns)
{
	int64_t left_ns = until_ns < 0 ? PAUSE_NS : until_ns - clock_monotonic_ns();

	if (left_ns <= 0)
		return -ETIMEDOUT;
	return plain_sleep(left_ns < PAUSE_NS ? left_ns : PAUSE_NS);
}

int inv_wait(inv_table *table, const uint8_t id[16], int64_t timeout_ns)
{
	int64_t until_ns = clock_deadline_ns(timeout_ns);
	struct slot_ref ref;
	uint64_t word;
	int status;
	int error = table_find(&table, id, &ref, &word);

	while (!error) {
		/* The word before the state: an end in between changes the word. */
		word = event_word_load(table, ref);
		error = ended(table, ref, &status);
		if (error == 0)
			return status;
		/* Of a table that is lost, nothing can be said. */
		if (error < 0)
			return table_abandoned(table) ? -ESTALE : error;
		/* 0: just ended, or the table is damaged. Closed: the outcome is being recorded,
		 * in another word, so that a sleep on this one could miss its wake. */
		error = word == 0 || word & EVENT_ENDED
		                ? pause_briefly(until_ns)
		                : event_word_sleep(table, ref, word, until_ns);
		if (error == 1)
			error = 0;
		/* A caller that waits again and again for less than a slice must learn of it too.
		 */
		if (error == -ETIMEDOUT && event_still_alive(table, ref) != 0)
			error = 0;
		/* Without a name and a broker, an end by death would wake no waiter. */
		if (!error && table_abandoned(table))
			return ended(table, ref, &status) == 0 ? status : -ESTALE;
		if (!error)
			event_still_alive(table, ref);
	}
	return error;
}

int invocation_find_live(inv_table *table, const uint8_t id[16], unsigned flags,
                         struct slot_ref *ref)
{
	uint64_t word;
	int error = slot_find(table, id, ref, &word);

	if (error)
		return error;
	if (sweep_before_answer(table, ref->index, table_broker_watches(table)) &&
	    (word = slot_word(table, *ref)) == 0)
		return -ENOENT;
	if (control_state(word) != SLOT_LIVE)
		return -EALREADY;
	if (flags & INV_CANCEL_KILL && atomic_load(&table->slots[ref->index].flags) & SLOT_NO_KILL)
		return -EPERM;
	return 0;
}

static int cancel_found(inv_table *table, const struct slot_ref *refs, size_t count, unsigned flags,
                        const char *reason, int *results)
{
	struct request request = {
	        .cause = INV_CAUSE_REQUESTED, .reason = reason, .call = request_call()};
	struct escalation_steps more = {.signum = (int)(flags >> 8)};

	more.steps |= flags & INV_CANCEL_SIGNAL ? (unsigned)ESCALATE_SIGNAL : 0;
	more.steps |= flags & INV_CANCEL_KILL ? (unsigned)ESCALATE_KILL : 0;
	int error = cascade_request(table, refs, count, &request, flags & INV_CANCEL_ONLY, &more,
	                            results);
	for (size_t i = 0; i < count; i++)
		results[i] = results[i] == -ESTALE ? -EALREADY : error ? error : results[i];
	return 0;
}

static int resolve_for_cancel(inv_table *table, unsigned flags, inv_table **resolved)
{
	unsigned signum = flags >> 8;

	if (flags & 0xf8 || signum > 64 || (signum && !(flags & INV_CANCEL_SIGNAL)))
		return -EINVAL;
	return table_resolve(table, false, resolved);
}

int inv_cancel(inv_table *table, const uint8_t id[16], unsigned flags, const char *reason)
{
	struct slot_ref ref;
	int error = resolve_for_cancel(table, flags, &table);

	if (!error)
		error = invocation_find_live(table, id, flags, &ref);
	if (!error)
		cancel_found(table, &ref, 1, flags, reason, &error);
	return error;
}

/* The id of a live slot, and its control word. false: it is not live. */
static bool live_id(const inv_table *table, uint32_t index, uint64_t *word, uint8_t id[16])
{
	uint64_t before = atomic_load(&table->control[index]);

	/* Changed meanwhile: it was taken over by the broker, or has another tenant. */
	for (int tries = 0; control_state(before) == SLOT_LIVE && tries < READ_AGAIN_MAX; tries++) {
		words_load(table->ids[index].half, 2, id);
		*word = atomic_load(&table->control[index]);
		if (*word == before)
			return true;
		before = *word;
	}
	return false;
}

int inv_cancel_all(inv_table *table, const uint8_t (*ids)[16], size_t count, unsigned flags,
                   const char *reason, int *results)
{
	struct slot_ref *refs = NULL;
	int *found_results = NULL;
	size_t found = 0;
	int error = resolve_for_cancel(table, flags, &table);

	if (!error && count > 0) {
		refs = calloc(count, sizeof(*refs));
		found_results = calloc(count, sizeof(*found_results));
		if (!refs || !found_results)
			error = -ENOMEM;
	}
	for (size_t i = 0; !error && i < count; i++) {
		results[i] = invocation_find_live(table, ids[i], flags, &refs[found]);
		found += results[i] == 0;
	}
	if (!error)
		cancel_found(table, refs, found, flags, reason, found_results);
	for (size_t i = 0, at = 0; !error && i < count; i++)
		if (results[i] == 0)
			results[i] = found_results[at++];
	free(refs);
	free(found_results);
	return error;
}

int inv_cancel_everything(inv_table *table, const char *reason,
                          void (*each)(const uint8_t id[16], void *arg), void *arg)
{
	enum { PASSES_MAX = 8 };
	struct request request = {
	        .cause = INV_CAUSE_HOLD, .reason = reason, .call = request_call()};
	int error = table_resolve(table, false, &table), made = 1;
	uint8_t id[16];
	uint64_t word;

	/* What a live one has started in a row that was passed by then is found by the next pass.
	 */
	for (int pass = 0; !error && made > 0 && pass < PASSES_MAX; pass++) {
		made = 0;
		for (uint32_t i = 0, extent = index_extent(table); i < extent; i++) {
			/* The id first: the request may end it before the next line. */
			if (!live_id(table, i, &word, id))
				continue;
			int result = request_make(table, slot_ref_of(i, word), &request);
			made += result == 1;
			if (each && (pass == 0 || result == 1))
				each(id, arg);
		}
	}
	return error;
}

void inv_actor_set(const struct inv_actor *actor)
{
	request_set_actor(actor);
}
