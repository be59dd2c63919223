/*
 * What a kill in the middle, a host program or a fault has left in a table: each is read as the
 * first comments of owner.c, request.c and event_word.c say, nothing hangs, and no damaged word
 * leads out of the table.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/broker.h"
#include "invctl-supervisor.h"
#include "os/clock.h"
#include "protocol/cascade.h"
#include "protocol/request.h"
#include "protocol/shield.h"
#include "table/event_word.h"
#include "table/lease.h"
#include "table/owner.h"
#include "table/slot.h"

/* As owner.c lays an entry's word out. */
#define ENTRY(pid, namespace, state)                                                               \
	(UINT64_C(5) << 40 | ((uint64_t)(namespace) & 0x7fff) << 24 | (uint64_t)(pid) << 2 |       \
	 (uint64_t)(state))
enum { CLAIMED = 1, ACTIVE = 2, FIRST_HALF = 64, READY = 0 };

static struct slot_ref ref_of(struct fixture *fixture, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;

	assert_int_equal(slot_find(fixture->table, id, &ref, &word), 0);
	return ref;
}

static inv_invocation *begin(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

static int exit_at_once(struct fixture *fixture, void *arg)
{
	(void)fixture;
	(void)arg;
	return 0;
}

/* "A SIGKILL after CLAIMED leaves an entry that is judged by its pid alone." */
static void a_claimed_entry_is_its_pids(void **state)
{
	struct fixture *fixture = *state;
	struct owner_entry *entries = fixture->table->owners;
	uint64_t here = process_namespace();
	pid_t dead = fixture_fork(fixture, exit_at_once, NULL);
	struct process_identity identity;
	struct inv_table_info info;

	assert_int_equal(fixture_reap(fixture, dead), 0);
	atomic_store(&entries[1].word, ENTRY(getpid(), here, CLAIMED));
	atomic_store(&entries[2].word, ENTRY(dead, here, CLAIMED));
	atomic_store(&entries[3].word, ENTRY(dead, here + 1, CLAIMED));
	assert_int_not_equal(owner_read(fixture->table, 1, &identity), 0);
	assert_int_equal(identity.pid, getpid());
	/* The look sweeps: the dead one goes, the living and the one from elsewhere stay. */
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owners, 2);
	assert_int_equal(owner_read(fixture->table, 2, &identity), 0);
	assert_int_equal(owner_read(fixture->table, 0, &identity), 0);
	assert_int_equal(owner_read(fixture->table, UINT32_MAX, &identity), 0);
}

/* Whoever looks for owners sees every entry that is taken. */
static void entries_above_the_first_are_looked_at_once_they_are_used(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct process_identity identity;
	uint8_t id[16];
	inv_event *event;

	assert_int_equal(owner_last(table), FIRST_HALF);
	for (uint32_t i = 1; i <= FIRST_HALF; i++)
		atomic_store(&table->owners[i].word, ENTRY(getpid(), process_namespace(), CLAIMED));
	fixture_id(id);
	assert_int_equal(inv_event_create(table, id, &event), 0);
	assert_in_range(table->owner, FIRST_HALF + 1, owner_last(table));
	assert_true(owner_last(table) < table->geometry.owners);
	assert_int_not_equal(owner_read(table, table->owner, &identity), 0);
	assert_int_equal(identity.pid, getpid());
	inv_event_put(event);
}

static void cancel_of_a_dead_owners_event_finds_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, fixture_own_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]));
	fixture_kill(fixture, owner);
	assert_int_equal(fixture_live(fixture), 1);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), -ENOENT);
	assert_int_equal(fixture_live(fixture), 0);
}

/* "While writing: the record stays without text and reads as requested." */
static void a_record_that_was_not_finished_reads_as_requested(void **state)
{
	struct fixture *fixture = *state;
	struct inv_info info;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);
	struct slot *slot = &fixture->table->slots[ref_of(fixture, id).index];

	assert_int_equal(inv_cancel(fixture->table, id, 0, "half of a reas"), 0);
	assert_string_equal(fixture_info(fixture, id).cancel.reason, "half of a reas");
	/* the stage, back from ready to writing */
	atomic_fetch_sub(&slot->request[1].word, 1);
	info = fixture_info(fixture, id);
	assert_int_equal(info.cancel.state, INV_CANCEL_REQUESTED);
	assert_int_equal(info.cancel.cause, INV_CAUSE_REQUESTED);
	assert_string_equal(info.cancel.reason, "");
	assert_int_equal(inv_event_check(inv_invocation_event(invocation)), -ECANCELED);
	inv_invocation_end(invocation, INV_COMPLETED);
}

/* The owner was stopped between closing the event and recording the end. */
static void an_end_that_is_being_recorded_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);

	event_word_close(fixture->table, ref_of(fixture, id));
	assert_int_equal(inv_wait(fixture->table, id, 0), -ETIMEDOUT);
	assert_int_equal(inv_wait(fixture->table, id, 3 * MILLISECOND), -ETIMEDOUT);
	/* Too late for a request and for a shield. */
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), -EALREADY);
	assert_int_equal(inv_event_set(inv_invocation_event(invocation), NULL), -ESTALE);
	assert_int_equal(inv_shield_begin(), -ESTALE);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_int_equal(inv_wait(fixture->table, id, 0), INV_COMPLETED);
}

static void a_wait_in_an_abandoned_table_ends(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[128];
	inv_invocation *invocation = begin(fixture, id);

	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(inv_wait(fixture->table, id, INV_FOREVER), -ESTALE);
	assert_int_equal(inv_invocation_end(invocation, INV_ERROR), 0);
	assert_int_equal(inv_wait(fixture->table, id, INV_FOREVER), -ESTALE);
}

static void parents_in_a_ring_are_looked_through_once(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	uint8_t ids[2][16];
	struct slot_ref refs[2];
	inv_invocation *invocations[2];

	for (int i = 0; i < 2; i++) {
		invocations[i] = begin(fixture, ids[i]);
		refs[i] = ref_of(fixture, ids[i]);
	}
	for (int i = 0; i < 2; i++) {
		struct slot_ref other = refs[1 - i];
		atomic_store(&table->slots[refs[i].index].parent_ref,
		             (uint64_t)(other.index + 1) << 32 | other.generation);
		atomic_store(&table->parent_index[refs[i].index], other.index + 1);
		atomic_fetch_or(&table->slots[refs[i].index].flags, SLOT_HAS_CHILDREN);
	}
	assert_false(shield_holds(table, refs[0]));
	assert_int_equal(fixture_info(fixture, ids[0]).shielded, 0);
	assert_int_equal(inv_cancel(table, ids[0], 0, NULL), 0);
	for (int i = 1; i >= 0; i--) {
		assert_int_equal(inv_event_check(inv_invocation_event(invocations[i])), -ECANCELED);
		inv_invocation_end(invocations[i], INV_COMPLETED);
	}
}

/* Whatever a holder's words say: a shield or none, and an end to it. */
static void damaged_shields_are_read(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin(fixture, id);
	struct slot *slot = &fixture->table->slots[ref_of(fixture, id).index];
	const uint64_t more[] = {0, UINT32_MAX, UINT32_C(0xffffc000), 0x3fff, UINT32_C(0xff003fff)};

	assert_int_equal(inv_shield_begin(), 0);
	uint64_t word = atomic_load(&slot->shield[0]);
	uint32_t whole = atomic_load(&slot->shield_more[0]);

	/* Half begun by a process that was killed: it does not hold, and the next begin completes
	 * it. */
	atomic_store(&slot->shield_more[0], whole ^ 1u << 14);
	assert_int_equal(fixture_info(fixture, id).shielded, 0);
	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(fixture_info(fixture, id).shielded, 1);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(fixture_info(fixture, id).shielded, 1);

	/* Since long ago, or the future, with any limit. */
	for (uint64_t other = 1; other; other <<= 1)
		for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
			atomic_store(&slot->shield[0], word ^ other);
			atomic_store(&slot->shield_more[0], (uint32_t)more[i] ^ whole);
			struct inv_info info = fixture_info(fixture, id);
			assert_true(info.shield_age_ns >= 0);
			assert_true(info.shield_limit_ns >= INV_FOREVER);
			assert_in_range(inv_shield_begin() + EAGAIN, 0, EAGAIN);
			inv_shield_end();
		}
	atomic_store(&slot->shield[0], UINT64_MAX);
	atomic_store(&slot->shield_more[0], UINT32_MAX);
	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(inv_shield_end(), 0);
	inv_invocation_end(invocation, INV_COMPLETED);
}

static inv_invocation *start_run(struct fixture *fixture, uint8_t id[16])
{
	struct inv_run_options options = {.name = "run", .deadline_ns = 60 * SECOND};
	inv_invocation *invocation;

	assert_int_equal(inv_run_register(fixture->table, &options, &invocation), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

static void a_run_whose_words_are_damaged_goes_on(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct inv_run_view view;
	uint8_t id[16];
	inv_invocation *invocation = start_run(fixture, id);
	struct slot_ref ref = ref_of(fixture, id);
	struct slot *slot = &table->slots[ref.index];

	/* A parent outside the table, and asks of a former tenant. */
	atomic_store(&slot->parent_ref, UINT64_MAX);
	atomic_store(&slot->escalation, (uint64_t)(ref.generation + 1) << 32 | UINT32_MAX);
	assert_int_equal(inv_run_view(invocation, &view), 0);
	assert_true(!view.force_kill && !view.force_signal);
	/* A request from the future was made when it was first seen, and stays that. */
	struct request request = {.cause = INV_CAUSE_PARENT};
	assert_int_equal(request_make(table, ref, &request), 1);
	atomic_store(&slot->request[1].monotonic_ns, INT64_MAX);
	assert_int_equal(inv_run_view(invocation, &view), 0);
	int64_t first_ns = view.requested_at_ns;
	assert_in_range(first_ns, 1, clock_monotonic_ns());
	assert_int_equal(inv_run_view(invocation, &view), 0);
	assert_int_equal(view.requested_at_ns, first_ns);
	/* A time that fits nowhere is the last there is. */
	atomic_store(&slot->deadline_monotonic_ns, INT64_MAX);
	assert_true(fixture_info(fixture, id).deadline_ns == INT64_MAX);
	/* A table that was cut short behind its control words reads as zeros: the run is alone. */
	uint64_t word = atomic_exchange(&table->event[ref.index], 0);
	assert_int_equal(inv_run_view(invocation, &view), -ESTALE);
	assert_int_equal(inv_run_request(invocation, INV_CAUSE_REQUESTED, SIGTERM, NULL), -ESTALE);
	atomic_store(&table->event[ref.index], word);
	assert_int_equal(inv_run_end(invocation, &(struct inv_run_result){.not_started = 1}), 122);
}

/* A look can't be older than the table. */
static void a_table_from_the_future_counts_from_now(void **state)
{
	struct fixture *fixture = *state;
	const int64_t damaged[] = {INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		uint8_t id[16];
		fixture->table->header->created_monotonic_ns = damaged[i];
		inv_invocation *invocation = begin(fixture, id);
		assert_int_equal(inv_check(), 0);
		int64_t look_ns = fixture_info(fixture, id).last_check_ns;
		assert_in_range(look_ns, clock_realtime_ns() - 60 * SECOND, clock_realtime_ns());
		inv_invocation_end(invocation, INV_COMPLETED);
	}
}

/* A host program has closed all that it did not know. */
static int use_without_descriptor(struct fixture *fixture, void *arg)
{
	inv_table *table = fixture->table;
	struct inv_table_info info;
	uint8_t id[16];
	char path[128];

	(void)arg;
	close(broker_table_fd(table));
	if (table_has_broker(table) != -ESTALE || table_abandoned(table))
		return 1;
	if (inv_table_info_get(table, &info) != 0 || info.serving || info.unlinked)
		return 2;
	fixture_id(id);
	inv_event *event;
	if (inv_event_create(table, id, &event) != 0 || inv_event_wait(event, MILLISECOND) != 0)
		return 3;
	inv_event_put(event);
	fixture_path(fixture, path);
	if (unlink(path) != 0 || !table_abandoned(table))
		return 4;
	return 0;
}

static void one_that_was_cut_short_is_abandoned(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	int fd = broker_table_fd(table);
	off_t bytes = (off_t)table->geometry.bytes;

	assert_false(table_abandoned(table));
	assert_int_equal(ftruncate(fd, bytes - 1), 0);
	assert_true(table_abandoned(table));
	assert_int_equal(ftruncate(fd, bytes), 0);
	assert_false(table_abandoned(table));
}

/* A word that no pause and no request leaves, and a mark without a pause. */
static void damaged_pauses_end(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct inv_run_options options = {.name = "run", .deadline_ns = INV_FOREVER};
	uint8_t id[16], run_id[16];
	inv_invocation *invocation = begin(fixture, id), *run;
	struct slot_ref ref = ref_of(fixture, id);
	struct inv_run_view view;

	/* set and paused: the request wins, and a resume takes the rest away */
	atomic_fetch_or(&table->event[ref.index], EVENT_SET | EVENT_PAUSED);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_resume(table, id, 0), 0);
	assert_int_equal(inv_check(), 0);
	/* its own parent: what a pause spreads over is bounded */
	atomic_store(&table->slots[ref.index].parent_ref,
	             (uint64_t)(ref.index + 1) << 32 | ref.generation);
	atomic_store(&table->parent_index[ref.index], ref.index + 1);
	atomic_fetch_or(&table->slots[ref.index].flags, SLOT_HAS_CHILDREN);
	assert_int_equal(inv_pause(table, id, 0), 0);
	assert_int_equal(inv_resume(table, id, 0), 0);
	/* all of a run's marks */
	assert_int_equal(inv_run_register(table, &options, &run), 0);
	inv_invocation_id(run, run_id);
	struct slot *slot = &table->slots[ref_of(fixture, run_id).index];
	atomic_fetch_or(&slot->escalation, ESCALATE_STOP);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_true(view.stop && !view.paused);
	inv_run_continued(run);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_false(view.stop);
	inv_run_end(run, &(struct inv_run_result){.not_started = 1});
	inv_invocation_end(invocation, INV_COMPLETED);
}

static void without_its_descriptor_the_name_tells(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = fixture_fork(fixture, use_without_descriptor, NULL);

	assert_int_equal(fixture_reap(fixture, child), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_claimed_entry_is_its_pids),
	        TABLE_TEST(entries_above_the_first_are_looked_at_once_they_are_used),
	        TABLE_TEST(cancel_of_a_dead_owners_event_finds_nothing),
	        TABLE_TEST(a_record_that_was_not_finished_reads_as_requested),
	        TABLE_TEST(an_end_that_is_being_recorded_is_waited_for),
	        TABLE_TEST(a_wait_in_an_abandoned_table_ends),
	        TABLE_TEST(parents_in_a_ring_are_looked_through_once),
	        TABLE_TEST(damaged_shields_are_read),
	        TABLE_TEST(a_run_whose_words_are_damaged_goes_on),
	        TABLE_TEST(a_table_from_the_future_counts_from_now),
	        TABLE_TEST(one_that_was_cut_short_is_abandoned),
	        TABLE_TEST(without_its_descriptor_the_name_tells),
	        TABLE_TEST(damaged_pauses_end),
	};

	return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
