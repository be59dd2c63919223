/*
 * What only the broker may do: one serves a table at a time; what ended long ago is forgotten,
 * but not what is still a link between a grandparent and its grandchild; a new broker finds what a
 * former one left; where a table can't be made, nothing of it is left.
 */
#include "api/broker.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fixture.h"
#include "os/clock.h"
#include "table/event_word.h"
#include "table/index.h"
#include "table/owner.h"
#include "table/slot.h"

enum { FOREIGN_UID = 54321, HOUR_S = 3600 };

static void of_two_that_serve_one_does(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info info;
	inv_table *second;

	assert_int_equal(inv_open(&second, fixture->name, 0), 0);
	assert_int_equal(inv_table_have_broker(second), 0);
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	assert_int_equal(inv_table_have_broker(second), 1);
	assert_int_equal(broker_serve(second, 2 * SECOND), -EBUSY);
	assert_int_equal(inv_table_info_get(second, &info), 0);
	assert_int_equal(info.serving, 1);
	assert_int_equal(info.retain_ns, SECOND);
	broker_unserve(fixture->table);
	assert_int_equal(broker_serve(second, 2 * SECOND), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.retain_ns, 2 * SECOND);
	broker_unserve(second);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.serving, 0);
	inv_close(second);
}

struct forgotten {
	int count;
	uint8_t last[16];
};

static void note_forgotten(const uint8_t id[16], void *arg)
{
	struct forgotten *forgotten = arg;

	forgotten->count++;
	memcpy(forgotten->last, id, 16);
}

static inv_invocation *begin(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

static void what_has_ended_is_forgotten_after_its_time(void **state)
{
	struct fixture *fixture = *state;
	struct forgotten forgotten = {.count = 0};
	struct inv_info info;
	uint8_t id[16], live_id[16];

	assert_int_equal(fixture_retire(fixture, 0, note_forgotten, &forgotten), INV_FOREVER);
	inv_invocation_end(begin(fixture, id), INV_COMPLETED);
	inv_invocation *live = begin(fixture, live_id);
	int64_t next_ns = fixture_retire(fixture, HOUR_S * SECOND, note_forgotten, &forgotten);
	assert_int_equal(forgotten.count, 0);
	assert_true(next_ns > clock_monotonic_ns() + HOUR_S / 2 * SECOND);
	assert_int_equal(fixture_retire(fixture, 0, note_forgotten, &forgotten), INV_FOREVER);
	assert_int_equal(forgotten.count, 1);
	assert_memory_equal(forgotten.last, id, 16);
	assert_int_equal(inv_info_get(fixture->table, id, &info), -ENOENT);
	assert_int_equal(fixture_info(fixture, live_id).status, INV_RUNNING);
	inv_invocation_end(live, INV_COMPLETED);
}

static void what_ties_the_living_to_what_is_above_them_stays(void **state)
{
	struct fixture *fixture = *state;
	struct forgotten forgotten = {.count = 0};
	uint8_t top_id[16], middle_id[16], leaf_id[16];
	inv_invocation *top = begin(fixture, top_id);
	inv_invocation *middle = begin(fixture, middle_id);
	inv_invocation *leaf = begin(fixture, leaf_id);

	assert_int_equal(inv_invocation_end(middle, INV_COMPLETED), 0);
	int64_t next_ns = fixture_retire(fixture, 0, note_forgotten, &forgotten);
	assert_true(next_ns > clock_monotonic_ns());
	assert_int_equal(forgotten.count, 0);
	assert_int_equal(inv_cancel(fixture->table, top_id, 0, NULL), 0);
	assert_int_equal(inv_event_check(inv_invocation_event(leaf)), -ECANCELED);

	assert_int_equal(inv_invocation_end(leaf, INV_COMPLETED), 0);
	fixture_retire(fixture, 0, note_forgotten, &forgotten);
	assert_int_equal(forgotten.count, 2);
	inv_invocation_end(top, INV_COMPLETED);
}

enum { PARENTS = 200 };

/* Parents that have ended, each with a nested one that lives. */
static void begin_families(struct fixture *fixture, inv_invocation *nested[PARENTS])
{
	for (int i = 0; i < PARENTS; i++) {
		uint8_t id[16];
		inv_invocation *parent = begin(fixture, id);
		nested[i] = begin(fixture, id);
		assert_int_equal(inv_invocation_end(parent, INV_COMPLETED), 0);
	}
}

static void end_families(inv_invocation *nested[PARENTS])
{
	/* the innermost context first */
	for (int i = PARENTS - 1; i >= 0; i--)
		assert_int_equal(inv_invocation_end(nested[i], INV_COMPLETED), 0);
}

static void a_pass_looks_at_no_slot_more_than_three_times(void **state)
{
	struct fixture *fixture = *state;
	struct broker_retirement pass = {0};
	struct forgotten forgotten = {.count = 0};
	inv_invocation *nested[PARENTS];

	begin_families(fixture, nested);
	assert_false(
	        broker_retire(fixture->table, &pass, 0, INV_FOREVER, note_forgotten, &forgotten));
	assert_int_equal(forgotten.count, 0);
	/* twice for the halves of the pass, and once for a mark */
	assert_true(pass.steps <= 3 * (uint64_t)index_extent(fixture->table));
	end_families(nested);
}

/* With no time left, a turn does the least that brings the pass on. */
static void a_pass_goes_on_in_turns(void **state)
{
	struct fixture *fixture = *state;
	struct broker_retirement pass = {0};
	struct forgotten forgotten = {.count = 0};
	inv_invocation *nested[PARENTS];
	bool more = true;

	begin_families(fixture, nested);
	end_families(nested);
	for (int turns = 0; more; turns++) {
		uint64_t steps = pass.steps;
		int count = forgotten.count;

		assert_in_range(turns, 0, 4 * PARENTS + 100);
		more = broker_retire(fixture->table, &pass, 0, 0, note_forgotten, &forgotten);
		assert_true(pass.steps - steps <= 1024);
		assert_true(forgotten.count - count <= 1);
	}
	assert_int_equal(forgotten.count, 2 * PARENTS);
	assert_int_equal(pass.next_ns, INV_FOREVER);
}

/* A descendant that is registered in a slot that the marks have passed, and whose parent ends
 * before the marks come to it, is known by that end. */
static void what_starts_and_ends_between_turns_keeps_its_ancestors(void **state)
{
	struct fixture *fixture = *state;
	struct broker_retirement pass = {0};
	struct forgotten forgotten = {.count = 0};
	uint8_t id[16], top_id[16], leaf_id[16];
	inv_invocation *top = begin(fixture, top_id);
	inv_invocation *middle = begin(fixture, id);

	assert_int_equal(inv_invocation_end(top, INV_COMPLETED), 0);
	assert_true(broker_retire(fixture->table, &pass, 0, 0, note_forgotten, &forgotten));
	pass.index = 0; /* as if the first turn had seen no slot but the leaf's */
	memset(pass.marks, 0, (fixture->table->geometry.slots + 63) / 64 * sizeof(uint64_t));
	inv_invocation *leaf = begin(fixture, leaf_id);
	assert_int_equal(inv_invocation_end(middle, INV_COMPLETED), 0);
	struct slot_ref ref;
	uint64_t word;
	assert_int_equal(slot_find(fixture->table, leaf_id, &ref, &word), 0);
	atomic_store(&fixture->table->control[ref.index],
	             control_word(ref.generation, 0, 0, SLOT_FREE));
	while (broker_retire(fixture->table, &pass, 0, 0, note_forgotten, &forgotten))
		;
	atomic_store(&fixture->table->control[ref.index], word);
	assert_int_equal(forgotten.count, 0);
	assert_int_equal(fixture_info(fixture, top_id).status, INV_COMPLETED);
	assert_int_equal(inv_invocation_end(leaf, INV_COMPLETED), 0);
}

static void *wait_main(void *event)
{
	return (void *)(intptr_t)inv_event_wait(event, INV_FOREVER);
}

/* As a recorder leaves it that is killed right after its compare-and-swap. */
static void record_without_waking(inv_table *table, struct slot_ref ref)
{
	struct outcome outcome = {.status = INV_COMPLETED, .cause = INV_CAUSE_EXIT};
	uint64_t word = atomic_load(&table->control[ref.index]);

	atomic_store(&table->control[ref.index], control_word(ref.generation, control_tag(word),
	                                                      outcome_pack(&outcome), SLOT_DONE));
}

static int die_as_an_owner(struct fixture *fixture, void *id)
{
	inv_event *event;

	return inv_event_create(fixture->table, id, &event);
}

/* Whoever sweeps comes by, where an owner is dead; a new broker does in any case. */
static void an_end_that_told_nobody_is_told_of(void **state)
{
	struct fixture *fixture = *state;

	for (int broker = 0; broker < 2; broker++) {
		uint8_t id[16], dead_id[16];
		void *result = NULL;
		pthread_t waiter;
		inv_invocation *invocation = begin(fixture, id);
		inv_event *event = inv_invocation_event(invocation);
		struct slot_ref ref;
		uint64_t word;

		assert_int_equal(slot_find(fixture->table, id, &ref, &word), 0);
		assert_int_equal(pthread_create(&waiter, NULL, wait_main, event), 0);
		EVENTUALLY(event_word_load(fixture->table, ref) & EVENT_WAITED);
		record_without_waking(fixture->table, ref);
		fixture_id(dead_id);
		pid_t dead = fixture_fork(fixture, die_as_an_owner, dead_id);
		assert_int_equal(fixture_reap(fixture, dead), 0);
		if (broker)
			broker_recover(fixture->table, NULL, NULL);
		else
			broker_sweep(fixture->table, NULL, NULL);
		assert_true(event_word_load(fixture->table, ref) & EVENT_ENDED);
		pthread_join(waiter, &result);
		assert_int_equal((int)(intptr_t)result, -ESTALE);
		assert_int_equal(fixture_live(fixture), 0);
		assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), -ESTALE);
	}
}

/* Damage: its owner's entry is free, or is none. */
static void what_nobody_owns_is_freed(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	const uint32_t owners[] = {owner_last(table), table->geometry.owners,
	                           (1U << CONTROL_OWNER_BITS) - 1};

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		uint8_t id[16];
		uint64_t halves[2];
		inv_event *event;
		fixture_id(id);
		memcpy(halves, id, sizeof(halves));
		struct search search;
		index_search(table, id, index_levels(table), &search);
		uint32_t index = search.bucket.first;
		atomic_store(&table->ids[index].half[0], halves[0]);
		atomic_store(&table->ids[index].half[1], halves[1]);
		atomic_store(&table->slots[index].flags, INV_KIND_EVENT);
		atomic_store(&table->control[index],
		             control_word(7, search.tag, owners[i], SLOT_LIVE));
		assert_int_equal(fixture_live(fixture), 1);
		broker_recover(table, NULL, NULL);
		assert_int_equal(fixture_live(fixture), 0);
		assert_int_equal(inv_event_find(table, id, &event), -ENOENT);
	}
}

/* As another user, who may not give the table to root's group. */
static int make_for_a_foreign_group(struct fixture *fixture, void *arg)
{
	struct broker_create create = {.name = fixture->name, .capacity = 10, .shared = true};
	bool created;
	char path[128];

	(void)arg;
	if (setgroups(0, NULL) != 0 || setegid(FOREIGN_UID) != 0 || seteuid(FOREIGN_UID) != 0)
		return NOT_PERMITTED;
	fixture_path(fixture, path);
	if (broker_open(&create, &fixture->table, &created) != -EPERM)
		return 1;
	return access(path, F_OK) == 0 ? 2 : 0;
}

/* With a /dev/shm that this user may not write to. */
static int make_without_permission(struct fixture *fixture, void *arg)
{
	(void)arg;
	if (!fixture_own_mounts() || mount("closed", "/dev/shm", "tmpfs", 0, "mode=0755") != 0 ||
	    seteuid(FOREIGN_UID) != 0)
		return NOT_PERMITTED;
	return fixture_make_table(fixture, 10) == -EACCES ? 0 : 1;
}

static void what_is_not_permitted_says_so_and_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	int (*const tasks[])(struct fixture *, void *) = {make_for_a_foreign_group,
	                                                  make_without_permission};

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		fixture_assert_holds(fixture, tasks[i], NULL);
	}
}

/* What is removed for an id must not be the files of a run that has it again. */
static void note_taken(const uint8_t id[16], void *arg)
{
	struct fixture *fixture = ((void **)arg)[0];
	int *error = ((void **)arg)[1];
	inv_invocation *again;

	*error = inv_invocation_begin(fixture->table, id, "again", &again);
}

static void an_id_is_free_only_after_it_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	struct broker_retirement pass = {0};
	inv_invocation *invocation;
	int error = 0;
	uint8_t id[16];
	void *arg[] = {fixture, &error};

	fixture_id(id);
	assert_int_equal(inv_invocation_begin(fixture->table, id, "first", &invocation), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_false(broker_retire(fixture->table, &pass, 0, INV_FOREVER, note_taken, arg));
	assert_int_equal(error, -EEXIST);
	assert_int_equal(inv_invocation_begin(fixture->table, id, "again", &invocation), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(an_id_is_free_only_after_it_is_forgotten),
	        TABLE_TEST(of_two_that_serve_one_does),
	        TABLE_TEST(what_has_ended_is_forgotten_after_its_time),
	        TABLE_TEST(what_ties_the_living_to_what_is_above_them_stays),
	        TABLE_TEST(a_pass_looks_at_no_slot_more_than_three_times),
	        TABLE_TEST(a_pass_goes_on_in_turns),
	        TABLE_TEST(what_starts_and_ends_between_turns_keeps_its_ancestors),
	        TABLE_TEST(an_end_that_told_nobody_is_told_of),
	        TABLE_TEST(what_nobody_owns_is_freed),
	        NO_TABLE_TEST(what_is_not_permitted_says_so_and_leaves_nothing),
	};

	return cmocka_run_group_tests_name("broker", tests, NULL, NULL);
}
