/*
 * Group wake: one cancel that wakes many waiting processes, beside one bare FUTEX_WAKE
 * of as many: wake_many ROUNDS PROCESSES
 * From the call until the last of them runs. Before each the kernel is asked whether
 * all of them sleep. The same processes wait for either, in turn.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bare_futex.h"
#include "invctl.h"
#include "measure.h"

enum { PAGE = 4096 };

struct shared {
	/* What the bare ones wait on: the number of the wake. In a page of its own, as an event
	 * is: a thousand processes that each come to one page more are a twentieth slower. */
	_Atomic uint32_t bare;
	_Alignas(PAGE) _Atomic uint32_t turn; /* odd: wait on ours; even: on the bare word */
	_Atomic uint32_t awake;               /* since the last wake */
	_Atomic int64_t last_ns;
	_Atomic uint32_t all_awake;
};

static struct shared *shared;
static size_t count;
static pid_t *pids;

static void count_in(void)
{
	if (atomic_fetch_add(&shared->awake, 1) + 1 != count)
		return;
	shared->last_ns = measure_now_ns();
	shared->all_awake = 1;
	bare_wake(&shared->all_awake, 1);
}

static _Noreturn void wait_in_turn(const uint8_t id[16])
{
	inv_event *event;
	uint32_t turn = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	measure_require(inv_event_find(NULL, id, &event), "finding");
	for (;; turn++) {
		uint32_t seen = shared->bare;
		while (shared->turn == turn)
			bare_wait(&shared->turn, turn);
		if (turn % 2 == 0)
			while (inv_event_wait(event, INV_FOREVER) != 1)
				continue;
		else
			while (shared->bare == seen)
				bare_wait(&shared->bare, seen);
		count_in();
	}
}

static bool sleeps(pid_t pid)
{
	char path[40], text[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	char *state = length > 0 ? strrchr(text, ')') : NULL;
	return state && state[2] == 'S';
}

static void wait_until_all_sleep(void)
{
	for (size_t i = 0; i < count;) {
		if (sleeps(pids[i]))
			i++;
		else
			usleep(1000);
	}
}

/* Let them go to their next wait, and see them asleep in it. */
static void next_turn(void)
{
	shared->awake = 0;
	shared->all_awake = 0;
	wait_until_all_sleep(); /* before the turn */
	shared->turn++;
	bare_wake(&shared->turn, INT_MAX);
	/* A woken one does not count as asleep from then on until it sleeps again. */
	wait_until_all_sleep();
}

static double until_last_us(int64_t start_ns)
{
	while (!shared->all_awake)
		bare_wait(&shared->all_awake, 0);
	return (double)(shared->last_ns - start_ns) / 1000;
}

static double ours_us(inv_event *event, const uint8_t id[16])
{
	next_turn();
	int64_t start_ns = measure_now_ns();
	measure_require(inv_cancel(NULL, id, 0, NULL), "cancelling");
	double us = until_last_us(start_ns);
	measure_require(inv_event_clear(event), "clearing");
	return us;
}

static double bare_us(void)
{
	next_turn();
	int64_t start_ns = measure_now_ns();
	shared->bare++;
	bare_wake(&shared->bare, INT_MAX);
	return until_last_us(start_ns);
}

int main(int argc, char **argv)
{
	size_t rounds = measure_argument(argc, argv, 1, "ROUNDS PROCESSES");
	double *ours = measure_memory(calloc(rounds, sizeof(double)));
	double *bare = measure_memory(calloc(rounds, sizeof(double)));
	inv_event *event;
	uint8_t id[16];

	count = measure_argument(argc, argv, 2, "ROUNDS PROCESSES");
	pids = measure_memory(calloc(count, sizeof(*pids)));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	if (shared == MAP_FAILED)
		return 1;
	measure_id(21, 0, id);
	measure_require(inv_event_create(NULL, id, &event), "registering");
	for (size_t i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			wait_in_turn(id);
	}
	for (size_t i = 0; i < rounds; i++) {
		ours[i] = ours_us(event, id);
		bare[i] = bare_us();
	}
	measure_print("cancel wakes 1000", "us", ours, bare, rounds);
	for (size_t i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return 0;
}
