/*
 * A table's name is removed and made anew, with a broker and all: nobody is stranded on
 * the old one in silence. Who waits there is told, and what is done there does not reach
 * the new one.
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "api/broker.h"

struct sleeper {
	inv_table *table;
	inv_event *event;
	uint8_t id[16];
	_Atomic pid_t thread_id;
	int result;
	pthread_t thread;
};

static void *wait_for_event(void *arg)
{
	struct sleeper *sleeper = arg;

	atomic_store(&sleeper->thread_id, gettid());
	sleeper->result = inv_event_wait(sleeper->event, INV_FOREVER);
	return NULL;
}

static void *sleep_for_ever(void *arg)
{
	struct sleeper *sleeper = arg;

	atomic_store(&sleeper->thread_id, gettid());
	sleeper->result = inv_event_sleep(sleeper->event, INV_FOREVER);
	return NULL;
}

static void *wait_for_end(void *arg)
{
	struct sleeper *sleeper = arg;

	atomic_store(&sleeper->thread_id, gettid());
	sleeper->result = inv_wait(sleeper->table, sleeper->id, INV_FOREVER);
	return NULL;
}

enum { SLEEPERS = 3 };

static void make_anew(struct fixture *fixture)
{
	char path[128];

	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	inv_close(fixture->table);
	assert_int_equal(fixture_make_table(fixture, 20), 0);
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
}

static int task_of_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int row_of_nothing(const struct inv_info *info, void *arg)
{
	(void)info;
	(void)arg;
	return 0;
}

static void who_waits_on_the_old_table_is_told(void **state)
{
	struct fixture *fixture = *state;
	void *(*const mains[])(void *) = {wait_for_event, sleep_for_ever, wait_for_end};
	struct sleeper sleepers[SLEEPERS] = {0};
	struct pollfd polled = {.events = POLLIN};
	uint8_t id[16];
	inv_table *old;
	inv_event *event, *same;

	fixture_id(id);
	assert_int_equal(inv_open(&old, fixture->name, 0), 0);
	assert_int_equal(inv_event_create(old, id, &event), 0);
	polled.fd = inv_event_fd(event);
	assert_true(polled.fd >= 0);
	for (int i = 0; i < SLEEPERS; i++) {
		sleepers[i].table = old;
		sleepers[i].event = event;
		inv_event_id(event, sleepers[i].id);
		assert_int_equal(pthread_create(&sleepers[i].thread, NULL, mains[i], &sleepers[i]),
		                 0);
		EVENTUALLY(atomic_load(&sleepers[i].thread_id) != 0 &&
		           fixture_asleep(getpid(), atomic_load(&sleepers[i].thread_id)));
	}
	make_anew(fixture);
	assert_int_equal(inv_event_create(fixture->table, id, &same), 0);
	for (int i = 0; i < SLEEPERS; i++) {
		assert_int_equal(pthread_join(sleepers[i].thread, NULL), 0);
		assert_int_equal(sleepers[i].result, -ESTALE);
	}
	assert_int_equal(poll(&polled, 1, 60000), 1);

	/* The same id in both: what is asked of the one is not asked of the other. */
	assert_int_equal(inv_event_set(event, "of the old"), 0);
	assert_int_equal(inv_event_is_set(same), 0);
	assert_int_equal(inv_event_set(same, "of the new"), 0);
	assert_int_equal(inv_event_check(event), -ECANCELED);
	assert_int_equal(inv_event_check(same), -ECANCELED);
	close(polled.fd);
	inv_event_put(same);
	inv_event_put(event);
	inv_close(old);
	broker_unserve(fixture->table);
}

/* A program that attached early and registers late: what it registered on the old table no request
 * could find. */
static void nothing_is_registered_on_the_old_table(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info info;
	uint8_t id[16];
	inv_table *old;
	inv_event *event;
	inv_invocation *invocation;
	inv_context *context;
	inv_thread *thread;

	fixture_id(id);
	assert_int_equal(inv_open(&old, fixture->name, 0), 0);
	make_anew(fixture);
	EVENTUALLY(inv_invocation_begin(old, id, NULL, &invocation) == -ESTALE);
	assert_int_equal(inv_event_create(old, id, &event), -ESTALE);
	assert_int_equal(inv_event_get(old, id, &event), -ESTALE);
	assert_int_equal(inv_event_find(old, id, &event), -ESTALE);
	assert_int_equal(inv_context_enter(old, id, &context), -ESTALE);
	assert_int_equal(inv_thread_start(&thread, old, task_of_nothing, NULL), -ESTALE);
	assert_int_equal(inv_cancel(old, id, 0, NULL), -ESTALE);
	assert_int_equal(inv_wait(old, id, 0), -ESTALE);
	assert_int_equal(inv_list(old, row_of_nothing, NULL), -ESTALE);
	assert_int_equal(inv_table_info_get(old, &info), -ESTALE);
	assert_int_equal(inv_hold(old, ""), -ESTALE);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	inv_close(old);
	broker_unserve(fixture->table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(who_waits_on_the_old_table_is_told),
	        TABLE_TEST(nothing_is_registered_on_the_old_table),
	};

	return cmocka_run_group_tests_name("made_anew", tests, NULL, NULL);
}
