/*
 * What becomes of handles when the event's owner puts it, ends or is killed, no broker
 * being there: stale, waiters included, and never another invocation's state.
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWNED, GO, GONE };

static int own_and_put(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	atomic_store(&fixture->counters[OWNED], 1);
	AWAIT(atomic_load(&fixture->counters[GO]));
	inv_event_put(event);
	atomic_store(&fixture->counters[GONE], 1);
	return fixture_stay();
}

static int own_and_exit(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	atomic_store(&fixture->counters[OWNED], 1);
	AWAIT(atomic_load(&fixture->counters[GO]));
	return 0;
}

/* An owner of a fresh id in a child, and a handle of it here. */
struct owned {
	uint8_t id[16];
	pid_t owner;
	inv_event *event;
};

static struct owned owned_by(struct fixture *fixture, int (*owner)(struct fixture *, void *))
{
	struct owned owned;

	fixture_id(owned.id);
	owned.owner = fixture_fork(fixture, owner, owned.id);
	EVENTUALLY(atomic_load(&fixture->counters[OWNED]));
	assert_int_equal(inv_event_find(fixture->table, owned.id, &owned.event), 0);
	assert_int_equal(inv_event_check(owned.event), 0);
	return owned;
}

static void assert_stale(inv_event *event)
{
	assert_int_equal(inv_event_is_set(event), -ESTALE);
	assert_int_equal(inv_event_check(event), -ESTALE);
	assert_int_equal(inv_event_set(event, NULL), -ESTALE);
	assert_int_equal(inv_event_clear(event), -ESTALE);
	assert_int_equal(inv_event_wait(event, 0), -ESTALE);
	assert_int_equal(inv_event_wait(event, INV_FOREVER), -ESTALE);
	assert_int_equal(inv_event_sleep(event, 0), -ESTALE);
	assert_int_equal(inv_event_sleep(event, INV_FOREVER), -ESTALE);
	assert_int_equal(inv_event_fd(event), -ESTALE);
}

static void *wait_main(void *event)
{
	return (void *)(intptr_t)inv_event_wait(event, INV_FOREVER);
}

static void assert_waiter_ended(pthread_t waiter)
{
	void *result = NULL;

	assert_int_equal(pthread_join(waiter, &result), 0);
	assert_int_equal((int)(intptr_t)result, -ESTALE);
}

static void the_owners_last_put_makes_handles_stale(void **state)
{
	struct fixture *fixture = *state;
	struct owned owned = owned_by(fixture, own_and_put);
	pthread_t waiter;

	assert_int_equal(pthread_create(&waiter, NULL, wait_main, owned.event), 0);
	atomic_store(&fixture->counters[GO], 1);
	assert_waiter_ended(waiter);
	EVENTUALLY(atomic_load(&fixture->counters[GONE]));
	assert_stale(owned.event);
	inv_event_put(owned.event);
	fixture_kill(fixture, owned.owner);
}

static void the_owners_exit_makes_handles_stale(void **state)
{
	struct fixture *fixture = *state;
	struct owned owned = owned_by(fixture, own_and_exit);
	pthread_t waiter;

	assert_int_equal(pthread_create(&waiter, NULL, wait_main, owned.event), 0);
	atomic_store(&fixture->counters[GO], 1);
	assert_int_equal(fixture_reap(fixture, owned.owner), 0);
	assert_waiter_ended(waiter);
	assert_stale(owned.event);
	inv_event_put(owned.event);
}

static void the_owners_sigkill_makes_handles_stale(void **state)
{
	struct fixture *fixture = *state;
	struct owned owned = owned_by(fixture, own_and_exit);
	pthread_t waiter;

	assert_int_equal(pthread_create(&waiter, NULL, wait_main, owned.event), 0);
	fixture_kill(fixture, owned.owner);
	assert_waiter_ended(waiter);
	assert_stale(owned.event);
	inv_event_put(owned.event);
	assert_int_equal(fixture_live(fixture), 0);
}

/* The two calls of the hot path look at the owner once in a few thousand times. */
enum { LOOKS = 5000 };

static int call_is_set(inv_event *event)
{
	int result = 0;

	for (int i = 0; i < LOOKS && result == 0; i++)
		result = inv_event_is_set(event);
	return result;
}

static int call_check(inv_event *event)
{
	int result = 0;

	for (int i = 0; i < LOOKS && result == 0; i++)
		result = inv_event_check(event);
	return result;
}

static int call_set(inv_event *event)
{
	return inv_event_set(event, NULL);
}

static int call_clear(inv_event *event)
{
	return inv_event_clear(event);
}

static int call_wait(inv_event *event)
{
	return inv_event_wait(event, MILLISECOND);
}

static int call_sleep(inv_event *event)
{
	return inv_event_sleep(event, MILLISECOND);
}

static int call_fd(inv_event *event)
{
	return inv_event_fd(event);
}

/* Each call by itself, with nobody else to look at the table. */
static void whoever_looks_first_after_a_sigkill_sees_it(void **state)
{
	struct fixture *fixture = *state;
	int (*const calls[])(inv_event *) = {call_set, call_clear, call_wait,  call_sleep,
	                                     call_fd,  call_check, call_is_set};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		atomic_store(&fixture->counters[OWNED], 0);
		struct owned owned = owned_by(fixture, own_and_exit);
		fixture_kill(fixture, owned.owner);
		assert_int_equal(calls[i](owned.event), -ESTALE);
		inv_event_put(owned.event);
	}
}

static void an_id_of_the_dead_is_free(void **state)
{
	struct fixture *fixture = *state;
	struct owned owned = owned_by(fixture, own_and_exit);
	inv_event *event;

	fixture_kill(fixture, owned.owner);
	assert_int_equal(inv_event_find(fixture->table, owned.id, &event), -ENOENT);
	assert_int_equal(inv_event_create(fixture->table, owned.id, &event), 0);
	assert_int_equal(inv_event_is_set(event), 0);
	inv_event_put(event);
	inv_event_put(owned.event);
}

static void get_makes_a_new_one_where_the_owner_is_dead(void **state)
{
	struct fixture *fixture = *state;
	struct owned owned = owned_by(fixture, own_and_exit);
	inv_event *event;

	assert_int_equal(inv_event_set(owned.event, NULL), 0);
	fixture_kill(fixture, owned.owner);
	assert_int_equal(inv_event_get(fixture->table, owned.id, &event), 0);
	assert_int_equal(inv_event_is_set(event), 0);
	assert_int_equal(fixture_info(fixture, owned.id).owner_pid, getpid());
	inv_event_put(event);
	inv_event_put(owned.event);
}

static void a_stale_handle_is_not_the_next_tenants(void **state)
{
	struct fixture *fixture = *state;
	struct owned owned = owned_by(fixture, own_and_put);
	inv_event *next;

	atomic_store(&fixture->counters[GO], 1);
	EVENTUALLY(atomic_load(&fixture->counters[GONE]));
	assert_int_equal(inv_event_create(fixture->table, owned.id, &next), 0);
	assert_int_equal(inv_event_set(next, NULL), 0);
	assert_stale(owned.event);
	assert_int_equal(inv_event_is_set(next), 1);
	assert_int_equal(inv_event_check(next), -ECANCELED);
	inv_event_put(owned.event);
	assert_int_equal(inv_event_is_set(next), 0);
	inv_event_put(next);
	fixture_kill(fixture, owned.owner);
}

static void a_stopped_owner_is_alive(void **state)
{
	struct fixture *fixture = *state;
	struct owned owned = owned_by(fixture, own_and_exit);

	assert_int_equal(kill(owned.owner, SIGSTOP), 0);
	assert_int_equal(waitpid(owned.owner, NULL, WUNTRACED), owned.owner);
	/* longer than a slice, after which the owner is looked at */
	assert_int_equal(inv_event_wait(owned.event, 600 * MILLISECOND), 0);
	assert_int_equal(inv_event_set(owned.event, NULL), 0);
	assert_int_equal(inv_event_is_set(owned.event), 1);
	inv_event_put(owned.event);
	fixture_kill(fixture, owned.owner);
}

static void closing_the_table_gives_up_what_it_owned(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_table *own;
	inv_event *event, *seen;

	fixture_id(id);
	assert_int_equal(inv_open(&own, fixture->name, 0), 0);
	assert_int_equal(inv_event_create(own, id, &event), 0);
	assert_int_equal(inv_event_find(fixture->table, id, &seen), 0);
	inv_close(own);
	assert_stale(event);
	assert_stale(seen);
	inv_event_put(event);
	inv_event_put(seen);
	assert_int_equal(fixture_live(fixture), 0);
	inv_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(the_owners_last_put_makes_handles_stale),
	        TABLE_TEST(the_owners_exit_makes_handles_stale),
	        TABLE_TEST(the_owners_sigkill_makes_handles_stale),
	        TABLE_TEST(whoever_looks_first_after_a_sigkill_sees_it),
	        TABLE_TEST(an_id_of_the_dead_is_free),
	        TABLE_TEST(get_makes_a_new_one_where_the_owner_is_dead),
	        TABLE_TEST(a_stale_handle_is_not_the_next_tenants),
	        TABLE_TEST(a_stopped_owner_is_alive),
	        TABLE_TEST(closing_the_table_gives_up_what_it_owned),
	};

	return cmocka_run_group_tests_name("event_owner", tests, NULL, NULL);
}
