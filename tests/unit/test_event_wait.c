/*
 * Waiting for a cancel event: everybody wakes, one consumes, a signal handler ends it.
 * ("delivered exactly once: to exactly one of any number of concurrent checks and
 * sleeps"; "A set that is cleared at once still wakes every waiter of that moment";
 * "-EINTR after a handler has run".)
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { CONSUMERS = 20, WAITERS = 128, PROCESS_WAITERS = 100, ROUNDS = 200 };

/* One thread that does one blocking call. */
struct sleeper {
	int (*call)(struct sleeper *);
	inv_event *event;
	int64_t timeout_ns;
	_Atomic pid_t thread_id;
	_Atomic int ended;
	int result;
	pthread_t thread;
};

static int wait_for_it(struct sleeper *sleeper)
{
	return inv_event_wait(sleeper->event, sleeper->timeout_ns);
}

static int sleep_in_it(struct sleeper *sleeper)
{
	return inv_event_sleep(sleeper->event, sleeper->timeout_ns);
}

static int sleep_outside(struct sleeper *sleeper)
{
	return inv_sleep(sleeper->timeout_ns);
}

static int wait_for_end(struct sleeper *sleeper)
{
	uint8_t id[16];

	inv_event_id(sleeper->event, id);
	return inv_wait(NULL, id, sleeper->timeout_ns);
}

static void *sleeper_main(void *arg)
{
	struct sleeper *sleeper = arg;

	atomic_store(&sleeper->thread_id, gettid());
	sleeper->result = sleeper->call(sleeper);
	atomic_store(&sleeper->ended, 1);
	return NULL;
}

static void sleeper_start(struct sleeper *sleeper, inv_event *event, int64_t timeout_ns,
                          int (*call)(struct sleeper *))
{
	memset(sleeper, 0, sizeof(*sleeper));
	sleeper->call = call;
	sleeper->event = event;
	sleeper->timeout_ns = timeout_ns;
	assert_int_equal(pthread_create(&sleeper->thread, NULL, sleeper_main, sleeper), 0);
}

static bool sleeper_asleep(struct sleeper *sleeper)
{
	pid_t thread = atomic_load(&sleeper->thread_id);

	return thread != 0 && fixture_asleep(getpid(), thread);
}

static int sleeper_join(struct sleeper *sleeper)
{
	EVENTUALLY(atomic_load(&sleeper->ended));
	assert_int_equal(pthread_join(sleeper->thread, NULL), 0);
	return sleeper->result;
}

static int count_ended(struct sleeper *sleepers, int count)
{
	int ended = 0;

	for (int i = 0; i < count; i++)
		ended += atomic_load(&sleepers[i].ended);
	return ended;
}

static inv_event *event_of(struct fixture *fixture)
{
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	return event;
}

static void a_wait_times_out(void **state)
{
	inv_event *event = event_of(*state);

	assert_int_equal(inv_event_wait(event, 0), 0);
	assert_int_equal(inv_event_wait(event, MILLISECOND), 0);
	inv_event_put(event);
}

static void a_set_wakes_a_waiter_and_a_sleeper(void **state)
{
	inv_event *event = event_of(*state);
	struct sleeper waiter, sleeper;

	sleeper_start(&waiter, event, INV_FOREVER, wait_for_it);
	EVENTUALLY(sleeper_asleep(&waiter));
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(sleeper_join(&waiter), 1);
	assert_int_equal(inv_event_check(event), -ECANCELED);

	sleeper_start(&sleeper, event, INV_FOREVER, sleep_in_it);
	EVENTUALLY(sleeper_asleep(&sleeper));
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(sleeper_join(&sleeper), -ECANCELED);
	assert_int_equal(inv_event_is_set(event), 0);
	inv_event_put(event);
}

static void a_set_that_is_cleared_at_once_wakes_earlier_waiters(void **state)
{
	inv_event *event = event_of(*state);
	struct sleeper waiters[4];

	for (int i = 0; i < 4; i++)
		sleeper_start(&waiters[i], event, INV_FOREVER, wait_for_it);
	for (int i = 0; i < 4; i++)
		EVENTUALLY(sleeper_asleep(&waiters[i]));
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_event_clear(event), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(sleeper_join(&waiters[i]), 1);
	/* It is no set for those who come later. */
	assert_int_equal(inv_event_wait(event, MILLISECOND), 0);
	inv_event_put(event);
}

static void a_hundred_waiting_threads_all_wake(void **state)
{
	static struct sleeper waiters[WAITERS];
	inv_event *event = event_of(*state);

	for (int i = 0; i < WAITERS; i++)
		sleeper_start(&waiters[i], event, INV_FOREVER, wait_for_it);
	for (int i = 0; i < WAITERS; i++)
		EVENTUALLY(sleeper_asleep(&waiters[i]));
	assert_int_equal(inv_event_set(event, NULL), 0);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(sleeper_join(&waiters[i]), 1);
	assert_int_equal(inv_event_is_set(event), 1);
	inv_event_put(event);
}

static int wait_in_process(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_find(fixture->table, id, &event) != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[0], 1);
	return inv_event_wait(event, INV_FOREVER) == 1 ? 0 : 2;
}

static void a_hundred_waiting_processes_all_wake(void **state)
{
	struct fixture *fixture = *state;
	inv_event *event = event_of(fixture);
	pid_t waiters[PROCESS_WAITERS];
	uint8_t id[16];

	inv_event_id(event, id);
	for (int i = 0; i < PROCESS_WAITERS; i++)
		waiters[i] = fixture_fork(fixture, wait_in_process, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]) == PROCESS_WAITERS);
	for (int i = 0; i < PROCESS_WAITERS; i++)
		EVENTUALLY(fixture_asleep(waiters[i], waiters[i]));
	assert_int_equal(inv_event_set(event, NULL), 0);
	for (int i = 0; i < PROCESS_WAITERS; i++)
		assert_int_equal(fixture_reap(fixture, waiters[i]), 0);
	inv_event_put(event);
}

static void one_of_twenty_sleeping_threads_has_each_request(void **state)
{
	static struct sleeper sleepers[CONSUMERS];
	inv_event *event = event_of(*state);

	for (int i = 0; i < CONSUMERS; i++)
		sleeper_start(&sleepers[i], event, INV_FOREVER, sleep_in_it);
	for (int request = 1; request <= CONSUMERS; request++) {
		assert_int_equal(inv_event_set(event, NULL), 0);
		EVENTUALLY(count_ended(sleepers, CONSUMERS) >= request);
		assert_int_equal(count_ended(sleepers, CONSUMERS), request);
		assert_int_equal(inv_event_is_set(event), 0);
	}
	for (int i = 0; i < CONSUMERS; i++)
		assert_int_equal(sleeper_join(&sleepers[i]), -ECANCELED);
	inv_event_put(event);
}

enum { READY, TAKEN };

static int sleep_in_process(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_find(fixture->table, id, &event) != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[READY], 1);
	int result = inv_event_sleep(event, INV_FOREVER);
	atomic_fetch_add(&fixture->counters[TAKEN], 1);
	return result == -ECANCELED ? 0 : 2;
}

static void one_of_twenty_sleeping_processes_has_each_request(void **state)
{
	struct fixture *fixture = *state;
	inv_event *event = event_of(fixture);
	pid_t sleepers[CONSUMERS];
	uint8_t id[16];

	inv_event_id(event, id);
	for (int i = 0; i < CONSUMERS; i++)
		sleepers[i] = fixture_fork(fixture, sleep_in_process, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == CONSUMERS);
	for (int request = 1; request <= CONSUMERS; request++) {
		assert_int_equal(inv_event_set(event, NULL), 0);
		EVENTUALLY(atomic_load(&fixture->counters[TAKEN]) >= request);
		assert_int_equal(atomic_load(&fixture->counters[TAKEN]), request);
		assert_int_equal(inv_event_is_set(event), 0);
	}
	for (int i = 0; i < CONSUMERS; i++)
		assert_int_equal(fixture_reap(fixture, sleepers[i]), 0);
	inv_event_put(event);
}

/* Threads that check in a loop, until told to stop, and count what they got. */
struct checkers {
	inv_event *event;
	_Atomic int taken, failed, stop;
};

static void *check_main(void *arg)
{
	struct checkers *checkers = arg;

	while (!atomic_load(&checkers->stop)) {
		int result = inv_event_check(checkers->event);
		if (result == -ECANCELED)
			atomic_fetch_add(&checkers->taken, 1);
		else if (result != 0)
			atomic_store(&checkers->failed, 1);
	}
	return NULL;
}

static void one_of_twenty_checking_threads_has_each_request(void **state)
{
	struct checkers checkers = {.event = event_of(*state)};
	pthread_t threads[CONSUMERS];

	for (int i = 0; i < CONSUMERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_main, &checkers), 0);
	for (int request = 1; request <= ROUNDS; request++) {
		assert_int_equal(inv_event_set(checkers.event, NULL), 0);
		EVENTUALLY(atomic_load(&checkers.taken) >= request);
		assert_int_equal(atomic_load(&checkers.taken), request);
	}
	atomic_store(&checkers.stop, 1);
	for (int i = 0; i < CONSUMERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&checkers.taken), ROUNDS);
	assert_int_equal(atomic_load(&checkers.failed), 0);
	inv_event_put(checkers.event);
}

static void on_signal(int signum)
{
	(void)signum;
}

static void interrupts(inv_event *event, int (*call)(struct sleeper *))
{
	struct sleeper sleeper;

	sleeper_start(&sleeper, event, INV_FOREVER, call);
	EVENTUALLY(sleeper_asleep(&sleeper) || atomic_load(&sleeper.ended));
	/* Again, in case it came in the moment between two looks. */
	EVENTUALLY(atomic_load(&sleeper.ended) || (pthread_kill(sleeper.thread, SIGUSR1), 0));
	assert_int_equal(sleeper_join(&sleeper), -EINTR);
}

static void a_signal_handler_ends_every_wait(void **state)
{
	struct sigaction action = {.sa_handler = on_signal}, before;
	inv_event *event = event_of(*state);

	for (int restart = 0; restart < 2; restart++) {
		action.sa_flags = restart ? SA_RESTART : 0;
		assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
		interrupts(event, wait_for_it);
		interrupts(event, sleep_in_it);
		interrupts(event, wait_for_end);
		interrupts(event, sleep_outside);
		assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	}
	inv_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_wait_times_out),
	        TABLE_TEST(a_set_wakes_a_waiter_and_a_sleeper),
	        TABLE_TEST(a_set_that_is_cleared_at_once_wakes_earlier_waiters),
	        TABLE_TEST(a_hundred_waiting_threads_all_wake),
	        TABLE_TEST(a_hundred_waiting_processes_all_wake),
	        TABLE_TEST(one_of_twenty_sleeping_threads_has_each_request),
	        TABLE_TEST(one_of_twenty_sleeping_processes_has_each_request),
	        TABLE_TEST(one_of_twenty_checking_threads_has_each_request),
	        TABLE_TEST(a_signal_handler_ends_every_wait),
	};

	return cmocka_run_group_tests_name("event_wait", tests, NULL, NULL);
}
