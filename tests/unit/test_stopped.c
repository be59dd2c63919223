/*
 * An owner that stands still is not lost, however long: nothing about its life is told
 * from a clock. The clocks of this program are moved on by days here; only they are, so
 * that no call in between may sleep.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/broker.h"
#include "api/event.h"

enum { OWNED, DAY_S = 86400 };

static _Atomic time_t moved_s;

/* In the place of the C library's, for the library under test as well. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	long result = syscall(SYS_clock_gettime, clock, now);

	now->tv_sec += atomic_load(&moved_s);
	return (int)result;
}

static int own_and_stay(struct fixture *fixture, void *id)
{
	inv_invocation *invocation;
	inv_event *event;

	if (inv_invocation_begin(fixture->table, id, NULL, &invocation) != 0 ||
	    inv_event_create(fixture->table, (uint8_t *)id + 16, &event) != 0)
		return 1;
	atomic_store(&fixture->counters[OWNED], 1);
	return fixture_stay();
}

/* Whoever looks, in whatever way. */
static void look_at_all(struct fixture *fixture, uint8_t ids[2][16], inv_event *event)
{
	inv_event *taken;

	broker_sweep(fixture->table, NULL, NULL);
	broker_recover(fixture->table, NULL, NULL);
	fixture_retire(fixture, 0, NULL, NULL);
	assert_int_equal(fixture_info(fixture, ids[0]).status, INV_RUNNING);
	assert_int_equal(inv_event_create(fixture->table, ids[1], &taken), -EEXIST);
	/* what who waits does at the end of a slice */
	assert_int_equal(event_still_alive(fixture->table, event->ref), 0);
	assert_int_equal(inv_event_is_set(event), 0);
	assert_int_equal(fixture_live(fixture), 2);
}

static void a_stopped_owner_is_alive_days_later(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[2][16];
	inv_event *event;

	fixture_id(ids[0]);
	fixture_id(ids[1]);
	pid_t owner = fixture_fork(fixture, own_and_stay, ids);
	EVENTUALLY(atomic_load(&fixture->counters[OWNED]));
	assert_int_equal(inv_event_find(fixture->table, ids[1], &event), 0);
	assert_int_equal(kill(owner, SIGSTOP), 0);
	assert_int_equal(waitpid(owner, NULL, WUNTRACED), owner);
	for (int day = 0; day < 30; day++) {
		look_at_all(fixture, ids, event);
		atomic_fetch_add(&moved_s, DAY_S);
	}
	assert_int_equal(inv_event_set(event, "after a month"), 0);
	assert_int_equal(inv_event_check(event), -ECANCELED);
	inv_event_put(event);
	fixture_kill(fixture, owner);
	assert_int_equal(fixture_info(fixture, ids[0]).cause, INV_CAUSE_LOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_stopped_owner_is_alive_days_later),
	};

	return cmocka_run_group_tests_name("stopped", tests, NULL, NULL);
}
