/*
 * Contract 4.15, pauses: a check or a sleep stops until it is resumed, and the time that a sleep
 * has left does not run down; is_set, wait and the descriptor never stop; a request, the end and
 * the owner's death end it; inside a shield nothing stops; what is nested is paused, too.
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/handle.h"
#include "invctl-supervisor.h"
#include "os/clock.h"
#include "protocol/pause.h"
#include "table/event_word.h"

enum { ROUNDS = 300, GONE = 9 };

static inv_invocation *begin(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *invocation;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "scan", &invocation), 0);
	inv_invocation_id(invocation, id);
	return invocation;
}

/* It has checked. */
static inv_invocation *begin_cooperative(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(inv_check(), 0);
	return invocation;
}

static inv_invocation *begin_run(struct fixture *fixture, const uint8_t *parent, uint8_t id[16])
{
	struct inv_run_options options = {
	        .parent = parent, .name = "run", .deadline_ns = INV_FOREVER, .signal = SIGTERM};
	inv_invocation *run;

	assert_int_equal(inv_run_register(fixture->table, &options, &run), 0);
	inv_invocation_id(run, id);
	return run;
}

static void end_run(inv_invocation *run)
{
	inv_run_end(run, &(struct inv_run_result){.not_started = 1});
}

static bool is_paused(struct fixture *fixture, const uint8_t id[16])
{
	return fixture_info(fixture, id).paused;
}

/* counters: 0 about to call, 1 returned, 2 its result */
static int report(struct fixture *fixture, int result)
{
	atomic_store(&fixture->counters[2], result);
	atomic_store(&fixture->counters[1], 1);
	return result == 0 ? 0 : result == -ECANCELED ? 1 : result == -ESTALE ? GONE : 3;
}

static int check_in_child(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_find(fixture->table, id, &event) != 0)
		return 4;
	atomic_store(&fixture->counters[0], 1);
	return report(fixture, inv_event_check(event));
}

static int sleep_in_child(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_find(fixture->table, id, &event) != 0)
		return 4;
	atomic_store(&fixture->counters[0], 1);
	return report(fixture, inv_event_sleep(event, INV_FOREVER));
}

static pid_t stopped_child(struct fixture *fixture, uint8_t id[16])
{
	pid_t child = fixture_fork(fixture, check_in_child, id);

	EVENTUALLY(atomic_load(&fixture->counters[0]) && fixture_asleep(child, child));
	return child;
}

static void a_check_stops_until_it_is_resumed(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);

	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	assert_true(is_paused(fixture, id));
	pid_t child = stopped_child(fixture, id);
	assert_int_equal(atomic_load(&fixture->counters[1]), 0);
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	assert_int_equal(fixture_reap(fixture, child), 0);
	assert_false(is_paused(fixture, id));
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	assert_int_equal(inv_check(), 0);
	inv_invocation_end(invocation, INV_COMPLETED);
}

static void a_request_ends_the_pause(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);

	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	pid_t child = stopped_child(fixture, id);
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(fixture_reap(fixture, child), 1);
	assert_false(is_paused(fixture, id));
	/* Delivered: it may carry on, and be paused again. A pending request refuses a pause. */
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	inv_event_set(inv_invocation_event(invocation), NULL);
	assert_int_equal(inv_pause(fixture->table, id, 0), -ECANCELED);
	assert_int_equal(inv_event_clear(inv_invocation_event(invocation)), 0);
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	assert_int_equal(inv_event_clear(inv_invocation_event(invocation)), 0);
	assert_true(is_paused(fixture, id));
	inv_invocation_end(invocation, INV_COMPLETED);
	assert_int_equal(fixture_info(fixture, id).paused, 0);
	assert_int_equal(inv_pause(fixture->table, id, 0), -EALREADY);
	assert_int_equal(inv_resume(fixture->table, id, 0), -EALREADY);
}

static void the_end_wakes_what_is_stopped(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);

	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	pid_t child = stopped_child(fixture, id);
	inv_invocation_end(invocation, INV_COMPLETED);
	assert_int_equal(fixture_reap(fixture, child), GONE);
}

static int own_and_check_once(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_create(fixture->table, id, &event) != 0 || inv_event_check(event) != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[5], 1);
	return fixture_stay();
}

static void the_owners_death_ends_the_pause(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, own_and_check_once, id);
	EVENTUALLY(atomic_load(&fixture->counters[5]) == 1);
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	pid_t child = stopped_child(fixture, id);
	fixture_kill(fixture, owner);
	assert_int_equal(fixture_reap(fixture, child), GONE);
}

static void only_check_and_sleep_stop(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);
	inv_event *event = inv_invocation_event(invocation);
	int fd = inv_event_fd(event);

	assert_true(fd >= 0);
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(inv_event_is_set(event), 0);
	assert_int_equal(inv_event_wait(event, MILLISECOND), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_event_is_set(event), 1);
	assert_int_equal(inv_event_wait(event, INV_FOREVER), 1);
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1), 1);
	close(fd);
	inv_invocation_end(invocation, INV_CANCELLED);
}

static int pass(void *arg)
{
	(void)arg;
	return 0;
}

/* A thread that ends is joined all the same: joining is no check. */
static void a_join_does_not_stop(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);
	inv_thread *thread;
	int result;

	assert_int_equal(inv_thread_start(&thread, fixture->table, pass, NULL), 0);
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	assert_int_equal(inv_thread_join_propagate(thread, &result), 0);
	inv_invocation_end(invocation, INV_COMPLETED);
}

static void nothing_stops_inside_a_shield(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], inner_id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id), *inner;

	assert_int_equal(inv_shield_begin(), 0);
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_sleep(MILLISECOND), 0);
	inner = begin_cooperative(fixture, inner_id);
	assert_true(is_paused(fixture, inner_id));
	assert_int_equal(inv_check(), 0);
	inv_invocation_end(inner, INV_COMPLETED);
	assert_int_equal(inv_shield_end(), 0);
	pid_t child = stopped_child(fixture, id);
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	assert_int_equal(fixture_reap(fixture, child), 0);
	inv_invocation_end(invocation, INV_COMPLETED);
}

struct sleeper {
	inv_event *event;
	int64_t slept_ns;
	_Atomic int result;
};

enum { NOT_YET = 1 };

static void *sleep_for_a_while(void *arg)
{
	struct sleeper *sleeper = arg;
	int64_t since_ns = clock_monotonic_ns();
	int result = inv_event_sleep(sleeper->event, 300 * MILLISECOND);

	sleeper->slept_ns = clock_monotonic_ns() - since_ns;
	atomic_store(&sleeper->result, result);
	return NULL;
}

/* The sleep takes its time and that of the pause, of which it has noticed all: the pause wakes it.
 * No upper bound is claimed. */
static void what_a_sleep_has_left_does_not_run_down(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);
	struct sleeper sleeper = {.event = inv_invocation_event(invocation), .result = NOT_YET};
	struct slot_ref ref = sleeper.event->ref;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, sleep_for_a_while, &sleeper), 0);
	EVENTUALLY(event_word_load(fixture->table, ref) & EVENT_WAITED);
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	int64_t paused_at_ns = clock_monotonic_ns();
	/* Twice the sleep's length. */
	EVENTUALLY(clock_monotonic_ns() - paused_at_ns > 600 * MILLISECOND);
	assert_int_equal(atomic_load(&sleeper.result), NOT_YET);
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&sleeper.result), 0);
	assert_true(sleeper.slept_ns > 850 * MILLISECOND);
	inv_invocation_end(invocation, INV_COMPLETED);
}

static _Atomic int handled;

static void handle(int signum)
{
	(void)signum;
	handled = 1;
}

static int check_with_handler(struct fixture *fixture, void *id)
{
	struct sigaction action = {.sa_handler = handle};
	inv_event *event;

	sigaction(SIGUSR1, &action, NULL);
	if (inv_event_find(fixture->table, id, &event) != 0)
		return 4;
	atomic_store(&fixture->counters[0], 1);
	return inv_event_check(event) == -EINTR && handled ? 7 : 1;
}

static void a_handler_interrupts(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);

	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	pid_t child = fixture_fork(fixture, check_with_handler, id);
	EVENTUALLY(atomic_load(&fixture->counters[0]) && fixture_asleep(child, child));
	kill(child, SIGUSR1);
	assert_int_equal(fixture_reap(fixture, child), 7);
	inv_invocation_end(invocation, INV_COMPLETED);
}

static void note_id(const uint8_t id[16], void *arg)
{
	memcpy(arg, id, 16);
}

static void what_never_checks_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], outer_id[16], named[16] = {0};
	inv_invocation *outer = begin_cooperative(fixture, outer_id);
	inv_invocation *invocation = begin(fixture, id);

	assert_int_equal(inv_pause(fixture->table, id, 0), -EOPNOTSUPP);
	/* it has no supervisor */
	assert_int_equal(inv_pause(fixture->table, id, INV_PAUSE_STOP_PROCESSES), -EOPNOTSUPP);
	assert_false(is_paused(fixture, id));
	assert_int_equal(inv_pause(fixture->table, id, 2), -EINVAL);
	assert_int_equal(inv_resume(fixture->table, id, 1), -EINVAL);
	fixture_id(named);
	assert_int_equal(inv_pause(fixture->table, named, 0), -ENOENT);
	assert_int_equal(inv_resume(fixture->table, named, 0), -ENOENT);
	/* A descendant goes on until its first check, and is named. */
	assert_int_equal(inv_pause_report(fixture->table, outer_id, 0, note_id, named), 0);
	assert_memory_equal(named, id, 16);
	assert_true(is_paused(fixture, outer_id) && is_paused(fixture, id));
	inv_invocation_end(invocation, INV_COMPLETED);
	inv_invocation_end(outer, INV_COMPLETED);
}

static void descendants_are_paused_and_resumed(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[3][16];
	inv_invocation *invocations[3];

	for (int i = 0; i < 3; i++)
		invocations[i] = begin_cooperative(fixture, ids[i]);
	assert_int_equal(inv_pause(fixture->table, ids[1], 0), 0);
	assert_false(is_paused(fixture, ids[0]));
	assert_true(is_paused(fixture, ids[1]) && is_paused(fixture, ids[2]));
	/* Each is resumed by itself, or with its parent. */
	assert_int_equal(inv_resume(fixture->table, ids[2], 0), 0);
	assert_true(is_paused(fixture, ids[1]) && !is_paused(fixture, ids[2]));
	assert_int_equal(inv_pause(fixture->table, ids[0], 0), 0);
	assert_true(is_paused(fixture, ids[0]) && is_paused(fixture, ids[2]));
	assert_int_equal(inv_resume(fixture->table, ids[0], 0), 0);
	for (int i = 0; i < 3; i++)
		assert_false(is_paused(fixture, ids[i]));
	for (int i = 2; i >= 0; i--)
		inv_invocation_end(invocations[i], INV_COMPLETED);
}

static void what_starts_in_a_paused_one_is_paused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], nested_id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);

	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	inv_invocation *nested = begin_run(fixture, id, nested_id);
	assert_true(is_paused(fixture, nested_id));
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	assert_false(is_paused(fixture, nested_id));
	end_run(nested);
	inv_invocation_end(invocation, INV_COMPLETED);
}

/* Registers one in each round, and ends it when the round is over. counters: 0 the round,
 * 1 registered in it, 2 the round that is over. */
static int register_in_rounds(struct fixture *fixture, void *parent)
{
	struct inv_run_options options = {
	        .parent = parent, .name = "run", .deadline_ns = INV_FOREVER};
	inv_invocation *run;

	for (int round = 1; round <= ROUNDS; round++) {
		while (atomic_load(&fixture->counters[0]) < round)
			;
		if (inv_run_register(fixture->table, &options, &run) != 0)
			return 1;
		atomic_store(&fixture->counters[1], round);
		while (atomic_load(&fixture->counters[2]) < round)
			usleep(10);
		end_run(run);
		atomic_store(&fixture->counters[3], round);
	}
	return 0;
}

struct nested {
	uint8_t parent[16];
	int paused, others;
};

static int count_nested(const struct inv_info *info, void *arg)
{
	struct nested *nested = arg;

	if (memcmp(info->parent, nested->parent, 16) != 0 || info->completed_ns != 0)
		return 0;
	nested->paused += info->paused;
	nested->others += !info->paused;
	return 0;
}

/* However a registration races a pause or a resume, it ends as its parent. */
static void a_registration_that_races_is_as_its_parent(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);
	pid_t child = fixture_fork(fixture, register_in_rounds, id);

	for (int round = 1; round <= ROUNDS; round++) {
		struct nested nested = {.paused = 0};
		bool pause = round % 2 == 1;
		if (!pause)
			assert_int_equal(inv_pause(fixture->table, id, 0), 0);
		atomic_store(&fixture->counters[0], round);
		assert_int_equal(pause ? inv_pause(fixture->table, id, 0)
		                       : inv_resume(fixture->table, id, 0),
		                 0);
		EVENTUALLY(atomic_load(&fixture->counters[1]) == round);
		memcpy(nested.parent, id, 16);
		assert_int_equal(inv_list(fixture->table, count_nested, &nested), 0);
		assert_int_equal(nested.paused, pause);
		assert_int_equal(nested.others, !pause);
		assert_int_equal(inv_resume(fixture->table, id, 0), 0);
		atomic_store(&fixture->counters[2], round);
		EVENTUALLY(atomic_load(&fixture->counters[3]) == round);
	}
	assert_int_equal(fixture_reap(fixture, child), 0);
	inv_invocation_end(invocation, INV_COMPLETED);
}

/* The supervisor's mark: set with the pause, and cleared by the supervisor alone, unless another
 * pause has come since. */
static void the_supervisor_stops_and_continues_what_never_checks(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *run = begin_run(fixture, NULL, id);
	struct inv_run_view view;

	assert_int_equal(inv_pause(fixture->table, id, 0), -EOPNOTSUPP);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_false(view.paused || view.stop);
	assert_int_equal(inv_pause(fixture->table, id, INV_PAUSE_STOP_PROCESSES), 0);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_true(view.paused && view.stop);
	/* A request ends the pause, and leaves the mark. */
	assert_int_equal(inv_cancel(fixture->table, id, 0, NULL), 0);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_true(!view.paused && view.stop && view.pending);
	assert_int_equal(inv_run_take(run), 1);
	/* Another pause comes while the processes are continued. */
	assert_int_equal(inv_pause(fixture->table, id, INV_PAUSE_STOP_PROCESSES), 0);
	inv_run_continued(run);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_true(view.paused && view.stop);
	/* A resume is for what a signal has stopped, too. */
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_true(!view.paused && view.stop);
	inv_run_continued(run);
	assert_int_equal(inv_run_view(run, &view), 0);
	assert_false(view.stop);
	end_run(run);
}

static int note_record(int64_t time_ns, int level, const char *text, void *arg)
{
	char(*texts)[128] = arg;

	(void)time_ns;
	(void)level;
	if (texts[0][0] != '\0')
		texts++;
	strncpy(texts[0], text, sizeof(texts[0]) - 1);
	return 0;
}

static void the_log_says_who_it_was(void **state)
{
	struct fixture *fixture = *state;
	char texts[2][128] = {"", ""};
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);

	inv_actor_set(&(struct inv_actor){
	        .command = "invctl", .terminal = "pts/3", .script = "night.sh"});
	assert_int_equal(inv_pause(fixture->table, id, 0), 0);
	inv_actor_set(&(struct inv_actor){.command = "token", .address = "192.0.2.1"});
	assert_int_equal(inv_resume(fixture->table, id, 0), 0);
	inv_actor_set(&(struct inv_actor){0});
	assert_int_equal(inv_log_read(fixture->table, id, note_record, texts), 0);
	assert_non_null(strstr(texts[0], "paused by invctl, pid "));
	assert_non_null(strstr(texts[0], ", on pts/3, called by night.sh"));
	assert_non_null(strstr(texts[1], "resumed by token, pid "));
	assert_non_null(strstr(texts[1], ", for 192.0.2.1"));
	inv_invocation_end(invocation, INV_COMPLETED);
}

/* A pauser or resumer that is killed between its swap and its wake costs a slice. */
static void a_lost_wake_is_made_good(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation = begin_cooperative(fixture, id);
	shared_u64 *word = &fixture->table->event[inv_invocation_event(invocation)->ref.index];
	pid_t sleeper = fixture_fork(fixture, sleep_in_child, id);

	EVENTUALLY(atomic_load(&fixture->counters[0]) && fixture_asleep(sleeper, sleeper));
	atomic_fetch_or(word, EVENT_PAUSED);
	fixture_kill(fixture, sleeper);
	atomic_store(&fixture->counters[0], 0);
	pid_t child = stopped_child(fixture, id);
	atomic_fetch_and(word, ~EVENT_PAUSED);
	assert_int_equal(fixture_reap(fixture, child), 0);
	inv_invocation_end(invocation, INV_COMPLETED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_check_stops_until_it_is_resumed),
	        TABLE_TEST(a_request_ends_the_pause),
	        TABLE_TEST(the_end_wakes_what_is_stopped),
	        TABLE_TEST(the_owners_death_ends_the_pause),
	        TABLE_TEST(only_check_and_sleep_stop),
	        TABLE_TEST(a_join_does_not_stop),
	        TABLE_TEST(nothing_stops_inside_a_shield),
	        TABLE_TEST(what_a_sleep_has_left_does_not_run_down),
	        TABLE_TEST(a_handler_interrupts),
	        TABLE_TEST(what_never_checks_is_refused),
	        TABLE_TEST(descendants_are_paused_and_resumed),
	        TABLE_TEST(what_starts_in_a_paused_one_is_paused),
	        TABLE_TEST(a_registration_that_races_is_as_its_parent),
	        TABLE_TEST(the_supervisor_stops_and_continues_what_never_checks),
	        TABLE_TEST(the_log_says_who_it_was),
	        TABLE_TEST(a_lost_wake_is_made_good),
	};

	return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
