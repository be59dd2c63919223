/*
 * Threads with an invocation of their own: ThreadWithInvocationID. ("a cancel of the
 * caller is passed on at once, without polling, and is -ECANCELED after the join".)
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 100 };

static int give(void *result)
{
	return *(int *)result;
}

static int sleep_forever(void *arg)
{
	(void)arg;
	return inv_sleep(INV_FOREVER);
}

static int note_id(void *id)
{
	return inv_current_id(id);
}

static void it_runs_in_an_invocation_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], inside[16], current[16];
	inv_thread *thread;
	int result = -1;

	assert_int_equal(inv_thread_start(&thread, fixture->table, note_id, inside), 0);
	inv_thread_id(thread, id);
	assert_int_equal(inv_thread_join(thread, &result), 0);
	assert_int_equal(result, 0);
	assert_memory_equal(inside, id, 16);
	assert_int_equal(inv_current_id(current), -ENXIO);
	assert_int_equal(fixture_info(fixture, id).kind, INV_KIND_CALL);
}

static void its_result_is_its_outcome(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		int result, status;
	} rows[] = {
	        {0, INV_COMPLETED},
	        {-ECANCELED, INV_CANCELLED},
	        {-EIO, INV_ERROR},
	        {42, INV_ERROR},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int wanted = rows[i].result, result = 0;
		uint8_t id[16];
		inv_thread *thread;
		assert_int_equal(inv_thread_start(&thread, fixture->table, give, &wanted), 0);
		inv_thread_id(thread, id);
		assert_int_equal(inv_thread_join(thread, &result), 0);
		assert_int_equal(result, wanted);
		assert_int_equal(fixture_info(fixture, id).status, rows[i].status);
	}
}

static void its_parent_is_the_callers(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], parent[16];
	inv_context *context;
	inv_thread *thread;

	fixture_id(parent);
	assert_int_equal(inv_context_enter(fixture->table, parent, &context), 0);
	assert_int_equal(inv_thread_start(&thread, fixture->table, sleep_forever, NULL), 0);
	inv_thread_id(thread, id);
	assert_memory_equal(fixture_info(fixture, id).parent, parent, 16);
	assert_int_equal(inv_cancel(fixture->table, parent, 0, NULL), 0);
	assert_int_equal(inv_thread_join(thread, NULL), 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_CANCELLED);
	assert_int_equal(fixture_info(fixture, id).cause, INV_CAUSE_PARENT);
	assert_int_equal(inv_context_leave(context), 0);
}

static void cancel_wakes_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_thread *thread;
	int result = 0;

	assert_int_equal(inv_thread_start(&thread, fixture->table, sleep_forever, NULL), 0);
	inv_thread_id(thread, id);
	assert_int_equal(inv_thread_cancel(thread), 0);
	assert_int_equal(inv_thread_join(thread, &result), 0);
	assert_int_equal(result, -ECANCELED);
	assert_int_equal(fixture_info(fixture, id).status, INV_CANCELLED);
}

static void cancel_of_an_ended_one_is_ealready(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_thread *thread;
	int zero = 0;

	assert_int_equal(inv_thread_start(&thread, fixture->table, give, &zero), 0);
	inv_thread_id(thread, id);
	assert_int_equal(inv_wait(fixture->table, id, INV_FOREVER), INV_COMPLETED);
	assert_int_equal(inv_thread_cancel(thread), -EALREADY);
	assert_int_equal(inv_thread_join(thread, NULL), 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_COMPLETED);
}

static void on_signal(int signum)
{
	(void)signum;
}

struct joiner {
	inv_table *table; /* where it enters a context of its own first; or NULL */
	inv_thread *thread;
	int (*join)(inv_thread *, int *);
	_Atomic pid_t thread_id;
	_Atomic int ended;
	int result;
};

static void *join_main(void *arg)
{
	struct joiner *joiner = arg;
	inv_context *context = NULL;

	if (joiner->table)
		inv_context_enter(joiner->table, NULL, &context);
	atomic_store(&joiner->thread_id, gettid());
	joiner->result = joiner->join(joiner->thread, NULL);
	if (context)
		inv_context_leave(context);
	atomic_store(&joiner->ended, 1);
	return NULL;
}

static void a_signal_handler_ends_the_join_and_the_handle_stays(void **state)
{
	struct fixture *fixture = *state;
	int (*const joins[])(inv_thread *, int *) = {inv_thread_join, inv_thread_join_propagate};
	struct sigaction action = {.sa_handler = on_signal}, before;

	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	for (int i = 0; i < 2; i++) {
		struct joiner joiner = {.table = fixture->table, .join = joins[i]};
		pthread_t thread;
		int result = 0;
		assert_int_equal(
		        inv_thread_start(&joiner.thread, fixture->table, sleep_forever, NULL), 0);
		assert_int_equal(pthread_create(&thread, NULL, join_main, &joiner), 0);
		EVENTUALLY(atomic_load(&joiner.thread_id) != 0 &&
		           fixture_asleep(getpid(), atomic_load(&joiner.thread_id)));
		EVENTUALLY(atomic_load(&joiner.ended) || (pthread_kill(thread, SIGUSR1), 0));
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(joiner.result, -EINTR);
		assert_int_equal(inv_thread_cancel(joiner.thread), 0);
		assert_int_equal(inv_thread_join(joiner.thread, &result), 0);
		assert_int_equal(result, -ECANCELED);
	}
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

/* The action of a thread that starts another one and joins it, passing a cancel on. */
struct nested {
	struct fixture *fixture;
	uint8_t inner_id[16];
	int inner_result;
	int check_after;
	_Atomic int joining;
};

static int start_and_join(void *arg)
{
	struct nested *nested = arg;
	inv_thread *inner;
	int error = inv_thread_start(&inner, nested->fixture->table, sleep_forever, NULL);

	if (error)
		return error;
	inv_thread_id(inner, nested->inner_id);
	atomic_store(&nested->joining, 1);
	error = inv_thread_join_propagate(inner, &nested->inner_result);
	nested->check_after = inv_check();
	return error;
}

static void propagate_passes_the_cancel_on(void **state)
{
	struct fixture *fixture = *state;
	struct nested nested = {.fixture = fixture, .check_after = 1};
	inv_thread *outer;
	uint8_t id[16];
	int result = 0;

	assert_int_equal(inv_thread_start(&outer, fixture->table, start_and_join, &nested), 0);
	EVENTUALLY(atomic_load(&nested.joining));
	inv_thread_id(outer, id);
	/* This one alone: what the inner one sees was passed on by the join. */
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_ONLY, NULL), 0);
	assert_int_equal(inv_thread_join(outer, &result), 0);
	assert_int_equal(result, -ECANCELED);
	assert_int_equal(nested.inner_result, -ECANCELED);
	assert_int_equal(nested.check_after, 0); /* consumed by the join */
	assert_int_equal(fixture_info(fixture, nested.inner_id).status, INV_CANCELLED);
	assert_int_equal(fixture_info(fixture, id).status, INV_CANCELLED);
}

struct counted_join {
	_Atomic int asked, end, joining;
};

/* Counts how often it is asked; ends when told to. */
static int count_and_stay(void *arg)
{
	struct counted_join *counting = arg;

	while (!atomic_load(&counting->end))
		if (inv_sleep(MILLISECOND) == -ECANCELED)
			atomic_fetch_add(&counting->asked, 1);
	return 0;
}

static int join_the_counting(void *arg)
{
	struct counted_join *counted = arg;
	inv_thread *inner;
	int result;

	if (inv_thread_start(&inner, NULL, count_and_stay, counted) != 0)
		return 1;
	atomic_store(&counted->joining, 1);
	return inv_thread_join_propagate(inner, &result);
}

/* "One call makes at most one request of each": the cascade and the join both reach the inner one.
 */
static void the_cascade_and_the_join_are_one_request(void **state)
{
	struct fixture *fixture = *state;

	for (int round = 0; round < 50; round++) {
		struct counted_join counted = {0};
		inv_thread *outer;
		uint8_t id[16];

		assert_int_equal(
		        inv_thread_start(&outer, fixture->table, join_the_counting, &counted), 0);
		EVENTUALLY(atomic_load(&counted.joining));
		inv_thread_id(outer, id);
		assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
		/* The join has taken the outer one's request when it is pending no longer. */
		EVENTUALLY(fixture_info(fixture, id).cancel.state == INV_CANCEL_DELIVERED);
		EVENTUALLY(atomic_load(&counted.asked) >= 1);
		poll(NULL, 0, 3);
		atomic_store(&counted.end, 1);
		assert_int_equal(inv_thread_join(outer, NULL), 0);
		assert_int_equal(atomic_load(&counted.asked), 1);
	}
}

static int join_the_parents(struct fixture *fixture, void *thread)
{
	int result;

	(void)fixture;
	return inv_thread_join(thread, &result) == -ESTALE &&
	                       inv_thread_join_propagate(thread, &result) == -ESTALE &&
	                       inv_thread_cancel(thread) == -ESTALE
	               ? 0
	               : 1;
}

static void a_forked_child_does_not_join_it(void **state)
{
	struct fixture *fixture = *state;
	inv_thread *thread;

	assert_int_equal(inv_thread_start(&thread, fixture->table, sleep_forever, NULL), 0);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, join_the_parents, thread)), 0);
	assert_int_equal(inv_thread_cancel(thread), 0);
	assert_int_equal(inv_thread_join(thread, NULL), 0);
}

/* Asks its caller to stop, and ends. */
static int ask_the_caller(void *event)
{
	return inv_event_set(event, NULL);
}

/* "A cancel of the caller is -ECANCELED after the join", also where it came with the end. */
static void a_request_that_comes_with_the_end_is_the_callers(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	inv_event *event;

	assert_int_equal(inv_context_enter(fixture->table, NULL, &context), 0);
	assert_int_equal(inv_event_get(NULL, NULL, &event), 0);
	for (int ended_before = 0; ended_before < 2; ended_before++) {
		uint8_t id[16];
		int result = -1;
		inv_thread *thread;
		assert_int_equal(inv_thread_start(&thread, fixture->table, ask_the_caller, event),
		                 0);
		inv_thread_id(thread, id);
		if (ended_before)
			assert_int_equal(inv_wait(fixture->table, id, INV_FOREVER), INV_COMPLETED);
		assert_int_equal(inv_thread_join_propagate(thread, &result), -ECANCELED);
		assert_int_equal(result, 0);
		assert_int_equal(inv_check(), 0);
	}
	inv_event_put(event);
	assert_int_equal(inv_context_leave(context), 0);
}

static void propagate_without_a_cancel_is_a_join(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	inv_thread *thread;
	int wanted = 7, result = 0;

	assert_int_equal(inv_thread_start(&thread, fixture->table, give, &wanted), 0);
	assert_int_equal(inv_thread_join_propagate(thread, &result), 0);
	assert_int_equal(result, 7);
	assert_int_equal(inv_context_enter(fixture->table, NULL, &context), 0);
	assert_int_equal(inv_thread_start(&thread, fixture->table, give, &wanted), 0);
	assert_int_equal(inv_thread_join_propagate(thread, &result), 0);
	assert_int_equal(result, 7);
	assert_int_equal(inv_context_leave(context), 0);
}

struct gate {
	_Atomic int open, entered;
};

static int pass_gate(void *arg)
{
	struct gate *gate = arg;

	atomic_store(&gate->entered, 1);
	AWAIT(atomic_load(&gate->open));
	return inv_check();
}

static int shielded_join(void *arg)
{
	struct gate *gate = arg;
	inv_thread *inner;
	int inner_result = 1;

	if (inv_shield_begin() != 0 || inv_thread_start(&inner, NULL, pass_gate, gate) != 0)
		return 1;
	if (inv_thread_join_propagate(inner, &inner_result) != 0 || inner_result != 0)
		return 2;
	if (inv_shield_end() != 0)
		return 3;
	return inv_check();
}

static void a_shielded_caller_passes_nothing_on(void **state)
{
	struct fixture *fixture = *state;
	struct gate gate = {0};
	inv_thread *outer;
	uint8_t id[16];
	int result = 0;

	assert_int_equal(inv_thread_start(&outer, NULL, shielded_join, &gate), 0);
	EVENTUALLY(atomic_load(&gate.entered));
	inv_thread_id(outer, id);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_ONLY, NULL), 0);
	atomic_store(&gate.open, 1);
	assert_int_equal(inv_thread_join(outer, &result), 0);
	assert_int_equal(result, -ECANCELED); /* by the check after the shield */
}

static int shield_until_killed(struct fixture *fixture, void *arg)
{
	(void)arg;
	if (inv_shield_begin() != 0)
		return 1;
	atomic_store(&fixture->counters[0], 1);
	return fixture_stay();
}

static void a_shield_that_ends_lets_the_cancel_pass(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;
	struct joiner joiner = {.join = inv_thread_join_propagate};
	pthread_t thread;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	fixture_environment(id);
	pid_t child = fixture_fork(fixture, shield_until_killed, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	assert_int_equal(inv_thread_start(&joiner.thread, fixture->table, sleep_forever, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, join_main, &joiner), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	EVENTUALLY(atomic_load(&joiner.thread_id) != 0 &&
	           fixture_asleep(getpid(), atomic_load(&joiner.thread_id)));
	assert_int_equal(inv_event_is_set(event), 1);
	fixture_kill(fixture, child);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(joiner.result, -ECANCELED);
	assert_int_equal(inv_event_is_set(event), 0);
	inv_event_put(event);
}

static void many_threads_have_an_invocation_each(void **state)
{
	struct fixture *fixture = *state;
	inv_thread *threads[THREADS];
	uint8_t ids[THREADS][16];

	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(inv_thread_start(&threads[i], fixture->table, sleep_forever, NULL),
		                 0);
		inv_thread_id(threads[i], ids[i]);
		for (int other = 0; other < i; other++)
			assert_memory_not_equal(ids[i], ids[other], 16);
	}
	assert_int_equal(fixture_live(fixture), THREADS);
	for (int i = 0; i < THREADS; i += 2)
		assert_int_equal(inv_thread_cancel(threads[i]), 0);
	for (int i = 0; i < THREADS; i += 2)
		assert_int_equal(inv_thread_join(threads[i], NULL), 0);
	assert_int_equal(fixture_live(fixture), THREADS / 2);
	for (int i = 1; i < THREADS; i += 2)
		assert_int_equal(inv_thread_cancel(threads[i]), 0);
	for (int i = 1; i < THREADS; i += 2)
		assert_int_equal(inv_thread_join(threads[i], NULL), 0);
	assert_int_equal(fixture_live(fixture), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(it_runs_in_an_invocation_of_its_own),
	        TABLE_TEST(its_result_is_its_outcome),
	        TABLE_TEST(its_parent_is_the_callers),
	        TABLE_TEST(cancel_wakes_it),
	        TABLE_TEST(cancel_of_an_ended_one_is_ealready),
	        TABLE_TEST(a_signal_handler_ends_the_join_and_the_handle_stays),
	        TABLE_TEST(propagate_passes_the_cancel_on),
	        TABLE_TEST(the_cascade_and_the_join_are_one_request),
	        TABLE_TEST(a_forked_child_does_not_join_it),
	        TABLE_TEST(propagate_without_a_cancel_is_a_join),
	        TABLE_TEST(a_request_that_comes_with_the_end_is_the_callers),
	        TABLE_TEST(a_shielded_caller_passes_nothing_on),
	        TABLE_TEST(a_shield_that_ends_lets_the_cancel_pass),
	        TABLE_TEST(many_threads_have_an_invocation_each),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
