/*
 * "A request reaches the live descendants too (cause parent): all that were registered
 * before it"; "--only: this one alone"; "inv_event_set touches one event".
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "invctl-supervisor.h"

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

/* Sleeps, is asked, and counts how often: in the clean-up, too. */
static int count_requests(struct fixture *fixture, void *arg)
{
	struct link *link = arg;
	inv_invocation *invocation;

	if (inv_invocation_begin(fixture->table, link->chain->ids[link->depth], NULL, &invocation))
		return 100;
	if (link->depth == 0) {
		struct link inner = {.chain = link->chain, .depth = 1};

		fixture_environment(link->chain->ids[0]);
		fixture_fork(fixture, count_requests, &inner);
	}
	atomic_fetch_add(&fixture->counters[READY], 1);
	while (!atomic_load(&fixture->counters[END_OF]))
		if (inv_event_sleep(inv_invocation_event(invocation), MILLISECOND) == -ECANCELED)
			atomic_fetch_add(&fixture->counters[1 + link->depth], 1);
	inv_invocation_end(invocation, INV_CANCELLED);
	return fixture_stay();
}

/* "At most one request of each invocation by one command or call": also where the inner one is
 * a target and its parent's descendant, and takes the first request before the second would be. */
static void one_call_makes_one_request_of_each(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain;
	struct link outer = {.chain = &chain};
	int results[3] = {1, 1, 1};
	uint8_t ids[3][16];

	for (int i = 0; i < 2; i++)
		fixture_id(chain.ids[i]);
	fixture_fork(fixture, count_requests, &outer);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 2);
	memcpy(ids[0], chain.ids[0], 16);
	memcpy(ids[1], chain.ids[1], 16);
	memcpy(ids[2], chain.ids[0], 16);
	for (int round = 1; round <= 100; round++) {
		assert_int_equal(inv_cancel_all(fixture->table, (const uint8_t(*)[16])ids, 3, 0,
		                                NULL, results),
		                 0);
		for (int i = 0; i < 3; i++)
			assert_int_equal(results[i], 0);
		EVENTUALLY(atomic_load(&fixture->counters[1]) >= round &&
		           atomic_load(&fixture->counters[2]) >= round);
		assert_int_equal(atomic_load(&fixture->counters[1]), round);
		assert_int_equal(atomic_load(&fixture->counters[2]), round);
	}
	atomic_store(&fixture->counters[END_OF], 1);
}

static void each_of_one_call_has_its_own_result(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[3][16];
	int results[3] = {1, 1, 1};
	inv_invocation *lives, *ended;

	for (int i = 0; i < 3; i++)
		fixture_id(ids[i]);
	assert_int_equal(inv_invocation_begin(fixture->table, ids[2], NULL, &lives), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, ids[0], NULL, &ended), 0);
	assert_int_equal(inv_invocation_end(ended, INV_COMPLETED), 0);
	assert_int_equal(
	        inv_cancel_all(fixture->table, (const uint8_t(*)[16])ids, 3, 0, "all", results), 0);
	assert_int_equal(results[0], -EALREADY);
	assert_int_equal(results[1], -ENOENT);
	assert_int_equal(results[2], 0);
	assert_asked(fixture, ids[2], INV_CAUSE_REQUESTED, "all");
	assert_int_equal(inv_invocation_end(lives, INV_CANCELLED), 0);
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
	        TABLE_TEST(one_call_makes_one_request_of_each),
	        TABLE_TEST(each_of_one_call_has_its_own_result),
	        SMALL_TABLE_TEST(a_parents_slot_used_again_has_no_old_children),
	};

	return cmocka_run_group_tests_name("cascade", tests, NULL, NULL);
}
