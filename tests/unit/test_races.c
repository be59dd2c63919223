/*
 * "exactly one [outcome], whoever races": a cancel against the end by its owner, and against
 * the sweep after a dead one; and an end whose recorder was killed before it woke anybody.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "api/broker.h"
#include "api/event.h"
#include "table/slot.h"

enum { ROUNDS = 2000, SWEEPS = 30, EACH = 40 };

/* A thread that cancels a few at the moment at which it is let. */
struct canceller {
	inv_table *table;
	uint8_t (*ids)[16];
	int count;
	int *told;
	pthread_barrier_t together;
};

static void *cancel_main(void *arg)
{
	struct canceller *canceller = arg;

	pthread_barrier_wait(&canceller->together);
	for (int i = 0; i < canceller->count; i++)
		canceller->told[i] =
		        inv_cancel(canceller->table, canceller->ids[i], INV_CANCEL_ONLY, "race");
	return NULL;
}

static pthread_t start_canceller(struct canceller *canceller)
{
	pthread_t thread;

	assert_int_equal(pthread_barrier_init(&canceller->together, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, cancel_main, canceller), 0);
	return thread;
}

static void join_canceller(struct canceller *canceller, pthread_t thread)
{
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_barrier_destroy(&canceller->together);
}

/* Whoever was told that it was asked has asked before the end: it counts. */
static void an_end_and_a_cancel_agree(void **state)
{
	struct fixture *fixture = *state;

	for (int round = 0; round < ROUNDS; round++) {
		uint8_t ids[1][16];
		int told = 0;
		inv_invocation *invocation;
		struct canceller canceller = {
		        .table = fixture->table, .ids = ids, .count = 1, .told = &told};
		fixture_id(ids[0]);
		assert_int_equal(inv_invocation_begin(fixture->table, ids[0], NULL, &invocation),
		                 0);
		pthread_t thread = start_canceller(&canceller);
		pthread_barrier_wait(&canceller.together);
		assert_int_equal(inv_invocation_end(invocation, INV_ERROR), 0);
		int seen = inv_wait(fixture->table, ids[0], 0);
		join_canceller(&canceller, thread);
		assert_true(told == 0 || told == -EALREADY);
		assert_int_equal(seen, told == 0 ? INV_CANCELLED : INV_ERROR);
		assert_int_equal(fixture_info(fixture, ids[0]).status, seen);
		assert_int_equal(inv_cancel(fixture->table, ids[0], 0, NULL), -EALREADY);
	}
}

static uint8_t begun[EACH][16];

static int begin_all_and_die(struct fixture *fixture, void *arg)
{
	inv_invocation *invocation;

	(void)arg;
	for (int i = 0; i < EACH; i++)
		if (inv_invocation_begin(fixture->table, begun[i], NULL, &invocation) != 0)
			return 1;
	return 0;
}

static int status_of(struct fixture *fixture, const uint8_t id[16])
{
	return fixture_info(fixture, id).status;
}

/* As under a broker, so that the cancel does not sweep by itself before it asks. */
static void a_sweep_and_a_cancel_agree(void **state)
{
	struct fixture *fixture = *state;
	int told[EACH], recorded[EACH];

	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	for (int round = 0; round < SWEEPS; round++) {
		struct canceller canceller = {
		        .table = fixture->table, .ids = begun, .count = EACH, .told = told};
		for (int i = 0; i < EACH; i++)
			fixture_id(begun[i]);
		pid_t owner = fixture_fork(fixture, begin_all_and_die, NULL);
		assert_int_equal(fixture_reap(fixture, owner), 0);
		pthread_t thread = start_canceller(&canceller);
		pthread_barrier_wait(&canceller.together);
		broker_sweep(fixture->table, NULL, NULL);
		for (int i = 0; i < EACH; i++)
			recorded[i] = status_of(fixture, begun[i]);
		join_canceller(&canceller, thread);
		for (int i = 0; i < EACH; i++) {
			struct inv_info info = fixture_info(fixture, begun[i]);
			assert_int_equal(info.status, recorded[i]);
			assert_true(told[i] == 0 || told[i] == -EALREADY);
			/* lost, unless it was asked in time */
			if (info.status == INV_CANCELLED)
				assert_int_equal(told[i], 0);
			else
				assert_int_equal(info.cause, INV_CAUSE_LOST);
		}
	}
	broker_unserve(fixture->table);
}

struct waiter {
	inv_table *table;
	inv_event *event;
	const uint8_t *id;
	_Atomic pid_t thread_id;
	int result;
	pthread_t thread;
};

static void *wait_for_event(void *arg)
{
	struct waiter *waiter = arg;

	atomic_store(&waiter->thread_id, gettid());
	waiter->result = inv_event_wait(waiter->event, INV_FOREVER);
	return NULL;
}

static void *wait_for_end(void *arg)
{
	struct waiter *waiter = arg;

	atomic_store(&waiter->thread_id, gettid());
	waiter->result = inv_wait(waiter->table, waiter->id, INV_FOREVER);
	return NULL;
}

static void waiter_start(struct waiter *waiter, void *(*main)(void *))
{
	assert_int_equal(pthread_create(&waiter->thread, NULL, main, waiter), 0);
	EVENTUALLY(atomic_load(&waiter->thread_id) != 0 &&
	           fixture_asleep(getpid(), atomic_load(&waiter->thread_id)));
}

/* The outcome stands in the control word, and nobody closes the event or wakes. */
static void record_and_be_killed(inv_table *table, const inv_event *event)
{
	struct outcome lost = {.status = INV_ERROR, .cause = INV_CAUSE_LOST};
	uint64_t word = slot_word(table, event->ref);

	atomic_store(&table->control[event->ref.index],
	             control_word(event->ref.generation, control_tag(word), outcome_pack(&lost),
	                          SLOT_DONE));
}

static void an_end_whose_wake_never_came_is_seen(void **state)
{
	struct fixture *fixture = *state;
	inv_invocation *invocation;
	uint8_t id[16];

	fixture_id(id);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), 0);
	inv_event *event = inv_invocation_event(invocation);
	struct waiter of_event = {.event = event};
	struct waiter of_end = {.table = fixture->table, .id = id};
	waiter_start(&of_event, wait_for_event);
	waiter_start(&of_end, wait_for_end);
	record_and_be_killed(fixture->table, event);
	assert_int_equal(pthread_join(of_event.thread, NULL), 0);
	assert_int_equal(of_event.result, -ESTALE);
	assert_int_equal(pthread_join(of_end.thread, NULL), 0);
	assert_int_equal(of_end.result, INV_ERROR);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(an_end_and_a_cancel_agree),
	        TABLE_TEST(a_sweep_and_a_cancel_agree),
	        TABLE_TEST(an_end_whose_wake_never_came_is_seen),
	};

	return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
