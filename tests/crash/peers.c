/*
 * The processes beside the victim: waiters, who must return whatever becomes of it; a
 * rival, who registers the same id; a helper, without whom the call would not return.
 */
#include "crash.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/futex.h"

enum { BRIEFLY_NS = 1000000 };

static int wait_for_event(struct scene *scene)
{
	inv_event *event;
	int error = inv_event_find(scene->table, scene->ids[0], &event);

	return error ? error : inv_event_wait(event, INV_FOREVER);
}

static int check_event(struct scene *scene)
{
	inv_event *event;
	int error = inv_event_find(scene->table, scene->ids[0], &event);

	return error ? error : inv_event_check(event);
}

static int wait_for_news(struct scene *scene)
{
	uint32_t seen = atomic_load(&scene->table->header->change_counter);

	broker_wait_notification(scene->table, &seen);
	return 1;
}

/* They must tell at last, however short each look. */
static int wait_briefly(struct scene *scene)
{
	inv_event *event;
	int result = inv_wait(scene->table, scene->ids[0], BRIEFLY_NS);

	while (result == -ETIMEDOUT)
		result = inv_wait(scene->table, scene->ids[0], BRIEFLY_NS);
	if (inv_event_find(scene->table, scene->ids[0], &event) == 0)
		while (inv_event_wait(event, BRIEFLY_NS) == 0)
			;
	return result;
}

static void waiter_main(struct scene *scene, int waiter)
{
	int result;

	atomic_store(&scene->board->entered[waiter], 1);
	switch (1u << waiter) {
	case WAITER_EVENT:
		result = wait_for_event(scene);
		break;
	case WAITER_END:
		result = inv_wait(scene->table, scene->ids[0], INV_FOREVER);
		break;
	case WAITER_CHECK:
		result = check_event(scene);
		break;
	case WAITER_BRIEF:
		result = wait_briefly(scene);
		break;
	default:
		result = wait_for_news(scene);
		break;
	}
	atomic_store(&scene->board->returned[waiter], result);
	_exit(0);
}

/* Asleep, or ended. */
static bool at_rest(pid_t pid)
{
	char path[40], text[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return true;
	size_t length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	const char *state = strrchr(text, ')');
	return state && (state[2] == 'S' || state[2] == 'Z');
}

static bool waiter_rests(struct scene *scene, int waiter)
{
	return atomic_load(&scene->board->entered[waiter]) && at_rest(scene->waiters[waiter]);
}

static int64_t until_ns(void)
{
	return clock_monotonic_ns() + PATIENCE_MS * INT64_C(1000000);
}

static bool comes_to_rest(struct scene *scene, int waiter)
{
	int64_t last_ns = until_ns();

	while (!waiter_rests(scene, waiter)) {
		if (clock_monotonic_ns() > last_ns)
			return false;
		sched_yield();
	}
	return true;
}

void waiters_start(struct scene *scene)
{
	for (int i = 0; i < WAITERS; i++) {
		if (!(scene->operation->waiters & 1u << i))
			continue;
		atomic_store(&scene->board->entered[i], 0);
		atomic_store(&scene->board->returned[i], NOT_YET);
		scene->waiters[i] = scene_fork();
		if (scene->waiters[i] == 0)
			waiter_main(scene, i);
		expect(scene, comes_to_rest(scene, i), "waiter %d does not come to rest", i);
	}
}

static bool ends(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	bool ended = poll(&end, 1, PATIENCE_MS) == 1;

	close(pidfd);
	return ended;
}

bool waiters_return(struct scene *scene, unsigned kinds)
{
	bool all = true;

	for (int i = 0; i < WAITERS; i++)
		if (scene->waiters[i] > 0 && kinds & 1u << i)
			all = ends(scene->waiters[i]) && all;
	return all;
}

void waiters_end(struct scene *scene)
{
	for (int i = 0; i < WAITERS; i++)
		scene_end_process(&scene->waiters[i]);
}

static void await_turn(struct board *board, uint32_t turn)
{
	uint32_t now;

	while ((now = atomic_load(&board->rival_turn)) < turn)
		futex_wait(&board->rival_turn, now, -1);
}

static void rival_main(struct scene *scene)
{
	struct board *board = scene->board;
	inv_event *event = NULL;

	for (uint32_t turn = 1; turn < 3; turn++) {
		await_turn(board, turn);
		if (event || atomic_load(&board->rival_turn) != turn)
			continue;
		atomic_store(&board->rival_answer[turn],
		             inv_event_create(scene->table, scene->ids[0], &event));
		atomic_fetch_add(&board->rival_answers, 1);
		futex_wake_all(&board->rival_answers);
	}
	await_turn(board, 3);
	inv_event_put(event);
	inv_close(scene->table);
	_exit(0);
}

int rival_tries(struct scene *scene, unsigned turn)
{
	struct board *board = scene->board;
	uint32_t answers = atomic_load(&board->rival_answers);

	atomic_store(&board->rival_turn, turn);
	futex_wake_all(&board->rival_turn);
	if (turn == 1) {
		scene->rival = scene_fork();
		if (scene->rival == 0)
			rival_main(scene);
	}
	while (atomic_load(&board->rival_answers) == answers) {
		if (futex_wait(&board->rival_answers, answers, until_ns()) == -ETIMEDOUT) {
			expect(scene, false, "the rival hangs");
			return NOT_YET;
		}
	}
	return atomic_load(&board->rival_answer[turn]);
}

void rival_leaves(struct scene *scene)
{
	if (scene->rival <= 0)
		return;
	atomic_store(&scene->board->rival_turn, 3);
	futex_wake_all(&scene->board->rival_turn);
	expect(scene, ends(scene->rival), "the rival hangs as it leaves");
	scene_end_process(&scene->rival);
}

void helper_start(struct scene *scene)
{
	if (!scene->operation->helper)
		return;
	scene->helper = scene_fork();
	if (scene->helper == 0) {
		scene->operation->helper(scene);
		_exit(0);
	}
}
