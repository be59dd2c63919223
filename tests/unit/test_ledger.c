/*
 * The ledger of a program in a shared table: what it owns stands there from the registration to
 * the end, for its own process and table alone; without one the program only can't be
 * signalled.
 */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/broker.h"
#include "table/ledger.h"
#include "table/slot.h"

static int set_up(void **state)
{
	struct fixture *fixture;
	bool created;

	if (fixture_set_up_without_table(state) != 0)
		return -1;
	fixture = *state;
	struct broker_create create = {
	        .name = fixture->name, .capacity = 100, .shared = true, .gid = getegid()};
	return broker_open(&create, &fixture->table, &created);
}

static uint32_t index_of(struct fixture *fixture, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;

	return slot_find(fixture->table, id, &ref, &word) == 0 ? ref.index : UINT32_MAX;
}

static void what_is_owned_stands_there_until_its_end(void **state)
{
	struct fixture *fixture = *state;
	uint8_t parent_id[16], id[16];
	struct ledger_entry entry;
	inv_invocation *parent;
	inv_event *event;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &parent), 0);
	inv_invocation_id(parent, parent_id);
	uint32_t parent_index = index_of(fixture, parent_id);
	assert_true(ledger_read(fixture->table, getpid(), parent_index, &entry));
	assert_memory_equal(entry.id, parent_id, 16);

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	uint32_t index = index_of(fixture, id);
	assert_true(ledger_read(fixture->table, getpid(), index, &entry));
	assert_memory_equal(entry.id, id, 16);
	assert_memory_equal(entry.parent, parent_id, 16);
	inv_event_put(event);
	assert_false(ledger_read(fixture->table, getpid(), index, &entry));

	assert_int_equal(inv_invocation_end(parent, INV_COMPLETED), 0);
	assert_false(ledger_read(fixture->table, getpid(), parent_index, &entry));
}

static void another_process_and_another_table_have_none(void **state)
{
	struct fixture *fixture = *state;
	struct ledger_entry entry;
	inv_invocation *invocation;
	uint8_t id[16];

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	uint32_t index = index_of(fixture, id);
	assert_false(ledger_read(fixture->table, getppid(), index, &entry));
	assert_false(ledger_read(fixture->table, INT32_MAX, index, &entry));
	fixture->table->inode++;
	assert_false(ledger_read(fixture->table, getpid(), index, &entry));
	fixture->table->inode--;
	assert_true(ledger_read(fixture->table, getpid(), index, &entry));
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

/* The numbers of what does not hold; 0: all does. */
static int register_without_room(struct fixture *fixture, void *arg)
{
	struct rlimit limit;
	struct ledger_entry entry;
	inv_invocation *invocation;
	uint8_t id[16];

	(void)arg;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 100;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
	    inv_invocation_begin(fixture->table, NULL, NULL, &invocation) != 0)
		return 1;
	inv_invocation_id(invocation, id);
	if (ledger_read(fixture->table, getpid(), index_of(fixture, id), &entry))
		return 2;
	if (inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL) != -EPERM)
		return 3;
	if (inv_check() != -ECANCELED)
		return 4;
	return inv_invocation_end(invocation, INV_CANCELLED) == 0 ? 0 : 5;
}

static void where_it_can_not_be_kept_all_else_works(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = fixture_fork(fixture, register_without_room, NULL);

	assert_int_equal(fixture_reap(fixture, child), 0);
}

static int end_inherited_and_begin(struct fixture *fixture, void *arg)
{
	struct ledger_entry entry;
	inv_invocation *own;
	uint8_t id[16];

	inv_invocation_end(arg, INV_COMPLETED);
	if (inv_invocation_begin(fixture->table, NULL, NULL, &own) != 0)
		return 1;
	inv_invocation_id(own, id);
	if (!ledger_read(fixture->table, getpid(), index_of(fixture, id), &entry) ||
	    ledger_read(fixture->table, getppid(), index_of(fixture, id), &entry))
		return 2;
	return inv_invocation_end(own, INV_COMPLETED) == 0 ? 0 : 3;
}

static void a_forked_child_begins_its_own_and_leaves_the_parents(void **state)
{
	struct fixture *fixture = *state;
	struct ledger_entry entry;
	inv_invocation *invocation;
	uint8_t id[16];

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	pid_t child = fixture_fork(fixture, end_inherited_and_begin, invocation);
	assert_int_equal(fixture_reap(fixture, child), 0);
	assert_true(ledger_read(fixture->table, getpid(), index_of(fixture, id), &entry));
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

int main(void)
{
#define LEDGER_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	        LEDGER_TEST(what_is_owned_stands_there_until_its_end),
	        LEDGER_TEST(another_process_and_another_table_have_none),
	        LEDGER_TEST(where_it_can_not_be_kept_all_else_works),
	        LEDGER_TEST(a_forked_child_begins_its_own_and_leaves_the_parents),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
