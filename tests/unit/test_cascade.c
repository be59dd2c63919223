/*
 * "A request reaches the live descendants too (cause parent): all that were registered
 * before it"; "--only: this one alone"; "inv_event_set touches one event".
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A chain of invocations, each of a process of its own, nested by INVCTL_ID. */
enum { DEPTH = 4, READY = 0, END_OF = 8 };

struct chain {
	uint8_t ids[DEPTH][16];
	pid_t top;
};

struct link {
	struct chain *chain;
	int depth;
};

/* Begins its invocation, has the next one begun below it, and ends when told to. */
static int link_main(struct fixture *fixture, void *arg)
{
	struct link *link = arg, next = {.chain = link->chain, .depth = link->depth + 1};
	inv_invocation *invocation;

	if (inv_invocation_begin(fixture->table, link->chain->ids[link->depth], NULL, &invocation))
		return 100;
	fixture_environment(link->chain->ids[link->depth]);
	if (next.depth < DEPTH)
		fixture_fork(fixture, link_main, &next);
	atomic_fetch_add(&fixture->counters[READY], 1);
	AWAIT(atomic_load(&fixture->counters[END_OF + link->depth]));
	inv_invocation_end(invocation, INV_COMPLETED);
	return fixture_stay();
}

static void start_chain(struct fixture *fixture, struct chain *chain)
{
	struct link first = {.chain = chain};

	for (int i = 0; i < DEPTH; i++)
		fixture_id(chain->ids[i]);
	chain->top = fixture_fork(fixture, link_main, &first);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == DEPTH);
}

static void assert_asked(struct fixture *fixture, const uint8_t id[16], int cause,
                         const char *reason)
{
	struct inv_info info = fixture_info(fixture, id);

	assert_int_equal(info.cancel.state, INV_CANCEL_REQUESTED);
	assert_int_equal(info.cancel.cause, cause);
	assert_string_equal(info.cancel.reason, reason);
}

static void assert_not_asked(struct fixture *fixture, const uint8_t id[16])
{
	assert_int_equal(fixture_info(fixture, id).cancel.state, INV_CANCEL_NONE);
}

static void end_link(struct fixture *fixture, struct chain *chain, int depth)
{
	atomic_store(&fixture->counters[END_OF + depth], 1);
	EVENTUALLY(fixture_info(fixture, chain->ids[depth]).status == INV_COMPLETED);
}

static void a_request_reaches_all_descendants(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;

	start_chain(fixture, &chain);
	assert_int_equal(inv_cancel(fixture->table, chain.ids[0], 0, "all of you"), 0);
	assert_asked(fixture, chain.ids[0], INV_CAUSE_REQUESTED, "all of you");
	for (int i = 1; i < DEPTH; i++)
		assert_asked(fixture, chain.ids[i], INV_CAUSE_PARENT, "all of you");
}

static void it_goes_down_and_not_up(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;

	start_chain(fixture, &chain);
	assert_int_equal(inv_cancel(fixture->table, chain.ids[2], 0, ""), 0);
	assert_not_asked(fixture, chain.ids[0]);
	assert_not_asked(fixture, chain.ids[1]);
	assert_asked(fixture, chain.ids[2], INV_CAUSE_REQUESTED, "");
	assert_asked(fixture, chain.ids[3], INV_CAUSE_PARENT, "");
}

static void only_means_this_one_alone(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;

	start_chain(fixture, &chain);
	assert_int_equal(inv_cancel(fixture->table, chain.ids[0], INV_CANCEL_ONLY, "you"), 0);
	assert_asked(fixture, chain.ids[0], INV_CAUSE_REQUESTED, "you");
	for (int i = 1; i < DEPTH; i++)
		assert_not_asked(fixture, chain.ids[i]);
}

static void an_event_set_touches_one_event(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;
	inv_event *event;

	start_chain(fixture, &chain);
	assert_int_equal(inv_event_find(fixture->table, chain.ids[0], &event), 0);
	assert_int_equal(inv_event_set(event, "flag"), 0);
	inv_event_put(event);
	assert_asked(fixture, chain.ids[0], INV_CAUSE_REQUESTED, "flag");
	for (int i = 1; i < DEPTH; i++)
		assert_not_asked(fixture, chain.ids[i]);
}

static void a_request_that_is_pending_keeps_its_cause(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;

	start_chain(fixture, &chain);
	assert_int_equal(inv_cancel(fixture->table, chain.ids[2], INV_CANCEL_ONLY, "first"), 0);
	assert_int_equal(inv_cancel(fixture->table, chain.ids[0], 0, "second"), 0);
	assert_asked(fixture, chain.ids[1], INV_CAUSE_PARENT, "second");
	assert_asked(fixture, chain.ids[2], INV_CAUSE_REQUESTED, "first");
	assert_asked(fixture, chain.ids[3], INV_CAUSE_PARENT, "second");
}

static void it_passes_through_the_finished(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;

	start_chain(fixture, &chain);
	end_link(fixture, &chain, 1);
	end_link(fixture, &chain, 2);
	assert_int_equal(inv_cancel(fixture->table, chain.ids[0], 0, "all"), 0);
	assert_asked(fixture, chain.ids[3], INV_CAUSE_PARENT, "all");
	assert_int_equal(fixture_info(fixture, chain.ids[1]).cancel.state, INV_CANCEL_NONE);
	assert_int_equal(fixture_info(fixture, chain.ids[2]).cancel.state, INV_CANCEL_NONE);
}

static void others_are_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;
	uint8_t other[16];
	inv_event *event;

	fixture_id(other);
	assert_int_equal(inv_event_create(fixture->table, other, &event), 0);
	start_chain(fixture, &chain);
	assert_int_equal(inv_cancel(fixture->table, chain.ids[0], 0, NULL), 0);
	assert_not_asked(fixture, other);
	inv_event_put(event);
}

static void a_parents_slot_used_again_has_no_old_children(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[SMALL_TABLE][16], child_id[16];
	inv_context *parent, *child;
	inv_event *events[SMALL_TABLE];

	fixture_id(child_id);
	assert_int_equal(inv_context_enter(fixture->table, NULL, &parent), 0);
	assert_int_equal(inv_context_enter(fixture->table, child_id, &child), 0);
	inv_event *kept;
	assert_int_equal(inv_event_get(fixture->table, child_id, &kept), 0);
	assert_int_equal(inv_context_leave(child), 0);
	assert_int_equal(inv_context_leave(parent), 0);
	/* One of these has the former parent's slot. */
	for (int i = 0; i < SMALL_TABLE - 1; i++) {
		fixture_id(ids[i]);
		assert_int_equal(inv_event_create(fixture->table, ids[i], &events[i]), 0);
	}
	for (int i = 0; i < SMALL_TABLE - 1; i++)
		assert_int_equal(inv_cancel(fixture->table, ids[i], 0, NULL), 0);
	assert_int_equal(inv_event_is_set(kept), 0);
	for (int i = 0; i < SMALL_TABLE - 1; i++)
		inv_event_put(events[i]);
	inv_event_put(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_request_reaches_all_descendants),
	        TABLE_TEST(it_goes_down_and_not_up),
	        TABLE_TEST(only_means_this_one_alone),
	        TABLE_TEST(an_event_set_touches_one_event),
	        TABLE_TEST(a_request_that_is_pending_keeps_its_cause),
	        TABLE_TEST(it_passes_through_the_finished),
	        TABLE_TEST(others_are_left_alone),
	        SMALL_TABLE_TEST(a_parents_slot_used_again_has_no_old_children),
	};

	return cmocka_run_group_tests_name("cascade", tests, NULL, NULL);
}
