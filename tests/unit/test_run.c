/*
 * The supervisor's calls: what an invocation of `run` is recorded as, and what `run` and
 * `wait` exit with, line by line of the table of endings.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "invctl-supervisor.h"

/* As waitpid(2) tells them. */
#define EXITED(status) ((status) << 8)
#define KILLED_BY(signum) (signum)

static inv_invocation *registered(struct fixture *fixture, uint8_t id[16])
{
	struct inv_run_options options = {.name = "run",
	                                  .deadline_ns = INV_FOREVER,
	                                  .signal_after_ns = INV_FOREVER,
	                                  .kill_after_ns = INV_FOREVER,
	                                  .signal = SIGTERM};
	inv_invocation *invocation;

	assert_int_equal(inv_run_register(fixture->table, &options, &invocation), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

static inv_invocation *started(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *invocation = registered(fixture, id);

	assert_int_equal(inv_run_started(invocation, getpid()), 0);
	return invocation;
}

/* End it, and compare what is returned with what the record says. */
static void ends_as(struct fixture *fixture, inv_invocation *invocation,
                    const struct inv_run_result *result, int status, int cause, int exit_status)
{
	struct inv_info info;
	uint8_t id[16];

	inv_invocation_id(invocation, id);
	assert_int_equal(inv_run_end(invocation, result), exit_status);
	assert_int_equal(inv_info_get(fixture->table, id, &info), 0);
	assert_int_equal(info.status, status);
	assert_int_equal(info.cause, cause);
	assert_int_equal(info.wait_status, exit_status);
	assert_int_equal(inv_wait(fixture->table, id, 0), status);
}

static void test_pending_then_running(void **state)
{
	struct inv_info info;
	uint8_t id[16];
	inv_invocation *invocation = registered(*state, id);
	inv_table *table = ((struct fixture *)*state)->table;

	assert_int_equal(inv_info_get(table, id, &info), 0);
	assert_int_equal(info.status, INV_PENDING);
	assert_int_equal(inv_run_started(invocation, getpid()), 0);
	assert_int_equal(inv_info_get(table, id, &info), 0);
	assert_int_equal(info.status, INV_RUNNING);
	assert_int_equal(info.pid, getpid());
	ends_as(*state, invocation, &(struct inv_run_result){.wait_known = 1}, INV_COMPLETED,
	        INV_CAUSE_EXIT, 0);
}

static void test_ends_without_a_request(void **state)
{
	static const struct {
		struct inv_run_result result;
		int cause, exit_status;
	} cases[] = {
	        {{.wait_known = 1, .wait_status = EXITED(3)}, INV_CAUSE_EXIT, 3},
	        {{.wait_known = 1, .wait_status = KILLED_BY(SIGTERM)}, INV_CAUSE_SIGNAL, 143},
	        {{.wait_known = 1, .wait_status = KILLED_BY(SIGKILL)}, INV_CAUSE_SIGNAL, 137},
	        {{.exec_errno = ENOENT}, INV_CAUSE_EXEC, 127},
	        {{.exec_errno = EACCES}, INV_CAUSE_EXEC, 126},
	        {{.wait_known = 0}, INV_CAUSE_LOST, 125},
	};
	uint8_t id[16];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ends_as(*state, started(*state, id), &cases[i].result, INV_ERROR, cases[i].cause,
		        cases[i].exit_status);
}

static void test_ends_after_a_request(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = started(fixture, id);

	/* A cooperative action may ignore a request, or carry on after it. */
	assert_int_equal(inv_cancel(fixture->table, id, 0, "stop"), 0);
	ends_as(fixture, invocation, &(struct inv_run_result){.wait_known = 1}, INV_COMPLETED,
	        INV_CAUSE_EXIT, 0);

	/* Anything but exit 0 is cancelled; a deadline has a status of its own. */
	invocation = started(fixture, id);
	assert_int_equal(inv_run_request(invocation, INV_CAUSE_INTERRUPT, SIGINT, NULL), 0);
	ends_as(fixture, invocation,
	        &(struct inv_run_result){.wait_known = 1, .wait_status = EXITED(1)}, INV_CANCELLED,
	        INV_CAUSE_INTERRUPT, 122);
	invocation = started(fixture, id);
	assert_int_equal(inv_run_request(invocation, INV_CAUSE_DEADLINE, 0, NULL), 0);
	ends_as(fixture, invocation,
	        &(struct inv_run_result){.wait_known = 1, .wait_status = KILLED_BY(SIGTERM)},
	        INV_CANCELLED, INV_CAUSE_DEADLINE, 124);
}

static void test_delivered_by_signal_is_cancelled_whatever_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct inv_run_view view;
	uint8_t id[16];
	inv_invocation *invocation = started(fixture, id);

	assert_int_equal(inv_run_take(invocation), 0);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(inv_run_view(invocation, &view), 0);
	assert_true(view.requested && view.pending && !view.cooperative && !view.signalled);
	assert_int_equal(inv_run_take(invocation), 1);
	/* Taken once; nothing is left for a check. */
	assert_int_equal(inv_run_take(invocation), 0);
	assert_int_equal(inv_event_check(inv_invocation_event(invocation)), 0);
	assert_int_equal(inv_run_view(invocation, &view), 0);
	assert_true(view.requested && !view.pending && view.signalled);
	ends_as(fixture, invocation, &(struct inv_run_result){.wait_known = 1}, INV_CANCELLED,
	        INV_CAUSE_REQUESTED, 122);
}

static void test_killed_after_a_request_is_137(void **state)
{
	struct fixture *fixture = *state;
	struct inv_run_view view;
	uint8_t id[16];
	inv_invocation *invocation = started(fixture, id);

	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(inv_run_view(invocation, &view), 0);
	assert_int_equal(view.force_kill, 1);
	inv_run_killed(invocation);
	ends_as(fixture, invocation,
	        &(struct inv_run_result){.wait_known = 1, .wait_status = KILLED_BY(SIGKILL)},
	        INV_CANCELLED, INV_CAUSE_REQUESTED, 137);
}

static void test_cancelled_while_pending_is_not_started(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = registered(fixture, id);

	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	ends_as(fixture, invocation, &(struct inv_run_result){.not_started = 1}, INV_CANCELLED,
	        INV_CAUSE_REQUESTED, 122);
}

static void test_a_refusal_delivers_nothing_and_is_a_look(void **state)
{
	struct fixture *fixture = *state;
	struct inv_info info;
	uint8_t id[16];
	inv_invocation *parent = started(fixture, id);

	assert_int_equal(inv_run_refused(fixture->table, id), 0);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(inv_run_refused(fixture->table, id), 1);
	assert_int_equal(inv_info_get(fixture->table, id, &info), 0);
	assert_int_equal(info.cancel.state, INV_CANCEL_REQUESTED);
	assert_int_equal(info.cooperative, 1);
	assert_int_equal(inv_event_check(inv_invocation_event(parent)), -ECANCELED);
	assert_int_equal(inv_run_refused(fixture->table, id), 0);
	ends_as(fixture, parent, &(struct inv_run_result){.wait_known = 1}, INV_COMPLETED,
	        INV_CAUSE_EXIT, 0);
}

/* Clean-up belongs under a shield: what it runs is started. */
static void test_inside_a_shield_nothing_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *parent = started(fixture, id);

	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	fixture_environment(id);
	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(inv_run_refused(fixture->table, id), 0);
	assert_int_equal(inv_shield_end(), 0);
	assert_int_equal(inv_run_refused(fixture->table, id), 1);
	fixture_environment(NULL);
	ends_as(fixture, parent, &(struct inv_run_result){.wait_known = 1}, INV_COMPLETED,
	        INV_CAUSE_EXIT, 0);
}

/* "Library calls never refuse": what they begin learns of its parent's request by itself. */
static void test_calls_are_not_refused_while_a_request_is_pending(void **state)
{
	struct fixture *fixture = *state;
	inv_invocation *outer, *inner;
	inv_context *context;
	uint8_t id[16];

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &outer), 0);
	inv_invocation_id(outer, id);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &inner), 0);
	assert_int_equal(inv_context_enter(fixture->table, NULL, &context), 0);
	assert_int_equal(inv_context_leave(context), 0);
	assert_int_equal(inv_invocation_end(inner, INV_COMPLETED), 0);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_invocation_end(outer, INV_CANCELLED), 0);
}

/* Nobody could cancel by id what is registered in a table without a name. */
static void test_a_table_that_lost_its_name_takes_no_run(void **state)
{
	struct fixture *fixture = *state;
	struct inv_run_options options = {.name = "run", .deadline_ns = INV_FOREVER};
	struct inv_table_info info;
	inv_invocation *invocation;
	char path[128];

	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(inv_run_register(fixture->table, &options, &invocation), -ESTALE);
	assert_null(invocation);
	assert_int_equal(inv_table_info_get(fixture->table, &info), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)
	        TEST(test_pending_then_running),
	        TEST(test_ends_without_a_request),
	        TEST(test_ends_after_a_request),
	        TEST(test_delivered_by_signal_is_cancelled_whatever_the_end),
	        TEST(test_killed_after_a_request_is_137),
	        TEST(test_cancelled_while_pending_is_not_started),
	        TEST(test_a_refusal_delivers_nothing_and_is_a_look),
	        TEST(test_inside_a_shield_nothing_is_refused),
	        TEST(test_calls_are_not_refused_while_a_request_is_pending),
	        TEST(test_a_table_that_lost_its_name_takes_no_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
