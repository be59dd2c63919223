/*
 * "Inside a shield nothing is delivered, nested invocations included: check and sleep
 * go on ... At its end the next check delivers. Shields nest ... A shield ends with the
 * process that owns it."
 */
#include "fixture.h"
#include "invctl-supervisor.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

enum { SHIELDED, MAY_END, ENDED };

static inv_event *enter(struct fixture *fixture, uint8_t id[16], inv_context **context)
{
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_context_enter(fixture->table, id, context), 0);
	assert_int_equal(inv_event_get(fixture->table, NULL, &event), 0);
	return event;
}

static void leave(inv_event *event, inv_context *context)
{
	inv_event_put(event);
	assert_int_equal(inv_context_leave(context), 0);
}

static void a_request_waits_for_its_end(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(fixture_info(fixture, id).shielded, 1);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_event_check(event), 0);
	assert_int_equal(inv_sleep(MILLISECOND), 0);
	assert_int_equal(inv_event_sleep(event, 2 * MILLISECOND), 0);
	assert_int_equal(inv_event_is_set(event), 1);
	assert_int_equal(inv_event_wait(event, INV_FOREVER), 1);
	assert_int_equal(fixture_info(fixture, id).cancel.state, INV_CANCEL_REQUESTED);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(fixture_info(fixture, id).shielded, 0);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_check(), 0);
	leave(event, context);
}

static void a_request_made_before_waits_too(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(inv_sleep(INV_FOREVER), -ECANCELED);
	leave(event, context);
}

static void shields_nest(void **state)
{
	struct fixture *fixture = *state;
	enum { DEEP = 100 };
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	assert_int_equal(inv_shield_end(), -EINVAL);
	assert_int_equal(inv_event_set(event, NULL), 0);
	for (int i = 0; i < DEEP; i++)
		assert_int_equal(inv_shield_begin(), 0);
	for (int i = 0; i < DEEP; i++) {
		assert_int_equal(inv_check(), 0);
		assert_int_equal(inv_shield_end(), 0);
	}
	assert_int_equal(inv_shield_end(), -EINVAL);
	assert_int_equal(inv_check(), -ECANCELED);
	leave(event, context);
}

static void too_deep_is_refused(void **state)
{
	struct fixture *fixture = *state;
	enum { DEEPEST = 255 };
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	for (int i = 0; i < DEEPEST; i++)
		assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(inv_shield_begin(), -EAGAIN);
	for (int i = 0; i < DEEPEST; i++)
		assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(inv_shield_end(), -EINVAL);
	leave(event, context);
}

static void what_is_nested_is_shielded_too(void **state)
{
	struct fixture *fixture = *state;
	inv_context *outer, *inner, *innermost;
	uint8_t outer_id[16], inner_id[16], innermost_id[16];
	inv_event *outer_event = enter(fixture, outer_id, &outer);

	assert_int_equal(inv_shield_begin(), 0);
	inv_event *inner_event = enter(fixture, inner_id, &inner);
	inv_event *innermost_event = enter(fixture, innermost_id, &innermost);
	assert_int_equal(inv_cancel(fixture->table, outer_id, 0, NULL), 0);
	assert_int_equal(inv_event_is_set(innermost_event), 1);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_event_check(inner_event), 0);
	assert_int_equal(fixture_info(fixture, innermost_id).shielded, 1);
	leave(innermost_event, innermost);
	assert_int_equal(inv_check(), 0);

	/* The shield is the outer one's: it ends there. */
	assert_int_equal(inv_shield_end(), -EINVAL);
	inv_event *kept;
	assert_int_equal(inv_event_get(fixture->table, NULL, &kept), 0);
	leave(inner_event, inner);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(inv_event_check(kept), -ECANCELED);
	assert_int_equal(inv_check(), -ECANCELED);
	inv_event_put(kept);
	leave(outer_event, outer);
}

static void an_inner_shield_is_not_the_outer_ones(void **state)
{
	struct fixture *fixture = *state;
	inv_context *outer, *inner;
	uint8_t outer_id[16], inner_id[16];
	inv_event *outer_event = enter(fixture, outer_id, &outer);
	inv_event *inner_event = enter(fixture, inner_id, &inner);

	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(inv_cancel(fixture->table, outer_id, 0, NULL), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_event_check(outer_event), -ECANCELED);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(inv_check(), -ECANCELED);
	leave(inner_event, inner);
	leave(outer_event, outer);
}

/* Shields the environment's invocation until told to end. */
static int shield_and_stay(struct fixture *fixture, void *arg)
{
	(void)arg;
	if (inv_shield_begin() != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[SHIELDED], 1);
	AWAIT(atomic_load(&fixture->counters[MAY_END]));
	if (inv_shield_end() != 0)
		return 2;
	atomic_store(&fixture->counters[ENDED], 1);
	return fixture_stay();
}

static void another_process_of_the_action_may_shield_it(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	fixture_environment(id);
	pid_t child = fixture_fork(fixture, shield_and_stay, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[SHIELDED]));
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_shield_end(), -EINVAL); /* it is not ours */
	assert_int_equal(inv_check(), 0);
	atomic_store(&fixture->counters[MAY_END], 1);
	EVENTUALLY(atomic_load(&fixture->counters[ENDED]));
	assert_int_equal(inv_check(), -ECANCELED);
	fixture_kill(fixture, child);
	leave(event, context);
}

static void a_shield_ends_with_its_process(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	fixture_environment(id);
	/* More deaths than there are words for holders: each is taken over. */
	for (int i = 0; i < 10; i++) {
		atomic_store(&fixture->counters[SHIELDED], 0);
		pid_t child = fixture_fork(fixture, shield_and_stay, NULL);
		EVENTUALLY(atomic_load(&fixture->counters[SHIELDED]));
		assert_int_equal(inv_event_set(event, NULL), 0);
		assert_int_equal(inv_check(), 0);
		fixture_kill(fixture, child);
		assert_int_equal(fixture_info(fixture, id).shielded, 0);
		assert_int_equal(inv_check(), -ECANCELED);
	}
	leave(event, context);
}

struct sleeper {
	inv_event *event;
	_Atomic pid_t thread_id;
	int result;
};

static void *sleep_main(void *arg)
{
	struct sleeper *sleeper = arg;

	atomic_store(&sleeper->thread_id, gettid());
	sleeper->result = inv_event_sleep(sleeper->event, INV_FOREVER);
	return NULL;
}

static void start_sleeper(struct sleeper *sleeper, pthread_t *thread)
{
	assert_int_equal(pthread_create(thread, NULL, sleep_main, sleeper), 0);
	EVENTUALLY(atomic_load(&sleeper->thread_id) != 0 &&
	           fixture_asleep(getpid(), atomic_load(&sleeper->thread_id)));
}

static void a_sleep_elsewhere_ends_with_the_shield(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	struct sleeper sleeper = {.event = enter(fixture, id, &context)};
	pthread_t thread;

	assert_int_equal(inv_shield_begin(), 0);
	start_sleeper(&sleeper, &thread);
	assert_int_equal(inv_event_set(sleeper.event, NULL), 0);
	EVENTUALLY(fixture_asleep(getpid(), atomic_load(&sleeper.thread_id)));
	assert_int_equal(inv_event_is_set(sleeper.event), 1);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sleeper.result, -ECANCELED);
	leave(sleeper.event, context);
}

static void a_sleep_elsewhere_ends_when_the_shields_process_dies(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	struct sleeper sleeper = {.event = enter(fixture, id, &context)};
	pthread_t thread;

	fixture_environment(id);
	pid_t child = fixture_fork(fixture, shield_and_stay, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[SHIELDED]));
	start_sleeper(&sleeper, &thread);
	assert_int_equal(inv_event_set(sleeper.event, NULL), 0);
	fixture_kill(fixture, child);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sleeper.result, -ECANCELED);
	leave(sleeper.event, context);
}

static void too_many_processes_are_refused_and_it_recovers(void **state)
{
	struct fixture *fixture = *state;
	enum { HOLDERS = 3 };
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);
	pid_t children[HOLDERS];

	fixture_environment(id);
	for (int i = 0; i < HOLDERS; i++)
		children[i] = fixture_fork(fixture, shield_and_stay, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[SHIELDED]) == HOLDERS);
	assert_int_equal(inv_shield_begin(), -EAGAIN);
	fixture_kill(fixture, children[0]);
	assert_int_equal(inv_shield_begin(), 0);
	for (int i = 1; i < HOLDERS; i++)
		fixture_kill(fixture, children[i]);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(inv_check(), -ECANCELED);
	leave(event, context);
}

static void a_limit_that_has_run_out_ends_it(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	assert_int_equal(inv_shield_begin_for(fixture->table, id, getpid(), 20 * MILLISECOND), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_sleep(INV_FOREVER), -ECANCELED);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_check(), -ECANCELED);
	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.shielded, 0);
	assert_int_equal(info.shield_ran_out, 1);
	assert_int_equal(info.shield_pid, getpid());
	assert_true(info.shield_age_ns >= 20 * MILLISECOND);

	/* A longer one takes effect again, until the last end. */
	assert_int_equal(inv_shield_begin_for(fixture->table, id, getpid(), INV_FOREVER), 0);
	assert_int_equal(fixture_info(fixture, id).shielded, 1);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_shield_end_for(fixture->table, id, getpid()), 0);
	assert_int_equal(inv_shield_end_for(fixture->table, id, getpid()), 0);
	assert_int_equal(inv_check(), -ECANCELED);

	assert_int_equal(inv_shield_begin_for(fixture->table, id, getpid(), 0), 0);
	EVENTUALLY(!fixture_info(fixture, id).shielded);
	assert_int_equal(inv_shield_end_for(fixture->table, id, getpid()), 1);
	assert_int_equal(fixture_info(fixture, id).shield_ran_out, 0);
	leave(event, context);
}

/* In whole units: 40 s in 10 ms, an hour in seconds, days in minutes. */
static void the_longest_limit_of_those_nested_counts(void **state)
{
	struct fixture *fixture = *state;
	const int64_t longer_ns[] = {1500 * MILLISECOND, 300 * SECOND, 5400 * SECOND,
	                             48 * 3600 * SECOND, 1000 * 3600 * SECOND};
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	for (int i = 0; i < 5; i++) {
		assert_int_equal(inv_shield_begin_for(fixture->table, id, getpid(), longer_ns[i]),
		                 0);
		int64_t limit_ns = fixture_info(fixture, id).shield_limit_ns;
		assert_true(limit_ns >= longer_ns[i]);
		assert_true(limit_ns <= longer_ns[i] + longer_ns[i] / 10 + 3600 * SECOND);
		assert_int_equal(inv_shield_begin_for(fixture->table, id, getpid(), SECOND), 0);
		assert_int_equal(fixture_info(fixture, id).shield_limit_ns, limit_ns);
	}
	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(fixture_info(fixture, id).shield_limit_ns, INV_FOREVER);
	for (int i = 0; i < 11; i++)
		assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(inv_shield_end(), -EINVAL);

	/* What was left by the former one counts for nothing. */
	assert_int_equal(inv_shield_begin_for(fixture->table, id, getpid(), 300 * SECOND), 0);
	assert_int_equal(fixture_info(fixture, id).shield_limit_ns, 300 * SECOND);
	assert_int_equal(inv_shield_end(), 0);
	leave(event, context);
}

static int stay(struct fixture *fixture, void *arg)
{
	(void)arg;
	(void)fixture;
	return fixture_stay();
}

static void one_for_another_process_ends_with_that(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);
	pid_t child = fixture_fork(fixture, stay, NULL);

	assert_int_equal(inv_shield_begin_for(fixture->table, id, child, INV_FOREVER), 0);
	assert_int_equal(inv_shield_begin_for(fixture->table, id, child, INV_FOREVER), 0);
	assert_int_equal(fixture_info(fixture, id).shield_pid, child);
	assert_int_equal(inv_shield_end(), -EINVAL);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_shield_end_for(fixture->table, id, child), 0);
	assert_int_equal(inv_check(), 0);
	fixture_kill(fixture, child);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_shield_begin_for(fixture->table, id, child, INV_FOREVER), -ESRCH);
	leave(event, context);
	assert_int_equal(inv_shield_begin_for(fixture->table, id, getpid(), 0), -ENOENT);
	assert_int_equal(inv_shield_end_for(fixture->table, id, getpid()), -ENOENT);
}

static void a_shield_is_a_look(void **state)
{
	struct fixture *fixture = *state;
	inv_context *context;
	uint8_t id[16];
	inv_event *event = enter(fixture, id, &context);

	assert_int_equal(fixture_info(fixture, id).cooperative, 0);
	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(fixture_info(fixture, id).cooperative, 1);
	assert_int_equal(inv_shield_end(), 0);
	leave(event, context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_request_waits_for_its_end),
	        TABLE_TEST(a_request_made_before_waits_too),
	        TABLE_TEST(shields_nest),
	        TABLE_TEST(too_deep_is_refused),
	        TABLE_TEST(what_is_nested_is_shielded_too),
	        TABLE_TEST(an_inner_shield_is_not_the_outer_ones),
	        TABLE_TEST(another_process_of_the_action_may_shield_it),
	        TABLE_TEST(a_shield_ends_with_its_process),
	        TABLE_TEST(a_sleep_elsewhere_ends_with_the_shield),
	        TABLE_TEST(a_sleep_elsewhere_ends_when_the_shields_process_dies),
	        TABLE_TEST(too_many_processes_are_refused_and_it_recovers),
	        TABLE_TEST(a_limit_that_has_run_out_ends_it),
	        TABLE_TEST(the_longest_limit_of_those_nested_counts),
	        TABLE_TEST(one_for_another_process_ends_with_that),
	        TABLE_TEST(a_shield_is_a_look),
	};

	return cmocka_run_group_tests_name("shield", tests, NULL, NULL);
}
