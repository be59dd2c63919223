/*
 * Where an id may be, and how large a table is: "Live invocations: 16,384 by default, up
 * to 1,048,576 with --capacity, at most 768 bytes each in a full table."
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "table/index.h"
#include "table/owner.h"
#include "table/slot.h"

enum { LARGE = 65536, BYTES_EACH = 768 };

static void candidates_lie_within_the_table(void **state)
{
	static const uint32_t capacities[] = {1, 2, 16, 256, 257, 1000, LARGE, CAPACITY_MAX};

	(void)state;
	for (size_t size = 0; size < sizeof(capacities) / sizeof(capacities[0]); size++) {
		inv_table table = {0};
		assert_int_equal(geometry_of(capacities[size], &table.geometry), 0);
		for (int tries = 0; tries < 2000; tries++) {
			uint8_t id[16];
			fixture_id(id);
			struct search search;
			uint32_t looks = 0, highest = table.geometry.level_count - 1;
			index_search(&table, id, table.geometry.level_count, &search);
			assert_int_equal(search.level, highest);
			assert_true(search.tag < 1u << CONTROL_TAG_BITS);
			do {
				assert_in_range(search.bucket.width, 1, SMALL_CAPACITY);
				assert_true(search.bucket.first + search.bucket.width <=
				            table.geometry.slots);
				looks++;
			} while (index_next(&table, &search));
			assert_int_equal(search.level, 0);
			assert_in_range(looks, highest + 1, 2 * (highest + 1));
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
		assert_true(geometry.ids_at >= geometry.event_at + geometry.slots * 8u);
		assert_true(geometry.parent_index_at >= geometry.ids_at + geometry.slots * 16u);
		assert_in_range(geometry.level_count, 1, LEVELS_MAX);
		assert_int_equal(geometry.level_end[geometry.level_count - 1], geometry.slots);
		assert_true(geometry.owners_at >= geometry.parent_index_at + geometry.slots * 4u);
		assert_true(geometry.slots_at >=
		            geometry.owners_at + geometry.owners * sizeof(struct owner_entry));
		assert_true(geometry.changes_at >=
		            geometry.slots_at + geometry.slots * sizeof(struct slot));
		assert_true(geometry.bytes >=
		            geometry.changes_at + CHANGES * sizeof(struct change_record));
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

static void register_ids(struct fixture *fixture, uint8_t (*ids)[16], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct slot_ref ref;
		fixture_id(ids[i]);
		struct registration registration = {
		        .id = ids[i], .name = "", .flags = INV_KIND_EVENT};
		assert_int_equal(slot_register(fixture->table, &registration, &ref), 0);
	}
}

static void make_table_with_owner(struct fixture *fixture)
{
	assert_int_equal(fixture_make_table(fixture, LARGE), 0);
	pthread_mutex_lock(&fixture->table->lock);
	assert_int_equal(owner_enter(fixture->table), 0);
	pthread_mutex_unlock(&fixture->table->lock);
}

static void a_table_takes_as_many_as_it_was_made_for(void **state)
{
	static uint8_t ids[LARGE][16];
	struct fixture *fixture = *state;

	make_table_with_owner(fixture);
	register_ids(fixture, ids, LARGE);
	assert_int_equal(fixture_live(fixture), LARGE);
}

/* A look at all of a few is a look at a few slots, and none is lost when they become many. */
static void few_invocations_lie_close_together(void **state)
{
	enum { FEW = 1000, MANY = 20000 };
	static uint8_t ids[MANY][16];
	struct fixture *fixture = *state;
	struct slot_ref ref;
	uint64_t word;

	make_table_with_owner(fixture);
	inv_table *table = fixture->table;
	uint32_t first_level = table->geometry.level_end[0];
	assert_true(first_level < table->geometry.slots / 8);
	register_ids(fixture, ids, FEW);
	assert_int_equal(index_extent(table), first_level);
	register_ids(fixture, ids + FEW, MANY - FEW);
	assert_int_equal(index_extent(table), table->geometry.slots);
	assert_int_equal(fixture_live(fixture), MANY);
	for (size_t i = 0; i < MANY; i++) {
		struct registration again = {.id = ids[i], .name = "", .flags = INV_KIND_EVENT};
		assert_int_equal(slot_register(table, &again, &ref), -EEXIST);
		assert_int_equal(slot_find(table, ids[i], &ref, &word), 0);
		assert_true(slot_release(table, ref.index, word));
		assert_int_equal(slot_find(table, ids[i], &ref, &word), -ENOENT);
	}
}

/* The count of levels may be any number: it is damage, and no reason to look outside. */
static void a_damaged_count_of_levels_is_kept_within_the_table(void **state)
{
	static const uint32_t counts[] = {0, 1, 2, LEVELS_MAX + 1, UINT32_MAX};
	struct fixture *fixture = *state;

	assert_int_equal(fixture_make_table(fixture, LARGE), 0);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		atomic_store(&fixture->table->header->levels, counts[i]);
		assert_in_range(index_levels(fixture->table), 1,
		                fixture->table->geometry.level_count);
		assert_in_range(index_extent(fixture->table), 1, fixture->table->geometry.slots);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(candidates_lie_within_the_table),
	        cmocka_unit_test(the_parts_follow_each_other_and_hold_what_they_must),
	        cmocka_unit_test(capacities_out_of_range_are_refused),
	        cmocka_unit_test(a_live_invocation_takes_512_bytes_at_most),
	        NO_TABLE_TEST(a_table_takes_as_many_as_it_was_made_for),
	        NO_TABLE_TEST(few_invocations_lie_close_together),
	        NO_TABLE_TEST(a_damaged_count_of_levels_is_kept_within_the_table),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
