/*
 * Runs nested in runs: a request, a kill and a signal go down and not up; a nested run that is
 * cancelled through its parent's request is a look of the parent; what a supervisor sees of its
 * options; and how it is woken.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "fixture.h"
#include "invctl-supervisor.h"

static const struct inv_run_options plain = {.name = "run",
                                             .deadline_ns = INV_FOREVER,
                                             .signal_after_ns = INV_FOREVER,
                                             .kill_after_ns = INV_FOREVER,
                                             .signal = SIGTERM};

static inv_invocation *start(struct fixture *fixture, const struct inv_run_options *options,
                             uint8_t id[16])
{
	inv_invocation *invocation;

	assert_int_equal(inv_run_register(fixture->table, options, &invocation), 0);
	assert_int_equal(inv_run_started(invocation, getpid()), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

static inv_invocation *start_below(struct fixture *fixture, const uint8_t parent[16],
                                   unsigned flags, uint8_t id[16])
{
	struct inv_run_options options = plain;

	options.parent = parent;
	options.flags = flags;
	return start(fixture, &options, id);
}

static struct inv_run_view view_of(inv_invocation *invocation)
{
	struct inv_run_view view;

	assert_int_equal(inv_run_view(invocation, &view), 0);
	return view;
}

static int end(inv_invocation *invocation, int wait_status)
{
	return inv_run_end(invocation,
	                   &(struct inv_run_result){.wait_known = 1, .wait_status = wait_status});
}

static void a_supervisor_sees_what_was_asked_of_it_at_the_start(void **state)
{
	struct inv_run_options options = {.name = "run",
	                                  .deadline_ns = 3600 * SECOND,
	                                  .signal_after_ns = 1,
	                                  .kill_after_ns = 60 * SECOND,
	                                  .nested_wait_ns = 10 * SECOND,
	                                  .signal = SIGUSR2,
	                                  .flags = INV_RUN_STOP_COMMAND};
	uint8_t id[16];
	inv_invocation *invocation = start(*state, &options, id);
	struct inv_run_view view = view_of(invocation);

	assert_int_equal(view.signal, SIGUSR2);
	assert_int_equal(view.flags, INV_RUN_STOP_COMMAND);
	assert_int_equal(view.nested_wait_ns, 10 * SECOND);
	/* Never sooner than requested. */
	assert_int_equal(view.signal_after_ns, MILLISECOND);
	assert_int_equal(view.kill_after_ns, 60 * SECOND);
	assert_in_range(view.deadline_ns, 1, INT64_MAX);
	assert_int_equal(view.pid, getpid());
	assert_int_equal(end(invocation, 0), 0);
}

static void a_long_time_is_never_over_early(void **state)
{
	static const int64_t day_ns = 24 * 3600 * SECOND;
	const int64_t times_ns[] = {0,
	                            24 * day_ns,
	                            INT64_C(2147483645) * MILLISECOND,
	                            INT64_C(2147483646) * MILLISECOND,
	                            INT64_C(2147483647) * MILLISECOND + 1,
	                            INT64_C(4294967294) * MILLISECOND,
	                            60 * day_ns + 1,
	                            INT64_C(2147483647) * SECOND};

	for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++) {
		struct inv_run_options options = {.name = "run",
		                                  .deadline_ns = INV_FOREVER,
		                                  .signal_after_ns = times_ns[i],
		                                  .kill_after_ns = times_ns[i],
		                                  .nested_wait_ns = times_ns[i]};
		uint8_t id[16];
		inv_invocation *invocation = start(*state, &options, id);
		struct inv_run_view view = view_of(invocation);
		assert_in_range(view.kill_after_ns, times_ns[i], times_ns[i] + 2 * SECOND);
		assert_int_equal(view.signal_after_ns, view.kill_after_ns);
		assert_int_equal(view.nested_wait_ns, view.kill_after_ns);
		assert_int_equal(end(invocation, 0), 0);
	}
	/* Longer than 68 years. */
	struct inv_run_options options = {.name = "run",
	                                  .deadline_ns = INV_FOREVER,
	                                  .signal_after_ns = INV_FOREVER,
	                                  .kill_after_ns = INT64_MAX,
	                                  .nested_wait_ns = INT64_C(2147483648) * SECOND};
	uint8_t id[16];
	inv_invocation *invocation = start(*state, &options, id);
	struct inv_run_view view = view_of(invocation);
	assert_int_equal(view.kill_after_ns, INV_FOREVER);
	assert_int_equal(view.nested_wait_ns, INV_FOREVER);
	assert_int_equal(end(invocation, 0), 0);
}

static void without_a_table_there_is_none(void **state)
{
	struct inv_invocation *invocation;
	struct inv_table_info info;

	(void)state;
	assert_int_equal(inv_run_register(NULL, &plain, &invocation), -ENOENT);
	assert_null(invocation);
	assert_int_equal(inv_invocation_begin(NULL, NULL, NULL, &invocation), -ENOENT);
	assert_null(invocation);
	assert_int_equal(inv_table_info_get(NULL, &info), -ENOENT);
	assert_int_equal(inv_list(NULL, NULL, NULL), -ENOENT);
}

static void they_are_counted_at_any_depth(void **state)
{
	struct fixture *fixture = *state;
	uint8_t top_id[16], middle_id[16], leaf_id[16], event_id[16];
	pid_t pids[2] = {0, 0};
	inv_event *event;
	inv_invocation *top = start(fixture, &plain, top_id);

	assert_int_equal(inv_run_nested(top), 0);
	assert_int_equal(view_of(top).had_nested, 0);
	inv_invocation *middle = start_below(fixture, top_id, 0, middle_id);
	inv_invocation *leaf = start_below(fixture, middle_id, 0, leaf_id);
	/* An event has no supervisor, and is not counted. */
	fixture_environment(leaf_id);
	fixture_id(event_id);
	assert_int_equal(inv_event_create(fixture->table, event_id, &event), 0);
	assert_int_equal(inv_run_nested(top), 2);
	assert_int_equal(inv_run_nested_pids(top, pids, 1), 2);
	assert_int_equal(pids[0], getpid());
	assert_int_equal(pids[1], 0);
	assert_int_equal(view_of(top).had_nested, 1);
	inv_event_put(event);

	assert_int_equal(end(middle, 0), 0);
	assert_int_equal(inv_run_nested(top), 1);
	assert_int_equal(end(leaf, 0), 0);
	assert_int_equal(inv_run_nested(top), 0);
	assert_int_equal(view_of(top).had_nested, 1);
	assert_int_equal(end(top, 0), 0);
}

static void a_nested_122_is_a_look_of_the_parent(void **state)
{
	struct fixture *fixture = *state;
	uint8_t parent_id[16], id[16];
	inv_invocation *parent = start(fixture, &plain, parent_id);
	inv_invocation *nested = start_below(fixture, parent_id, 0, id);

	assert_int_equal(inv_cancel(fixture->table, parent_id, 0, "enough"), 0);
	assert_int_equal(view_of(nested).cause, INV_CAUSE_PARENT);
	assert_int_equal(view_of(parent).cooperative, 0);
	assert_int_equal(end(nested, SIGTERM), 122);
	assert_int_equal(view_of(parent).cooperative, 1);
	/* The request is left for the parent's own check. */
	assert_int_equal(view_of(parent).pending, 1);
	assert_int_equal(inv_event_check(inv_invocation_event(parent)), -ECANCELED);
	/* It ended a nested run: cancelled, whatever the command exits with. */
	assert_int_equal(end(parent, 0), 122);
}

static void one_that_ends_by_itself_is_no_look(void **state)
{
	struct fixture *fixture = *state;
	uint8_t parent_id[16], id[16];
	inv_invocation *parent = start(fixture, &plain, parent_id);
	inv_invocation *nested = start_below(fixture, parent_id, 0, id);

	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(end(nested, SIGTERM), 122);
	assert_int_equal(view_of(parent).cooperative, 0);
	assert_int_equal(view_of(parent).requested, 0);
	assert_int_equal(end(parent, 0), 0);
}

static void a_kill_goes_down_but_not_to_what_refuses_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t parent_id[16], id[16], refusing_id[16];
	inv_invocation *parent = start(fixture, &plain, parent_id);
	inv_invocation *nested = start_below(fixture, parent_id, 0, id);
	inv_invocation *refusing = start_below(fixture, parent_id, INV_RUN_NO_KILL, refusing_id);

	assert_int_equal(view_of(refusing).flags, INV_RUN_NO_KILL);
	assert_int_equal(inv_cancel(fixture->table, refusing_id, INV_CANCEL_KILL, NULL), -EPERM);
	assert_int_equal(view_of(refusing).requested, 0);
	inv_run_kill_nested(parent);
	assert_int_equal(view_of(parent).requested, 0);
	assert_int_equal(view_of(parent).force_kill, 0);
	assert_int_equal(view_of(nested).cause, INV_CAUSE_PARENT);
	assert_int_equal(view_of(nested).force_kill, 1);
	assert_int_equal(view_of(refusing).cause, INV_CAUSE_PARENT);
	assert_int_equal(view_of(refusing).force_kill, 0);
	end(refusing, 0);
	end(nested, 0);
	end(parent, 0);
}

static void every_signal_that_is_asked_for_is_told(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = start(fixture, &plain, id);
	unsigned with_usr1 = INV_CANCEL_SIGNAL | (unsigned)SIGUSR1 << 8;

	assert_int_equal(view_of(invocation).force_signal, 0);
	assert_int_equal(inv_cancel(fixture->table, id, with_usr1, NULL), 0);
	struct inv_run_view first = view_of(invocation);
	assert_int_equal(first.force_signal, 1);
	assert_int_equal(first.force_signum, SIGUSR1);
	assert_int_equal(inv_cancel(fixture->table, id, with_usr1, NULL), 0);
	struct inv_run_view second = view_of(invocation);
	assert_int_equal(second.force_signum, SIGUSR1);
	assert_int_not_equal(second.force_count, first.force_count);
	assert_int_equal(second.request, first.request);
	/* The usual one. */
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_SIGNAL, NULL), 0);
	assert_int_equal(view_of(invocation).force_signum, 0);
	assert_int_equal(end(invocation, SIGUSR1), 122);
}

struct sleeper {
	inv_invocation *invocation;
	struct inv_run_view view;
	_Atomic uint32_t word;
};

/* Until something differs: an early return is allowed, one that never comes is not. */
static void *sleep_until_asked(void *arg)
{
	struct sleeper *sleeper = arg;

	while (!sleeper->view.requested) {
		inv_run_wait(sleeper->invocation, &sleeper->view, NULL, 0, INV_FOREVER);
		if (inv_run_view(sleeper->invocation, &sleeper->view) != 0)
			break;
	}
	return NULL;
}

static void *sleep_until_bumped(void *arg)
{
	struct sleeper *sleeper = arg;

	while (atomic_load(&sleeper->word) == 0)
		inv_run_wait(sleeper->invocation, &sleeper->view, &sleeper->word, 0, INV_FOREVER);
	return NULL;
}

static void a_supervisor_is_woken_by_a_request_and_by_its_own_word(void **state)
{
	struct fixture *fixture = *state;
	struct sleeper sleeper = {.word = 0};
	uint8_t id[16];
	pthread_t thread;

	sleeper.invocation = start(fixture, &plain, id);
	sleeper.view = view_of(sleeper.invocation);
	assert_int_equal(pthread_create(&thread, NULL, sleep_until_bumped, &sleeper), 0);
	atomic_store(&sleeper.word, 1);
	pthread_join(thread, NULL);
	assert_int_equal(pthread_create(&thread, NULL, sleep_until_asked, &sleeper), 0);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(sleeper.view.requested, 1);
	/* A time that has come is no error, and no sleep. */
	sleeper.view = view_of(sleeper.invocation);
	inv_run_wait(sleeper.invocation, &sleeper.view, NULL, 0, 1);
	end(sleeper.invocation, 0);
}

/* The numbers of what does not hold; 0: all does. */
static int act_as_the_owner(struct fixture *fixture, void *arg)
{
	inv_invocation *invocation = arg;
	struct inv_run_view view;

	(void)fixture;
	if (inv_run_view(invocation, &view) != -ESTALE ||
	    inv_run_started(invocation, 1) != -ESTALE || inv_run_take(invocation) != 0 ||
	    inv_run_request(invocation, INV_CAUSE_DEADLINE, 0, NULL) != -ESTALE)
		return 1;
	inv_run_killed(invocation);
	inv_run_kill_nested(invocation);
	if (inv_run_nested(invocation) != 0)
		return 2;
	/* The status that it owes, all the same. */
	return end(invocation, 3 << 8) == 3 ? 0 : 3;
}

static void a_forked_child_is_not_the_supervisor(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], nested_id[16];
	inv_invocation *invocation = start(fixture, &plain, id);
	inv_invocation *nested = start_below(fixture, id, 0, nested_id);
	pid_t child = fixture_fork(fixture, act_as_the_owner, invocation);

	assert_int_equal(fixture_reap(fixture, child), 0);
	assert_int_equal(view_of(invocation).requested, 0);
	assert_int_equal(view_of(invocation).killed, 0);
	assert_int_equal(view_of(nested).requested, 0);
	end(nested, 0);
	assert_int_equal(end(invocation, 0), 0);
}

static void nothing_is_nested_in_what_has_ended(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], unknown[16], nested_id[16];

	fixture_id(unknown);
	assert_int_equal(inv_run_refused(fixture->table, unknown), -ENOENT);
	assert_int_equal(end(start(fixture, &plain, id), 0), 0);
	assert_int_equal(inv_run_refused(fixture->table, id), -ESTALE);
	/* It is named all the same. */
	inv_invocation *late = start_below(fixture, id, 0, nested_id);
	assert_memory_equal(fixture_info(fixture, nested_id).parent, id, 16);
	assert_int_equal(end(late, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_supervisor_sees_what_was_asked_of_it_at_the_start),
	        TABLE_TEST(a_long_time_is_never_over_early),
	        NO_TABLE_TEST(without_a_table_there_is_none),
	        TABLE_TEST(they_are_counted_at_any_depth),
	        TABLE_TEST(a_nested_122_is_a_look_of_the_parent),
	        TABLE_TEST(one_that_ends_by_itself_is_no_look),
	        TABLE_TEST(a_kill_goes_down_but_not_to_what_refuses_it),
	        TABLE_TEST(every_signal_that_is_asked_for_is_told),
	        TABLE_TEST(a_supervisor_is_woken_by_a_request_and_by_its_own_word),
	        TABLE_TEST(a_forked_child_is_not_the_supervisor),
	        TABLE_TEST(nothing_is_nested_in_what_has_ended),
	};

	return cmocka_run_group_tests_name("nested", tests, NULL, NULL);
}
