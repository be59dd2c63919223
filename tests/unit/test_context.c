/*
 * Which invocation am I in? The stack of contexts of a thread, and INVCTL_ID below it.
 * ("nests, innermost last; keeps the event alive; the calling thread only"; "After
 * fork() ... contexts entered by calls are left and inherited handles are -ESTALE there;
 * the context of INVCTL_ID stays"; "Broken context".)
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static void assert_current(const uint8_t id[16])
{
	uint8_t current[16];

	assert_int_equal(inv_current_id(current), 0);
	assert_memory_equal(current, id, 16);
}

static void outside_any_context(void **state)
{
	uint8_t id[16];

	(void)state;
	assert_int_equal(inv_current_id(id), -ENXIO);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_sleep(0), 0);
	assert_int_equal(inv_sleep(MILLISECOND), 0);
	assert_int_equal(inv_sleep(-2), -EINVAL);
	assert_int_equal(inv_log_text(LOG_INFO, "nowhere"), -ENXIO);
	assert_int_equal(inv_progress(1, NULL), -ENXIO);
	assert_int_equal(inv_shield_begin(), -ENXIO);
	assert_int_equal(inv_shield_end(), -ENXIO);
}

static void contexts_nest_innermost_last(void **state)
{
	struct fixture *fixture = *state;
	uint8_t outer_id[16], inner_id[16], current[16];
	inv_context *outer, *inner;

	fixture_id(outer_id);
	fixture_id(inner_id);
	assert_int_equal(inv_context_enter(fixture->table, outer_id, &outer), 0);
	assert_current(outer_id);
	assert_int_equal(fixture_info(fixture, outer_id).kind, INV_KIND_CONTEXT);
	assert_int_equal(fixture_info(fixture, outer_id).status, INV_RUNNING);
	assert_int_equal(inv_context_enter(fixture->table, inner_id, &inner), 0);
	assert_current(inner_id);
	assert_memory_equal(fixture_info(fixture, inner_id).parent, outer_id, 16);

	assert_int_equal(inv_context_leave(outer), -EBUSY);
	assert_current(inner_id);
	assert_int_equal(inv_context_leave(inner), 0);
	assert_current(outer_id);
	assert_int_equal(inv_context_leave(outer), 0);
	assert_int_equal(inv_current_id(current), -ENXIO);
	assert_int_equal(fixture_live(fixture), 0);
}

static void a_null_id_is_a_fresh_one(void **state)
{
	struct fixture *fixture = *state;
	uint8_t first[16], second[16];
	inv_context *outer, *inner;

	assert_int_equal(inv_context_enter(fixture->table, NULL, &outer), 0);
	assert_int_equal(inv_current_id(first), 0);
	assert_int_equal(inv_context_enter(fixture->table, NULL, &inner), 0);
	assert_int_equal(inv_current_id(second), 0);
	assert_memory_not_equal(first, second, 16);
	assert_int_equal(first[6] >> 4, 4);
	assert_int_equal(inv_context_leave(inner), 0);
	assert_int_equal(inv_context_leave(outer), 0);
}

static void a_context_keeps_the_event_alive(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;
	inv_context *context;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_context_enter(fixture->table, id, &context), 0);
	inv_event_put(event);
	assert_int_equal(inv_event_find(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_is_set(event), 1);
	inv_event_put(event);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_context_leave(context), 0);
	assert_int_equal(inv_event_find(fixture->table, id, &event), -ENOENT);
}

static void a_request_reaches_check_and_sleep(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_context *context;

	fixture_id(id);
	assert_int_equal(inv_context_enter(fixture->table, id, &context), 0);
	assert_int_equal(inv_cancel(fixture->table, id, 0, "stop"), 0);
	assert_int_equal(inv_sleep(INV_FOREVER), -ECANCELED);
	assert_int_equal(inv_sleep(MILLISECOND), 0);
	assert_int_equal(inv_cancel(fixture->table, id, 0, "stop"), 0);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_context_leave(context), 0);
}

struct elsewhere {
	inv_context *context;
	int current, leave;
};

static void *elsewhere_main(void *arg)
{
	struct elsewhere *elsewhere = arg;
	uint8_t id[16];

	elsewhere->current = inv_current_id(id);
	elsewhere->leave = inv_context_leave(elsewhere->context);
	return NULL;
}

static void a_context_is_its_threads_alone(void **state)
{
	struct fixture *fixture = *state;
	struct elsewhere elsewhere;
	pthread_t thread;

	assert_int_equal(inv_context_enter(fixture->table, NULL, &elsewhere.context), 0);
	assert_int_equal(pthread_create(&thread, NULL, elsewhere_main, &elsewhere), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(elsewhere.current, -ENXIO);
	assert_int_equal(elsewhere.leave, -EPERM);
	assert_int_equal(inv_context_leave(elsewhere.context), 0);
}

static void the_environment_is_the_outermost_context(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], inner_id[16];
	inv_event *event;
	inv_context *inner;

	fixture_id(id);
	fixture_id(inner_id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	fixture_environment(id);
	assert_current(id);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_context_enter(fixture->table, inner_id, &inner), 0);
	assert_current(inner_id);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_check(), 0); /* not the inner one's */
	assert_int_equal(inv_context_leave(inner), 0);
	assert_current(id);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_check(), 0);
	inv_event_put(event);
}

static void a_changed_environment_counts(void **state)
{
	struct fixture *fixture = *state;
	uint8_t first_id[16], second_id[16];
	inv_event *first, *second;

	fixture_id(first_id);
	fixture_id(second_id);
	assert_int_equal(inv_event_create(fixture->table, first_id, &first), 0);
	assert_int_equal(inv_event_create(fixture->table, second_id, &second), 0);
	fixture_environment(first_id);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_event_set(second, NULL), 0);
	fixture_environment(second_id);
	assert_current(second_id);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_event_set(second, NULL), 0);
	fixture_environment(NULL);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_event_is_set(second), 1);
	inv_event_put(first);
	inv_event_put(second);
}

static void an_environment_that_names_nothing_is_no_quiet_context(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	fixture_environment(id);
	assert_current(id);
	assert_int_equal(inv_check(), -ENOENT);
	assert_int_equal(inv_sleep(0), -ENOENT);
	assert_int_equal(inv_sleep(INV_FOREVER), -ENOENT);
	assert_int_equal(inv_event_get(fixture->table, NULL, &event), -ENOENT);
	assert_int_equal(inv_log_text(LOG_INFO, "x"), -ENOENT);
	assert_int_equal(inv_progress(1, NULL), -ENOENT);
	assert_int_equal(inv_shield_begin(), -ENOENT);
	assert_int_equal(fixture_live(fixture), 0);
}

static void an_environment_that_names_an_ended_one_is_stale(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	fixture_environment(id);
	assert_int_equal(inv_check(), -ESTALE);
	assert_int_equal(inv_sleep(0), -ESTALE);
	assert_int_equal(inv_event_get(fixture->table, NULL, &event), -ESTALE);
	assert_int_equal(inv_log_text(LOG_INFO, "x"), -ESTALE);
	assert_int_equal(inv_shield_begin(), -ESTALE);
}

static void an_environment_without_a_uuid_is_invalid(void **state)
{
	uint8_t id[16];

	(void)state;
	setenv("INVCTL_ID", "not-a-uuid", 1);
	assert_int_equal(inv_current_id(id), -EINVAL);
	assert_int_equal(inv_check(), -EINVAL);
	assert_int_equal(inv_sleep(0), -EINVAL);
	setenv("INVCTL_ID", "", 1);
	assert_int_equal(inv_current_id(id), -ENXIO);
	assert_int_equal(inv_check(), 0);
}

static void a_broken_environment_is_no_parent(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t nobody[16];
	uint8_t broken[16], id[16];
	inv_event *event;

	fixture_id(broken);
	fixture_environment(broken);
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_memory_equal(fixture_info(fixture, id).parent, nobody, 16);
	inv_event_put(event);
}

struct inherited {
	inv_context *context;
	inv_event *event;
};

/* Returns the number of the first expectation that does not hold. */
static int look_as_child(struct fixture *fixture, void *arg)
{
	struct inherited *inherited = arg;
	uint8_t id[16];
	inv_event *own;

	if (inv_current_id(id) != -ENXIO)
		return 1;
	if (inv_check() != 0 || inv_sleep(0) != 0)
		return 2;
	if (inv_event_is_set(inherited->event) != -ESTALE ||
	    inv_event_check(inherited->event) != -ESTALE)
		return 3;
	if (inv_event_set(inherited->event, NULL) != -ESTALE ||
	    inv_event_clear(inherited->event) != -ESTALE)
		return 4;
	if (inv_event_wait(inherited->event, INV_FOREVER) != -ESTALE ||
	    inv_event_sleep(inherited->event, INV_FOREVER) != -ESTALE)
		return 5;
	inv_event_id(inherited->event, id);
	if (inv_context_leave(inherited->context) != 0)
		return 6;
	inv_event_put(inherited->event);
	/* The parent's registration is untouched, and the child may find it anew. */
	if (inv_event_create(fixture->table, id, &own) != -EEXIST)
		return 7;
	if (inv_event_find(fixture->table, id, &own) != 0 || inv_event_set(own, "child") != 0)
		return 8;
	inv_event_put(own);
	/* It may own others itself. */
	return inv_context_enter(fixture->table, NULL, &inherited->context) == 0 ? 0 : 9;
}

static void a_forked_child_has_left_the_contexts(void **state)
{
	struct fixture *fixture = *state;
	struct inherited inherited;
	uint8_t id[16];

	fixture_id(id);
	assert_int_equal(inv_context_enter(fixture->table, id, &inherited.context), 0);
	assert_int_equal(inv_event_get(fixture->table, NULL, &inherited.event), 0);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, look_as_child, &inherited)),
	                 0);
	assert_current(id);
	assert_int_equal(inv_check(), -ECANCELED);
	inv_event_put(inherited.event);
	assert_int_equal(inv_context_leave(inherited.context), 0);
}

enum { CHECKED, ASKED };

static int check_in_environment(struct fixture *fixture, void *id)
{
	uint8_t current[16];

	if (inv_current_id(current) != 0 || memcmp(current, id, 16) != 0 || inv_check() != 0)
		return 1;
	atomic_store(&fixture->counters[CHECKED], 1);
	AWAIT(atomic_load(&fixture->counters[ASKED]));
	return inv_check() == -ECANCELED && inv_check() == 0 ? 0 : 2;
}

static int check_in_grandchild(struct fixture *fixture, void *id)
{
	if (inv_check() != 0)
		return 1;
	pid_t grandchild = fixture_fork(fixture, check_in_environment, id);
	return fixture_reap(fixture, grandchild);
}

static void the_environments_context_stays_in_children(void **state)
{
	struct fixture *fixture = *state;
	int (*const tasks[])(struct fixture *, void *) = {check_in_environment,
	                                                  check_in_grandchild};
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	fixture_environment(id);
	assert_int_equal(inv_check(), 0);
	for (int i = 0; i < 2; i++) {
		atomic_store(&fixture->counters[CHECKED], 0);
		atomic_store(&fixture->counters[ASKED], 0);
		pid_t child = fixture_fork(fixture, tasks[i], id);
		EVENTUALLY(atomic_load(&fixture->counters[CHECKED]));
		assert_int_equal(inv_event_set(event, NULL), 0);
		atomic_store(&fixture->counters[ASKED], 1);
		assert_int_equal(fixture_reap(fixture, child), 0);
		assert_int_equal(inv_event_is_set(event), 0);
	}
	inv_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(outside_any_context),
	        TABLE_TEST(contexts_nest_innermost_last),
	        TABLE_TEST(a_null_id_is_a_fresh_one),
	        TABLE_TEST(a_context_keeps_the_event_alive),
	        TABLE_TEST(a_request_reaches_check_and_sleep),
	        TABLE_TEST(a_context_is_its_threads_alone),
	        TABLE_TEST(the_environment_is_the_outermost_context),
	        TABLE_TEST(a_changed_environment_counts),
	        TABLE_TEST(an_environment_that_names_nothing_is_no_quiet_context),
	        TABLE_TEST(an_environment_that_names_an_ended_one_is_stale),
	        TABLE_TEST(an_environment_without_a_uuid_is_invalid),
	        TABLE_TEST(a_broken_environment_is_no_parent),
	        TABLE_TEST(a_forked_child_has_left_the_contexts),
	        TABLE_TEST(the_environments_context_stays_in_children),
	};

	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
