/*
 * "their handles turn stale: every call on them returns -ESTALE, never another
 * invocation's state", also where a slot's generation has come round: after 2^30 tenants
 * it is what it was. The words are planted here, since nobody can wait for so many.
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/event.h"
#include "table/event_word.h"
#include "table/slot.h"

enum { LOOKS = 5000 }; /* the hot path looks closer once in a few thousand times */

/* A handle on an event that another attachment of this process has put meanwhile. */
struct kept {
	uint8_t id[16];
	inv_event *event;
	struct slot_ref ref;
};

static struct kept keep_stale(struct fixture *fixture, inv_table *owner)
{
	struct kept kept;
	inv_event *owned;

	fixture_id(kept.id);
	assert_int_equal(inv_event_create(owner, kept.id, &owned), 0);
	assert_int_equal(inv_event_find(fixture->table, kept.id, &kept.event), 0);
	assert_int_equal(inv_event_check(kept.event), 0);
	kept.ref = kept.event->ref;
	inv_event_put(owned);
	return kept;
}

/* The slot's next tenant, whose generation follows the given one. */
static inv_event *tenant_after(inv_table *owner, const struct kept *kept, uint32_t generation)
{
	uint8_t id[16];
	inv_event *tenant;

	atomic_store(&owner->control[kept->ref.index], control_word(generation, 0, 0, SLOT_FREE));
	fixture_id(id);
	assert_int_equal(inv_event_create(owner, id, &tenant), 0);
	assert_int_equal(tenant->ref.index, kept->ref.index);
	return tenant;
}

static int look_often(int (*call)(inv_event *), inv_event *event)
{
	int result = 0;

	for (int i = 0; i < LOOKS && result == 0; i++)
		result = call(event);
	return result;
}

static int is_set(inv_event *event)
{
	return inv_event_is_set(event);
}

static void assert_refused(inv_event *stale)
{
	assert_int_equal(inv_event_set(stale, "astray"), -ESTALE);
	assert_int_equal(inv_event_clear(stale), -ESTALE);
	assert_int_equal(inv_event_wait(stale, 0), -ESTALE);
	assert_int_equal(inv_event_wait(stale, INV_FOREVER), -ESTALE);
	assert_int_equal(inv_event_sleep(stale, 0), -ESTALE);
	assert_int_equal(inv_event_fd(stale), -ESTALE);
	assert_int_equal(look_often(inv_event_check, stale), -ESTALE);
	assert_int_equal(look_often(is_set, stale), -ESTALE);
}

/* What the stale handle does reaches nobody, and it learns nothing of the tenant. */
static void assert_tenant_untouched(struct fixture *fixture, inv_event *stale, inv_event *tenant)
{
	uint8_t id[16];
	inv_event *found;

	assert_refused(stale);
	assert_int_equal(inv_event_is_set(tenant), 0);
	assert_int_equal(inv_event_set(tenant, "for the tenant"), 0);
	assert_refused(stale);
	assert_int_equal(inv_event_is_set(tenant), 1);
	/* Whoever finds the tenant gets a handle on the tenant. */
	inv_event_id(tenant, id);
	assert_int_equal(inv_event_find(fixture->table, id, &found), 0);
	assert_ptr_not_equal(found, stale);
	assert_int_equal(inv_event_check(found), -ECANCELED);
	assert_int_equal(inv_event_is_set(tenant), 0);
	inv_event_put(found);
}

static void with_generation_after(struct fixture *fixture, uint32_t back, uint32_t expected)
{
	inv_table *owner;

	assert_int_equal(inv_open(&owner, fixture->name, 0), 0);
	struct kept kept = keep_stale(fixture, owner);
	inv_event *tenant = tenant_after(owner, &kept, kept.ref.generation - back);
	assert_int_equal(tenant->ref.generation, expected ? expected : kept.ref.generation);
	assert_tenant_untouched(fixture, kept.event, tenant);
	inv_event_put(tenant);
	inv_event_put(kept.event);
	inv_close(owner);
}

static void a_handle_whose_generation_has_come_round_is_stale(void **state)
{
	with_generation_after(*state, 1, 0);
}

static void a_handle_from_before_the_wrap_is_stale(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < fixture->table->geometry.slots; i++)
		atomic_store(&fixture->table->control[i],
		             control_word(CONTROL_GENERATION_MAX - 1, 0, 0, SLOT_FREE));
	/* The kept one has the last generation; after it comes 1, since 0 is none. */
	with_generation_after(fixture, 0, 1);
}

static void a_sequence_wraps_within_its_field(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	uint64_t last = (uint64_t)event->ref.generation << 32 | EVENT_SEQUENCE_MASK;
	atomic_store(&fixture->table->event[event->ref.index], last);
	for (int request = 0; request < 3; request++) {
		assert_int_equal(inv_event_set(event, "at the wrap"), 0);
		assert_int_equal(inv_event_is_set(event), 1);
		assert_string_equal(fixture_info(fixture, id).cancel.reason, "at the wrap");
		assert_int_equal(inv_event_check(event), -ECANCELED);
		uint64_t word = atomic_load(&fixture->table->event[event->ref.index]);
		assert_int_equal(event_generation(word), event->ref.generation);
		assert_int_equal(event_sequence(word), request);
	}
	inv_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SMALL_TABLE_TEST(a_handle_whose_generation_has_come_round_is_stale),
	        SMALL_TABLE_TEST(a_handle_from_before_the_wrap_is_stale),
	        SMALL_TABLE_TEST(a_sequence_wraps_within_its_field),
	};

	return cmocka_run_group_tests_name("wrap", tests, NULL, NULL);
}
