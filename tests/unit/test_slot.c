/*
 * The life of a slot: exactly one registration of an id wins, generations keep the
 * tenants apart, a table is exactly full at its capacity and recovers after deaths.
 * The words are forged here where a SIGKILL would have to hit one instruction.
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "table/index.h"
#include "table/owner.h"
#include "table/slot.h"

enum { RIVALS = 20, ROUNDS = 50, ONE_BUCKET = 256 };
enum { START, DONE, WON, LOST, OTHER };

static int enter(inv_table *table)
{
	pthread_mutex_lock(&table->lock);
	int error = owner_enter(table);
	pthread_mutex_unlock(&table->lock);
	return error;
}

static int register_id(inv_table *table, const uint8_t id[16], struct slot_ref *ref)
{
	struct registration registration = {
	        .id = id, .name = "direct", .flags = INV_KIND_EVENT, .requested_ns = 1};

	return slot_register(table, &registration, ref);
}

static void release(inv_table *table, struct slot_ref ref)
{
	assert_true(slot_release(table, ref.index, slot_word(table, ref)));
}

static void a_registration_is_found_until_it_is_released(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct slot_ref ref, found;
	uint8_t id[16];
	uint64_t word;

	fixture_id(id);
	assert_int_equal(enter(table), 0);
	assert_int_equal(slot_find(table, id, &found, &word), -ENOENT);
	assert_int_equal(register_id(table, id, &ref), 0);
	assert_int_equal(slot_find(table, id, &found, &word), 0);
	assert_int_equal(found.index, ref.index);
	assert_int_equal(found.generation, ref.generation);
	assert_int_equal(control_state(word), SLOT_LIVE);
	assert_int_equal(control_owner(word), table->owner);
	assert_int_equal(register_id(table, id, &found), -EEXIST);
	release(table, ref);
	assert_int_equal(slot_find(table, id, &found, &word), -ENOENT);
	assert_int_equal(slot_word(table, ref), 0);
}

static void every_tenant_has_a_generation_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct slot_ref former = {0}, ref;
	uint8_t id[16];

	fixture_id(id);
	assert_int_equal(enter(table), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(register_id(table, id, &ref), 0);
		if (i > 0) {
			assert_int_equal(ref.index, former.index);
			assert_int_equal(ref.generation, former.generation + 1);
			assert_int_equal(slot_word(table, former), 0);
		}
		release(table, ref);
		former = ref;
	}
}

static void the_generation_skips_zero_when_it_wraps(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct slot_ref ref;
	uint8_t id[16];

	fixture_id(id);
	assert_int_equal(enter(table), 0);
	for (uint32_t i = 0; i < table->geometry.slots; i++)
		atomic_store(&table->control[i], control_word(UINT32_MAX, 0, 0, SLOT_FREE));
	assert_int_equal(register_id(table, id, &ref), 0);
	assert_int_equal(ref.generation, 1);
	release(table, ref);
}

static void late_transitions_do_not_hit_the_next_tenant(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct outcome outcome = {.status = INV_ERROR};
	struct slot_ref former, ref;
	uint8_t id[16];

	fixture_id(id);
	assert_int_equal(enter(table), 0);
	assert_int_equal(register_id(table, id, &former), 0);
	uint64_t late = slot_word(table, former);
	release(table, former);
	assert_int_equal(register_id(table, id, &ref), 0);
	assert_false(slot_finish(table, former, late, &outcome));
	assert_false(slot_release(table, former.index, late));
	assert_false(slot_withdraw(table, former.index, late));
	assert_false(slot_adopt(table, former.index, late, 1));
	assert_int_equal(control_state(slot_word(table, ref)), SLOT_LIVE);
	release(table, ref);
}

static void it_ends_once(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table = fixture->table;
	struct outcome done = {.status = INV_COMPLETED, .cause = INV_CAUSE_EXIT};
	struct outcome lost = {.status = INV_ERROR, .cause = INV_CAUSE_LOST};
	struct slot_ref ref;
	uint8_t id[16];

	fixture_id(id);
	assert_int_equal(enter(table), 0);
	assert_int_equal(register_id(table, id, &ref), 0);
	uint64_t word = slot_word(table, ref);
	assert_true(slot_finish(table, ref, word, &done));
	assert_false(slot_finish(table, ref, word, &lost));
	struct outcome recorded = outcome_unpack(control_owner(slot_word(table, ref)));
	assert_int_equal(recorded.status, INV_COMPLETED);
	assert_int_equal(recorded.cause, INV_CAUSE_EXIT);
}

static void outcomes_survive_packing(void **state)
{
	(void)state;
	for (unsigned status = INV_COMPLETED; status <= INV_ERROR; status++)
		for (unsigned cause = INV_CAUSE_NONE; cause <= INV_CAUSE_EXEC; cause++)
			for (unsigned code = 0; code < 256; code += 5)
				for (unsigned bits = 0; bits < 4; bits++) {
					struct outcome made = {.status = status,
					                       .cause = cause,
					                       .code = code,
					                       .killed = bits & 1,
					                       .by_signal = bits & 2};
					uint32_t packed = outcome_pack(&made);
					struct outcome read = outcome_unpack(packed);
					assert_true(packed < 1u << CONTROL_OWNER_BITS);
					assert_int_equal(read.status, status);
					assert_int_equal(read.cause, cause);
					assert_int_equal(read.code, code);
					assert_int_equal(read.killed, made.killed);
					assert_int_equal(read.by_signal, made.by_signal);
				}
}

/* Registers the same id as its rivals, round after round; the winner holds it until all
 * have tried. */
static int rival(struct fixture *fixture, void *arg)
{
	const uint8_t *id = arg;

	for (int round = 1; round <= ROUNDS; round++) {
		inv_event *event = NULL;
		AWAIT(atomic_load(&fixture->counters[START]) >= round);
		int error = inv_event_create(fixture->table, id, &event);
		atomic_fetch_add(&fixture->counters[error == 0         ? WON
		                                    : error == -EEXIST ? LOST
		                                                       : OTHER],
		                 1);
		atomic_fetch_add(&fixture->counters[DONE], 1);
		AWAIT(atomic_load(&fixture->counters[START]) < 0 ||
		      atomic_load(&fixture->counters[START]) > round);
		inv_event_put(event);
	}
	return 0;
}

static void race(struct fixture *fixture, int rivals)
{
	pid_t children[RIVALS];
	uint8_t id[16];

	fixture_id(id);
	for (int i = 0; i < rivals; i++)
		children[i] = fixture_fork(fixture, rival, id);
	for (int round = 1; round <= ROUNDS; round++) {
		/* The former winner puts it before it tries, so that it can always be had. */
		EVENTUALLY(atomic_load(&fixture->counters[DONE]) == rivals * (round - 1));
		atomic_store(&fixture->counters[START], round);
		EVENTUALLY(atomic_load(&fixture->counters[DONE]) == rivals * round);
		assert_int_equal(atomic_load(&fixture->counters[WON]), round);
		assert_int_equal(atomic_load(&fixture->counters[OTHER]), 0);
	}
	atomic_store(&fixture->counters[START], ROUNDS + 1);
	for (int i = 0; i < rivals; i++)
		assert_int_equal(fixture_reap(fixture, children[i]), 0);
	assert_int_equal(fixture_live(fixture), 0);
}

static void of_two_processes_one_wins(void **state)
{
	race(*state, 2);
}

static void of_twenty_processes_one_wins(void **state)
{
	race(*state, RIVALS);
}

/* What a rival left at index, an owner that is dead, in the given state. */
static void forge(struct fixture *fixture, uint32_t index, const uint8_t id[16], uint32_t owner,
                  enum slot_state slot_state)
{
	inv_table *table = fixture->table;
	struct search search;
	uint64_t halves[2];

	index_search(table, id, index_levels(table), &search);
	memcpy(halves, id, sizeof(halves));
	atomic_store(&table->ids[index].half[0], halves[0]);
	atomic_store(&table->ids[index].half[1], halves[1]);
	atomic_store(&table->slots[index].flags, INV_KIND_EVENT);
	atomic_store(&table->control[index], control_word(7, search.tag, owner, slot_state));
}

static int enter_and_die(struct fixture *fixture, void *arg)
{
	(void)arg;
	if (enter(fixture->table) != 0)
		return 1;
	atomic_store(&fixture->counters[0], (int)fixture->table->owner);
	return 0;
}

static uint32_t dead_owner(struct fixture *fixture)
{
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, enter_and_die, NULL)), 0);
	return (uint32_t)atomic_load(&fixture->counters[0]);
}

static void what_the_dead_left_half_made_stops_nobody(void **state)
{
	struct fixture *fixture = *state;
	static const enum slot_state states[] = {SLOT_CLAIMED, SLOT_PUBLISHING, SLOT_ABORTED,
	                                         SLOT_LIVE};
	uint32_t owner = dead_owner(fixture);
	inv_event *event;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (uint32_t index = 0; index < SMALL_TABLE; index++) {
			uint8_t id[16];
			fixture_id(id);
			forge(fixture, index, id, owner, states[i]);
			assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
			assert_int_equal(inv_event_set(event, NULL), 0);
			assert_int_equal(inv_event_check(event), -ECANCELED);
			inv_event_put(event);
			assert_int_equal(fixture_live(fixture), 0);
			assert_int_equal(inv_event_find(fixture->table, id, &event), -ENOENT);
			owner = dead_owner(fixture);
		}
	}
}

static void a_table_full_of_what_the_dead_left_is_not_full(void **state)
{
	struct fixture *fixture = *state;
	static const enum slot_state states[] = {SLOT_CLAIMED, SLOT_PUBLISHING, SLOT_ABORTED,
	                                         SLOT_LIVE};
	uint32_t owner = dead_owner(fixture);
	uint8_t id[16];
	inv_event *event;

	for (uint32_t index = 0; index < SMALL_TABLE; index++) {
		fixture_id(id);
		forge(fixture, index, id, owner, states[index]);
	}
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(fixture_live(fixture), 1);
	inv_event_put(event);
}

static void a_rival_alive_in_the_middle_keeps_the_id(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(enter(fixture->table), 0);
	/* The first free slot is index 0: the rival has the lower index, or the higher one. */
	forge(fixture, 0, id, fixture->table->owner, SLOT_PUBLISHING);
	assert_int_equal(inv_event_create(fixture->table, id, &event), -EEXIST);
	assert_true(slot_withdraw(fixture->table, 0, atomic_load(&fixture->table->control[0])));

	forge(fixture, 2, id, fixture->table->owner, SLOT_PUBLISHING);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(control_state(atomic_load(&fixture->table->control[2])), SLOT_ABORTED);
	inv_event_put(event);
}

static void fill(struct fixture *fixture, inv_event **events, int capacity)
{
	uint8_t id[16];
	inv_event *event;

	for (int i = 0; i < capacity; i++) {
		fixture_id(id);
		assert_int_equal(inv_event_create(fixture->table, id, &events[i]), 0);
	}
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), -ENOSPC);
	assert_int_equal(inv_event_get(fixture->table, id, &event), -ENOSPC);
	assert_int_equal(fixture_live(fixture), capacity);
}

static void a_small_table_is_full_exactly_at_its_capacity(void **state)
{
	struct fixture *fixture = *state;
	static const int capacities[] = {1, 2, 3, 4, 100, ONE_BUCKET};
	inv_event *events[ONE_BUCKET];

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		char path[128];
		int capacity = capacities[i];
		assert_int_equal(fixture_make_table(fixture, (uint32_t)capacity), 0);
		fill(fixture, events, capacity);
		inv_event_put(events[capacity / 2]);
		uint8_t id[16];
		fixture_id(id);
		assert_int_equal(inv_event_create(fixture->table, id, &events[capacity / 2]), 0);
		for (int slot = 0; slot < capacity; slot++)
			inv_event_put(events[slot]);
		assert_int_equal(fixture_live(fixture), 0);
		inv_close(fixture->table);
		fixture->table = NULL;
		fixture_path(fixture, path);
		assert_int_equal(unlink(path), 0);
	}
}

static int fill_and_stay(struct fixture *fixture, void *arg)
{
	uint8_t id[16];
	inv_event *event;

	(void)arg;
	for (int i = 0; i < SMALL_TABLE; i++) {
		memset(id, i + 1, sizeof(id));
		if (inv_event_create(fixture->table, id, &event) != 0)
			return 1;
	}
	atomic_store(&fixture->counters[0], 1);
	return fixture_stay();
}

static void a_full_table_recovers_after_a_death(void **state)
{
	struct fixture *fixture = *state;
	inv_event *events[SMALL_TABLE];
	uint8_t id[16];

	pid_t owner = fixture_fork(fixture, fill_and_stay, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &events[0]), -ENOSPC);
	fixture_kill(fixture, owner);
	fill(fixture, events, SMALL_TABLE);
	for (int i = 0; i < SMALL_TABLE; i++)
		inv_event_put(events[i]);
}

static void the_oldest_finished_makes_room_first(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[2 * SMALL_TABLE][16];
	struct inv_info info;

	for (int i = 0; i < 2 * SMALL_TABLE; i++) {
		inv_invocation *invocation;
		fixture_id(ids[i]);
		assert_int_equal(inv_invocation_begin(fixture->table, ids[i], NULL, &invocation),
		                 0);
		assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
		for (int older = 0; older <= i; older++)
			assert_int_equal(inv_info_get(fixture->table, ids[older], &info),
			                 older > i - SMALL_TABLE ? 0 : -ENOENT);
	}
}

static void the_living_are_never_evicted(void **state)
{
	struct fixture *fixture = *state;
	inv_event *events[SMALL_TABLE];
	inv_invocation *invocation;

	fill(fixture, events, SMALL_TABLE);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), -ENOSPC);
	for (int i = 0; i < SMALL_TABLE; i++) {
		assert_int_equal(inv_event_is_set(events[i]), 0);
		inv_event_put(events[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_registration_is_found_until_it_is_released),
	        TABLE_TEST(every_tenant_has_a_generation_of_its_own),
	        TABLE_TEST(the_generation_skips_zero_when_it_wraps),
	        TABLE_TEST(late_transitions_do_not_hit_the_next_tenant),
	        TABLE_TEST(it_ends_once),
	        cmocka_unit_test(outcomes_survive_packing),
	        TABLE_TEST(of_two_processes_one_wins),
	        TABLE_TEST(of_twenty_processes_one_wins),
	        SMALL_TABLE_TEST(what_the_dead_left_half_made_stops_nobody),
	        SMALL_TABLE_TEST(a_table_full_of_what_the_dead_left_is_not_full),
	        SMALL_TABLE_TEST(a_rival_alive_in_the_middle_keeps_the_id),
	        NO_TABLE_TEST(a_small_table_is_full_exactly_at_its_capacity),
	        SMALL_TABLE_TEST(a_full_table_recovers_after_a_death),
	        SMALL_TABLE_TEST(the_oldest_finished_makes_room_first),
	        SMALL_TABLE_TEST(the_living_are_never_evicted),
	};

	return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
