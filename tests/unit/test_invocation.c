/*
 * Invocations that a program is itself: begin, end, outcomes, wait, rows.
 * ("exactly one [outcome], whoever races"; "Unknown id, finished: a late request never
 * changes a recorded outcome"; "with owner and action gone it ends as error/lost".)
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void begin_enters_a_context_and_end_records(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], current[16];
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "scan", &invocation), 0);
	inv_invocation_id(invocation, id);
	assert_int_equal(inv_current_id(current), 0);
	assert_memory_equal(current, id, 16);

	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.status, INV_RUNNING);
	assert_int_equal(info.kind, INV_KIND_CALL);
	assert_int_equal(info.pid, getpid());
	assert_int_equal(info.owner_pid, getpid());
	assert_int_equal(info.uid, geteuid());
	assert_int_equal(info.wait_status, -1);
	assert_string_equal(info.name, "scan");
	assert_true(info.requested_ns > 0 && info.started_ns >= info.requested_ns);
	assert_int_equal(info.completed_ns, 0);

	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_int_equal(inv_current_id(current), -ENXIO);
	info = fixture_info(fixture, id);
	assert_int_equal(info.status, INV_COMPLETED);
	assert_int_equal(info.cause, INV_CAUSE_EXIT);
	assert_int_equal(info.exit_status, 0);
	assert_int_equal(info.wait_status, 0);
	assert_int_equal(info.owner_pid, 0);
	assert_true(info.completed_ns >= info.started_ns);
}

static void without_a_name_it_has_the_programs(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	assert_string_equal(fixture_info(fixture, id).name, program_invocation_short_name);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void what_it_says_is_what_is_recorded(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		int outcome;
		bool asked;
		int status, cause, wait_status;
	} rows[] = {
	        {INV_COMPLETED, false, INV_COMPLETED, INV_CAUSE_EXIT, 0},
	        {INV_CANCELLED, false, INV_CANCELLED, INV_CAUSE_EXIT, 122},
	        {INV_ERROR, false, INV_ERROR, INV_CAUSE_EXIT, 1},
	        {-ECANCELED, false, INV_CANCELLED, INV_CAUSE_EXIT, 122},
	        {-EIO, false, INV_ERROR, INV_CAUSE_EXIT, 1},
	        {INV_COMPLETED, true, INV_COMPLETED, INV_CAUSE_EXIT, 0},
	        {INV_CANCELLED, true, INV_CANCELLED, INV_CAUSE_REQUESTED, 122},
	        {INV_ERROR, true, INV_CANCELLED, INV_CAUSE_REQUESTED, 122},
	        {-EIO, true, INV_CANCELLED, INV_CAUSE_REQUESTED, 122},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t id[16];
		inv_invocation *invocation;
		assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
		inv_invocation_id(invocation, id);
		if (rows[i].asked)
			assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
		assert_int_equal(inv_invocation_end(invocation, rows[i].outcome), 0);
		struct inv_info info = fixture_info(fixture, id);
		assert_int_equal(info.status, rows[i].status);
		assert_int_equal(info.cause, rows[i].cause);
		assert_int_equal(info.wait_status, rows[i].wait_status);
		assert_int_equal(inv_wait(fixture->table, id, 0), rows[i].status);
	}
}

static void a_withdrawn_request_does_not_cancel(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(inv_event_clear(inv_invocation_event(invocation)), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_ERROR), 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_ERROR);
}

static void a_bad_outcome_does_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	assert_int_equal(inv_invocation_end(invocation, INV_PENDING), -EINVAL);
	assert_int_equal(inv_invocation_end(invocation, INV_RUNNING), -EINVAL);
	assert_int_equal(fixture_info(fixture, id).status, INV_RUNNING);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void an_id_still_in_the_table_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation, *second;
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &second), -EEXIST);
	assert_null(second);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &second), -EEXIST);
	assert_int_equal(inv_event_create(fixture->table, id, &event), -EEXIST);
	assert_int_equal(inv_event_find(fixture->table, id, &event), -ESTALE);
	assert_int_equal(inv_event_get(fixture->table, id, &event), -ESTALE);
}

static void its_parent_is_the_current_invocation(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t nobody[16];
	uint8_t outer_id[16], inner_id[16], current[16];
	inv_invocation *outer, *inner;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &outer), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &inner), 0);
	inv_invocation_id(outer, outer_id);
	inv_invocation_id(inner, inner_id);
	assert_memory_equal(fixture_info(fixture, outer_id).parent, nobody, 16);
	assert_memory_equal(fixture_info(fixture, inner_id).parent, outer_id, 16);
	assert_int_equal(inv_invocation_end(inner, INV_COMPLETED), 0);
	assert_int_equal(inv_current_id(current), 0);
	assert_memory_equal(current, outer_id, 16);
	assert_int_equal(inv_invocation_end(outer, INV_COMPLETED), 0);

	fixture_environment(outer_id); /* has ended: no parent */
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &inner), 0);
	inv_invocation_id(inner, inner_id);
	assert_memory_equal(fixture_info(fixture, inner_id).parent, nobody, 16);
	assert_int_equal(inv_invocation_end(inner, INV_COMPLETED), 0);
}

static void ended_out_of_order_the_rest_stays(void **state)
{
	struct fixture *fixture = *state;
	uint8_t inner_id[16], current[16];
	inv_invocation *outer, *inner;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &outer), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &inner), 0);
	inv_invocation_id(inner, inner_id);
	assert_int_equal(inv_invocation_end(outer, INV_COMPLETED), 0);
	assert_int_equal(inv_current_id(current), 0);
	assert_memory_equal(current, inner_id, 16);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_invocation_end(inner, INV_COMPLETED), 0);
	assert_int_equal(inv_current_id(current), -ENXIO);
}

static void begin_takes_over_an_own_event(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;
	inv_invocation *invocation;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_set(event, "early"), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, id, "late", &invocation), 0);
	assert_int_equal(fixture_live(fixture), 1);
	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.kind, INV_KIND_CALL);
	assert_int_equal(info.status, INV_RUNNING);
	assert_string_equal(info.name, "late");
	assert_string_equal(info.cancel.reason, "early");
	inv_event_put(event); /* frees nothing any more */
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_invocation_end(invocation, -ECANCELED), 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_CANCELLED);
}

static int own_an_event(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	atomic_store(&fixture->counters[0], 1);
	return fixture_stay();
}

static void begin_does_not_take_over_anothers_event(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, own_an_event, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), -EEXIST);
	fixture_kill(fixture, owner);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static void *end_main(void *invocation)
{
	return (void *)(intptr_t)inv_invocation_end(invocation, INV_COMPLETED);
}

static void another_thread_may_end_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], current[16];
	inv_invocation *outer, *inner;
	pthread_t thread;
	void *result = NULL;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &outer), 0);
	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &inner), 0);
	assert_int_equal(pthread_create(&thread, NULL, end_main, inner), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal((int)(intptr_t)result, 0);
	inv_invocation_id(outer, id);
	assert_int_equal(inv_current_id(current), 0);
	assert_memory_equal(current, id, 16);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_invocation_end(outer, INV_COMPLETED), 0);
}

struct sleeping {
	inv_table *table;
	_Atomic(inv_invocation *) invocation;
	int results[2];
};

static void *sleep_in_it(void *arg)
{
	struct sleeping *sleeping = arg;
	inv_invocation *invocation;

	if (inv_invocation_begin(sleeping->table, NULL, NULL, &invocation) != 0)
		return NULL;
	atomic_store(&sleeping->invocation, invocation);
	/* It is in the sleep or before it when another thread ends the invocation; without a
	 * context it sleeps, and the check is 0. */
	for (int i = 0; i < 2; i++)
		sleeping->results[i] = i ? inv_check() : inv_sleep(20 * MILLISECOND);
	return NULL;
}

/* The thread that sleeps in an invocation keeps its event: it is not freed, and no other
 * invocation's request is taken for its own. */
static void a_thread_asleep_in_an_ended_one_takes_no_others_request(void **state)
{
	struct fixture *fixture = *state;

	for (int round = 0; round < 500; round++) {
		struct sleeping sleeping = {.table = fixture->table, .results = {1, 1}};
		inv_invocation *other;
		uint8_t id[16];
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, sleep_in_it, &sleeping), 0);
		AWAIT(atomic_load(&sleeping.invocation));
		assert_int_equal(
		        inv_invocation_end(atomic_load(&sleeping.invocation), INV_COMPLETED), 0);
		assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &other), 0);
		inv_invocation_id(other, id);
		assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_true(sleeping.results[0] == -ESTALE || sleeping.results[0] == 0);
		assert_true(sleeping.results[1] == -ESTALE || sleeping.results[1] == 0);
		assert_int_equal(inv_check(), -ECANCELED);
		assert_int_equal(inv_invocation_end(other, INV_CANCELLED), 0);
	}
}

static void *begin_main(void *arg)
{
	struct sleeping *beginning = arg;
	inv_invocation *invocation = NULL;

	if (inv_invocation_begin(beginning->table, NULL, NULL, &invocation) == 0)
		atomic_store(&beginning->invocation, invocation);
	return NULL;
}

/* The leak check of a sanitizer's build sees what a thread that has ended still holds. */
static void it_may_be_ended_when_its_thread_has(void **state)
{
	struct fixture *fixture = *state;
	struct sleeping beginning = {.table = fixture->table};
	uint8_t id[16];
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, begin_main, &beginning), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	inv_invocation *invocation = atomic_load(&beginning.invocation);
	assert_non_null(invocation);
	inv_invocation_id(invocation, id);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_COMPLETED);
}

static int end_inherited(struct fixture *fixture, void *invocation)
{
	(void)fixture;
	return inv_invocation_end(invocation, INV_ERROR) == -ESTALE ? 0 : 1;
}

static void a_forked_child_does_not_end_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, end_inherited, invocation)),
	                 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_RUNNING);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_COMPLETED);
}

enum { BEGUN, MAY_END };

static int begin_and_end(struct fixture *fixture, void *id)
{
	inv_invocation *invocation;

	if (inv_invocation_begin(fixture->table, id, NULL, &invocation) != 0)
		return 1;
	atomic_store(&fixture->counters[BEGUN], 1);
	AWAIT(atomic_load(&fixture->counters[MAY_END]));
	return inv_invocation_end(invocation, INV_ERROR) == 0 ? 0 : 2;
}

struct wait {
	struct fixture *fixture;
	uint8_t *id;
	_Atomic pid_t thread_id;
	int result;
};

static void *wait_main(void *arg)
{
	struct wait *wait = arg;

	atomic_store(&wait->thread_id, gettid());
	wait->result = inv_wait(wait->fixture->table, wait->id, INV_FOREVER);
	return NULL;
}

static pthread_t waiting_for(struct fixture *fixture, uint8_t id[16], struct wait *wait)
{
	pthread_t thread;

	*wait = (struct wait){.fixture = fixture, .id = id};
	assert_int_equal(pthread_create(&thread, NULL, wait_main, wait), 0);
	EVENTUALLY(atomic_load(&wait->thread_id) != 0 &&
	           fixture_asleep(getpid(), atomic_load(&wait->thread_id)));
	return thread;
}

static void wait_returns_when_it_ends(void **state)
{
	struct fixture *fixture = *state;
	struct wait wait;
	uint8_t id[16];

	fixture_id(id);
	assert_int_equal(inv_wait(fixture->table, id, INV_FOREVER), -ENOENT);
	pid_t owner = fixture_fork(fixture, begin_and_end, id);
	EVENTUALLY(atomic_load(&fixture->counters[BEGUN]));
	assert_int_equal(inv_wait(fixture->table, id, 0), -ETIMEDOUT);
	assert_int_equal(inv_wait(fixture->table, id, MILLISECOND), -ETIMEDOUT);
	pthread_t thread = waiting_for(fixture, id, &wait);
	/* A request is no end. */
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(inv_wait(fixture->table, id, MILLISECOND), -ETIMEDOUT);
	atomic_store(&fixture->counters[MAY_END], 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(wait.result, INV_CANCELLED);
	assert_int_equal(fixture_reap(fixture, owner), 0);
}

static void a_killed_owner_is_recorded_as_lost(void **state)
{
	struct fixture *fixture = *state;
	struct wait wait;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, begin_and_end, id);
	EVENTUALLY(atomic_load(&fixture->counters[BEGUN]));
	pthread_t thread = waiting_for(fixture, id, &wait);
	fixture_kill(fixture, owner);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(wait.result, INV_ERROR);
	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.status, INV_ERROR);
	assert_int_equal(info.cause, INV_CAUSE_LOST);
	assert_int_equal(info.wait_status, 125);
}

static void wait_for_what_left_no_record_is_enoent(void **state)
{
	struct fixture *fixture = *state;
	struct wait wait;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, own_an_event, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]));
	pthread_t thread = waiting_for(fixture, id, &wait);
	fixture_kill(fixture, owner);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(wait.result, -ENOENT);
}

static void cancel_tells_what_it_can_not_do(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	fixture_id(id);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), -ENOENT);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), 0);
	assert_int_equal(inv_cancel(fixture->table, id, 0x10, NULL), -EINVAL);
	assert_int_equal(inv_cancel(fixture->table, id, 9 << 8, NULL), -EINVAL);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_WITH_SIGNAL(65), NULL), -EINVAL);
	assert_int_equal(inv_check(), 0);
	inv_event *event = inv_invocation_event(invocation);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_check(), -ECANCELED);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), -EALREADY);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EALREADY);
	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.status, INV_COMPLETED);
	assert_int_equal(info.cancel.state, INV_CANCEL_DELIVERED);
}

static void the_canceller_is_on_record(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &invocation), 0);
	inv_invocation_id(invocation, id);
	assert_int_equal(inv_cancel(fixture->table, id, 0, "too hot"), 0);
	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.cancel.state, INV_CANCEL_REQUESTED);
	assert_int_equal(info.cancel.cause, INV_CAUSE_REQUESTED);
	assert_string_equal(info.cancel.reason, "too hot");
	assert_int_equal(info.cancel.pid, getpid());
	assert_int_equal(info.cancel.uid, geteuid());
	assert_memory_equal(info.cancel.command, program_invocation_short_name,
	                    strnlen(program_invocation_short_name, INV_COMMAND_BYTES - 1));
	assert_true(info.cancel.time_ns >= info.requested_ns);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
}

static int begin_and_stay(struct fixture *fixture, void *id)
{
	inv_invocation *invocation;

	signal(SIGTERM, SIG_DFL);
	if (inv_invocation_begin(fixture->table, id, NULL, &invocation) != 0)
		return 1;
	atomic_store(&fixture->counters[BEGUN], 1);
	return fixture_stay();
}

static void a_program_without_a_supervisor_is_signalled_itself(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		unsigned flags;
		int signum, wait_status;
	} rows[] = {
	        {INV_CANCEL_KILL, SIGKILL, 137},
	        {INV_CANCEL_SIGNAL, SIGTERM, 122},
	        {INV_CANCEL_WITH_SIGNAL(SIGUSR2), SIGUSR2, 122},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t id[16];
		fixture_id(id);
		atomic_store(&fixture->counters[BEGUN], 0);
		pid_t owner = fixture_fork(fixture, begin_and_stay, id);
		EVENTUALLY(atomic_load(&fixture->counters[BEGUN]));
		assert_int_equal(inv_cancel(fixture->table, id, rows[i].flags, NULL), 0);
		assert_int_equal(fixture_reap(fixture, owner), 256 + rows[i].signum);
		struct inv_info info = fixture_info(fixture, id);
		assert_int_equal(info.status, INV_CANCELLED);
		assert_int_equal(info.cause, INV_CAUSE_REQUESTED);
		assert_int_equal(info.wait_status, rows[i].wait_status);
	}
}

enum { ROWS = 50, STOP_AFTER = 7 };

struct seen {
	uint8_t ids[ROWS][16];
	int count[ROWS];
	int rows;
};

static int note_row(const struct inv_info *info, void *arg)
{
	struct seen *seen = arg;

	seen->rows++;
	for (int i = 0; i < ROWS; i++)
		seen->count[i] += memcmp(seen->ids[i], info->id, 16) == 0;
	return 0;
}

static int stop_early(const struct inv_info *info, void *arg)
{
	(void)info;
	return ++*(int *)arg == STOP_AFTER ? -EINTR : 0;
}

static void list_gives_each_once_live_and_finished(void **state)
{
	struct fixture *fixture = *state;
	inv_invocation *invocations[ROWS];
	struct seen seen = {0};
	int calls = 0;

	for (int i = 0; i < ROWS; i++) {
		fixture_id(seen.ids[i]);
		assert_int_equal(
		        inv_invocation_begin(fixture->table, seen.ids[i], NULL, &invocations[i]),
		        0);
	}
	for (int i = 0; i < ROWS; i += 2)
		assert_int_equal(inv_invocation_end(invocations[i], INV_COMPLETED), 0);
	assert_int_equal(inv_list(fixture->table, note_row, &seen), 0);
	assert_int_equal(seen.rows, ROWS);
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(seen.count[i], 1);
	assert_int_equal(inv_list(fixture->table, stop_early, &calls), -EINTR);
	assert_int_equal(calls, STOP_AFTER);
	for (int i = 1; i < ROWS; i += 2)
		assert_int_equal(inv_invocation_end(invocations[i], INV_COMPLETED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(begin_enters_a_context_and_end_records),
	        TABLE_TEST(without_a_name_it_has_the_programs),
	        TABLE_TEST(what_it_says_is_what_is_recorded),
	        TABLE_TEST(a_withdrawn_request_does_not_cancel),
	        TABLE_TEST(a_bad_outcome_does_nothing),
	        TABLE_TEST(an_id_still_in_the_table_is_refused),
	        TABLE_TEST(its_parent_is_the_current_invocation),
	        TABLE_TEST(ended_out_of_order_the_rest_stays),
	        TABLE_TEST(begin_takes_over_an_own_event),
	        TABLE_TEST(begin_does_not_take_over_anothers_event),
	        TABLE_TEST(another_thread_may_end_it),
	        TABLE_TEST(it_may_be_ended_when_its_thread_has),
	        TABLE_TEST(a_thread_asleep_in_an_ended_one_takes_no_others_request),
	        TABLE_TEST(a_forked_child_does_not_end_it),
	        TABLE_TEST(wait_returns_when_it_ends),
	        TABLE_TEST(a_killed_owner_is_recorded_as_lost),
	        TABLE_TEST(wait_for_what_left_no_record_is_enoent),
	        TABLE_TEST(cancel_tells_what_it_can_not_do),
	        TABLE_TEST(the_canceller_is_on_record),
	        TABLE_TEST(a_program_without_a_supervisor_is_signalled_itself),
	        TABLE_TEST(list_gives_each_once_live_and_finished),
	};

	return cmocka_run_group_tests_name("invocation", tests, NULL, NULL);
}
