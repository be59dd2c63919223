/*
 * Contract 5, hold and release: nothing new starts; what is nested in a live invocation does; a
 * refused start leaves no record; a hold says who put it up, when and why.
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "invctl-supervisor.h"
#include "os/clock.h"
#include "protocol/hold.h"

enum { ROUNDS = 200 };

static int start_run(struct fixture *fixture, const uint8_t *parent, inv_invocation **run)
{
	struct inv_run_options options = {
	        .parent = parent, .name = "run", .deadline_ns = INV_FOREVER};

	return inv_run_register(fixture->table, &options, run);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void nothing_new_starts(void **state)
{
	struct fixture *fixture = *state;
	inv_invocation *invocation;
	inv_thread *thread;
	uint8_t id[16];
	inv_event *event;

	assert_int_equal(inv_hold(fixture->table, "the laser is open"), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "scan", &invocation), -EPERM);
	assert_null(invocation);
	assert_int_equal(inv_thread_start(&thread, fixture->table, nothing, NULL), -EPERM);
	assert_int_equal(start_run(fixture, NULL, &invocation), -EPERM);
	assert_int_equal(fixture_live(fixture), 0);
	/* An event is no start, but does not become one either. */
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, id, "scan", &invocation), -EPERM);
	inv_event_put(event);
	assert_int_equal(inv_release(fixture->table), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "scan", &invocation), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void what_is_nested_in_a_live_one_starts(void **state)
{
	struct fixture *fixture = *state;
	inv_invocation *outer, *inner, *run;
	inv_thread *thread;
	inv_event *event;
	uint8_t id[16];
	int result;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "night", &outer), 0);
	assert_int_equal(inv_hold(fixture->table, NULL), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "scan", &inner), 0);
	assert_int_equal(inv_invocation_end(inner, INV_COMPLETED), 0);
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, id, "by id", &inner), 0);
	assert_int_equal(inv_invocation_end(inner, INV_COMPLETED), 0);
	inv_event_put(event);
	assert_int_equal(inv_thread_start(&thread, fixture->table, nothing, NULL), 0);
	assert_int_equal(inv_thread_join(thread, &result), 0);
	inv_invocation_id(outer, id);
	assert_int_equal(start_run(fixture, id, &run), 0);
	inv_run_end(run, &(struct inv_run_result){.not_started = 1});
	assert_int_equal(inv_invocation_end(outer, INV_COMPLETED), 0);
	/* It has ended, and is a parent no more. */
	assert_int_equal(start_run(fixture, id, &run), -EPERM);
}

static void it_says_who_when_and_why(void **state)
{
	struct fixture *fixture = *state;
	struct inv_actor actor = {.terminal = "pts/3", .script = "alarm.sh"};
	struct inv_request hold;

	assert_int_equal(inv_hold_get(fixture->table, &hold), 0);
	int64_t before_ns = clock_realtime_ns();
	inv_actor_set(&actor);
	assert_int_equal(inv_hold(fixture->table, "first"), 0);
	assert_int_equal(inv_hold(fixture->table, "coolant is low"), 0);
	inv_actor_set(&(struct inv_actor){0});
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_string_equal(hold.reason, "coolant is low");
	assert_int_equal(hold.uid, geteuid());
	assert_int_equal(hold.pid, getpid());
	assert_string_equal(hold.terminal, "pts/3");
	assert_string_equal(hold.script, "alarm.sh");
	assert_in_range(hold.time_ns, before_ns, clock_realtime_ns());
	assert_int_equal(inv_release(fixture->table), 0);
	assert_int_equal(inv_release(fixture->table), 0);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 0);
}

static void a_note_that_was_not_finished_reads_as_none(void **state)
{
	struct fixture *fixture = *state;
	struct inv_request hold;

	assert_int_equal(inv_hold(fixture->table, "half of a no"), 0);
	/* the writing bit: another put has begun, and was killed */
	atomic_fetch_or(&fixture->table->header->hold.word, 2);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_string_equal(hold.reason, "");
	assert_int_equal(inv_hold(fixture->table, "whole"), 0);
	assert_int_equal(inv_hold_get(fixture->table, &hold), 1);
	assert_string_equal(hold.reason, "whole");
}

static int wait_for_release(struct fixture *fixture, void *arg)
{
	(void)arg;
	atomic_store(&fixture->counters[0], 1);
	return inv_hold_wait(fixture->table, INV_FOREVER) == 0 ? 7 : 1;
}

static void a_waiter_wakes_at_the_release(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(inv_hold(fixture->table, NULL), 0);
	assert_int_equal(inv_hold_wait(fixture->table, 0), -ETIMEDOUT);
	assert_int_equal(inv_hold_wait(fixture->table, MILLISECOND), -ETIMEDOUT);
	pid_t waiter = fixture_fork(fixture, wait_for_release, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[0]) && fixture_asleep(waiter, waiter));
	assert_int_equal(inv_release(fixture->table), 0);
	assert_int_equal(fixture_reap(fixture, waiter), 7);
	assert_int_equal(inv_hold_wait(fixture->table, 0), 0);
}

struct seen {
	uint8_t ids[4][16];
	int count;
};

static void note_id(const uint8_t id[16], void *arg)
{
	struct seen *seen = arg;

	if (seen->count < 4)
		memcpy(seen->ids[seen->count++], id, 16);
}

/* Contract 5, "Requests of stop-all and --cancel-all have cause hold"; 4.2, one of each. */
static void all_that_is_live_gets_one_request_with_the_cause_hold(void **state)
{
	struct fixture *fixture = *state;
	inv_invocation *outer, *inner, *run;
	struct seen seen = {.count = 0};
	uint8_t ids[3][16];

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "outer", &outer), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "inner", &inner), 0);
	assert_int_equal(start_run(fixture, NULL, &run), 0);
	inv_invocation_id(outer, ids[0]);
	inv_invocation_id(inner, ids[1]);
	inv_invocation_id(run, ids[2]);
	/* One that stands is kept, and is reported all the same. */
	assert_int_equal(inv_cancel(fixture->table, ids[2], INV_CANCEL_ONLY, "before"), 0);
	assert_int_equal(inv_cancel_everything(fixture->table, "alarm", note_id, &seen), 0);
	assert_int_equal(seen.count, 3);
	for (int i = 0; i < 2; i++) {
		struct inv_info info = fixture_info(fixture, ids[i]);
		assert_int_equal(info.cancel.cause, INV_CAUSE_HOLD);
		assert_string_equal(info.cancel.reason, "alarm");
	}
	assert_string_equal(fixture_info(fixture, ids[2]).cancel.reason, "before");
	assert_int_equal(inv_event_check(inv_invocation_event(inner)), -ECANCELED);
	assert_int_equal(inv_event_check(inv_invocation_event(inner)), 0);
	assert_int_equal(inv_invocation_end(inner, INV_CANCELLED), 0);
	assert_int_equal(inv_event_check(inv_invocation_event(outer)), -ECANCELED);
	assert_int_equal(inv_invocation_end(outer, INV_CANCELLED), 0);
	inv_run_end(run, &(struct inv_run_result){.not_started = 1});
	seen.count = 0;
	assert_int_equal(inv_cancel_everything(fixture->table, NULL, note_id, &seen), 0);
	assert_int_equal(seen.count, 0);
}

/* Begins again and again until it is refused; then it stays. */
static int begin_until_held(struct fixture *fixture, void *arg)
{
	inv_invocation *invocation;
	int error;

	(void)arg;
	atomic_fetch_add(&fixture->counters[0], 1);
	while ((error = inv_invocation_begin(fixture->table, NULL, "one", &invocation)) == 0)
		inv_invocation_end(invocation, INV_COMPLETED);
	return error == -EPERM ? 0 : 1;
}

static int note_live(const struct inv_info *info, void *arg)
{
	struct seen *seen = arg;

	if (info->completed_ns == 0 && seen->count < 4)
		memcpy(seen->ids[seen->count++], info->id, 16);
	return 0;
}

/* A hold that is followed by a scan leaves out no start: what the scan does not see is refused. */
static void who_holds_and_then_looks_misses_none(void **state)
{
	struct fixture *fixture = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct seen before = {.count = 0}, after = {.count = 0};
		atomic_store(&fixture->counters[0], 0);
		pid_t starter = fixture_fork(fixture, begin_until_held, NULL);
		EVENTUALLY(atomic_load(&fixture->counters[0]) == 1);
		inv_hold(fixture->table, NULL);
		inv_list(fixture->table, note_live, &before);
		inv_list(fixture->table, note_live, &after);
		for (int i = 0; i < after.count; i++) {
			struct inv_info info;
			bool was_seen = false;
			for (int k = 0; k < before.count; k++)
				was_seen |= memcmp(after.ids[i], before.ids[k], 16) == 0;
			/* Live for a moment only: it is taken back, and leaves no record. */
			if (!was_seen)
				EVENTUALLY(inv_info_get(fixture->table, after.ids[i], &info) ==
				           -ENOENT);
		}
		assert_int_equal(fixture_reap(fixture, starter), 0);
		assert_int_equal(fixture_live(fixture), 0);
		inv_release(fixture->table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(nothing_new_starts),
	        TABLE_TEST(what_is_nested_in_a_live_one_starts),
	        TABLE_TEST(it_says_who_when_and_why),
	        TABLE_TEST(a_note_that_was_not_finished_reads_as_none),
	        TABLE_TEST(a_waiter_wakes_at_the_release),
	        TABLE_TEST(all_that_is_live_gets_one_request_with_the_cause_hold),
	        TABLE_TEST(who_holds_and_then_looks_misses_none),
	};

	return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
