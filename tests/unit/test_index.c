/*
 * Where an id may be, and how large a table is: "Live invocations: 65,536 by default, up
 * to 1,048,576 with --capacity, at most 512 bytes each in a full table."
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "index.h"
#include "owner.h"
#include "slot.h"

enum { LARGE = 65536, BYTES_EACH = 512 };

static void candidates_lie_within_the_table(void **state)
{
	static const uint32_t capacities[] = {1, 2, 16, 256, 257, 1000, LARGE, CAPACITY_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		inv_table table = {0};
		assert_int_equal(geometry_of(capacities[i], &table.geometry), 0);
		for (int tries = 0; tries < 2000; tries++) {
			uint8_t id[16];
			fixture_id(id);
			struct candidates candidates = index_candidates(&table, id);
			assert_in_range(candidates.count, 1, 2);
			for (uint32_t bucket = 0; bucket < candidates.count; bucket++) {
				assert_int_equal(candidates.first[bucket] % candidates.width, 0);
				assert_true(candidates.first[bucket] + candidates.width <=
				            table.geometry.slots);
			}
			assert_true(candidates.tag < 1u << CONTROL_TAG_BITS);
			struct candidates again = index_candidates(&table, id);
			assert_memory_equal(&again, &candidates, sizeof(again));
		}
	}
}

static void the_parts_follow_each_other_and_hold_what_they_must(void **state)
{
	static const uint32_t capacities[] = {1, 256, 257, LARGE, 100000, CAPACITY_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		struct geometry geometry;
		assert_int_equal(geometry_of(capacities[i], &geometry), 0);
		assert_true(geometry.slots >= capacities[i]);
		assert_int_equal(geometry.slots, geometry.buckets * geometry.width);
		assert_true(geometry.control_at >= sizeof(struct header));
		assert_true(geometry.event_at >= geometry.control_at + geometry.slots * 8u);
		assert_true(geometry.kin_at >= geometry.event_at + geometry.slots * 8u);
		assert_true(geometry.owners_at >= geometry.kin_at + geometry.slots * 4u);
		assert_true(geometry.slots_at >=
		            geometry.owners_at + geometry.owners * sizeof(struct owner_entry));
		assert_true(geometry.bytes >=
		            geometry.slots_at + geometry.slots * sizeof(struct slot));
		assert_int_equal(geometry.bytes % LAYOUT_PAGE, 0);
	}
}

static void capacities_out_of_range_are_refused(void **state)
{
	struct geometry geometry;

	(void)state;
	assert_int_equal(geometry_of(0, &geometry), -EINVAL);
	assert_int_equal(geometry_of(CAPACITY_MAX + 1, &geometry), -EINVAL);
	assert_int_equal(geometry_of(UINT32_MAX, &geometry), -EINVAL);
}

static void a_live_invocation_takes_512_bytes_at_most(void **state)
{
	static const uint32_t capacities[] = {LARGE, 100000, 131072, 500000, CAPACITY_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		struct geometry geometry;
		assert_int_equal(geometry_of(capacities[i], &geometry), 0);
		assert_true(geometry.bytes <= (size_t)capacities[i] * BYTES_EACH);
	}
}

static void a_table_takes_as_many_as_it_was_made_for(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	struct slot_ref ref;

	assert_int_equal(fixture_make_table(fixture, LARGE), 0);
	pthread_mutex_lock(&fixture->table->lock);
	assert_int_equal(owner_enter(fixture->table), 0);
	pthread_mutex_unlock(&fixture->table->lock);
	for (int i = 0; i < LARGE; i++) {
		fixture_id(id);
		struct registration registration = {.id = id, .name = "", .flags = INV_KIND_EVENT};
		assert_int_equal(slot_register(fixture->table, &registration, &ref), 0);
	}
	assert_int_equal(fixture_live(fixture), LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(candidates_lie_within_the_table),
	        cmocka_unit_test(the_parts_follow_each_other_and_hold_what_they_must),
	        cmocka_unit_test(capacities_out_of_range_are_refused),
	        cmocka_unit_test(a_live_invocation_takes_512_bytes_at_most),
	        NO_TABLE_TEST(a_table_takes_as_many_as_it_was_made_for),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
