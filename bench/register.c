/*
 * Group register: register and release, beside one system call; and two processes at
 * once, beside one: register ROUNDS
 * Warm: 1024 given ids in turn, and of two processes sixteen each; for comparison 1024 each,
 * where half of the cache lines are still the other processor's. The table is otherwise empty.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invctl.h"
#include "measure.h"

enum { IDS = 1024, FEW_IDS = 16, BATCH = 64, WORKERS = 2 };
enum work { WORK_FEW_IDS, WORK_MANY_IDS, WORK_PRIVATE };
#define WINDOW_NS INT64_C(60000000)

static uint8_t ids[IDS][16];
static _Atomic uint64_t answers;

static void given_id(void *arg, size_t count)
{
	inv_event *event;

	(void)arg;
	for (size_t i = 0; i < count; i++) {
		measure_require(inv_event_create(NULL, ids[i % IDS], &event), "registering");
		inv_event_put(event);
	}
}

static void fresh_id(void *arg, size_t count)
{
	inv_context *context;

	(void)arg;
	for (size_t i = 0; i < count; i++) {
		measure_require(inv_context_enter(NULL, NULL, &context), "registering");
		measure_require(inv_context_leave(context), "releasing");
	}
}

static void system_call(void *arg, size_t count)
{
	uint64_t sum = 0;

	(void)arg;
	for (size_t i = 0; i < count; i++)
		sum += (uint64_t)getppid();
	answers += sum;
}

/* What two processors can do at best: work in registers alone. */
static void private_work(void *arg, size_t count)
{
	uint64_t state = 1, sum = 0;

	(void)arg;
	for (size_t i = 0; i < 100 * count; i++)
		sum += measure_random(&state, 1000);
	answers += sum;
}

/* Shared by the workers and the one who counts. */
struct shared {
	_Atomic uint32_t working; /* a bit for each worker that is to work */
	_Atomic int work;         /* enum work */
	struct {
		_Alignas(64) _Atomic uint64_t done;
	} worker[WORKERS];
};

static void register_in_turn(size_t among)
{
	static size_t turn;
	inv_event *event;

	for (size_t i = 0; i < BATCH; i++) {
		measure_require(inv_event_create(NULL, ids[turn++ % among], &event), "registering");
		inv_event_put(event);
	}
}

static _Noreturn void worker(struct shared *shared, int number)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	measure_pin(number);
	for (size_t i = 0; i < IDS; i++)
		measure_id(10 + (uint64_t)number, i, ids[i]);
	for (;;) {
		/* The one that is not to work leaves its processor alone. */
		if (!(shared->working >> number & 1)) {
			usleep(200);
			continue;
		}
		if (shared->work == WORK_PRIVATE)
			private_work(NULL, BATCH);
		else
			register_in_turn(shared->work == WORK_FEW_IDS ? FEW_IDS : IDS);
		shared->worker[number].done += BATCH;
	}
}

static uint64_t done(const struct shared *shared)
{
	uint64_t sum = 0;

	for (int i = 0; i < WORKERS; i++)
		sum += shared->worker[i].done;
	return sum;
}

/* Operations a millisecond while those of the mask work. */
static double throughput(struct shared *shared, uint32_t mask)
{
	shared->working = mask;
	usleep(1000);
	uint64_t before = done(shared);
	int64_t start_ns = measure_now_ns();
	usleep(WINDOW_NS / 1000);
	double rate = (double)(done(shared) - before) * 1e6 / (double)(measure_now_ns() - start_ns);
	shared->working = 0;
	usleep(1000);
	return rate;
}

static void two_at_once(struct shared *shared, enum work work, const char *what, size_t rounds)
{
	double *two = measure_memory(calloc(rounds, sizeof(double)));
	double *one = measure_memory(calloc(rounds, sizeof(double)));

	shared->work = work;
	for (size_t i = 0; i < rounds; i++) {
		if (i % 2 == 0)
			two[i] = throughput(shared, 3);
		one[i] = throughput(shared, 1u << (i / 2 % WORKERS));
		if (i % 2 == 1)
			two[i] = throughput(shared, 3);
	}
	measure_print(what, "a millisecond", two, one, rounds);
	free(two);
	free(one);
}

static void measure_two(size_t rounds)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WORKERS];

	if (shared == MAP_FAILED)
		return;
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			worker(shared, i);
	}
	two_at_once(shared, WORK_FEW_IDS, "register from two", rounds);
	two_at_once(shared, WORK_MANY_IDS, "register many from two", rounds);
	two_at_once(shared, WORK_PRIVATE, "private work of two", rounds);
	for (int i = 0; i < WORKERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

int main(int argc, char **argv)
{
	size_t rounds = measure_argument(argc, argv, 1, "ROUNDS");
	struct pair pair = {.what = "register given",
	                    .ours = given_id,
	                    .beside = system_call,
	                    .rounds = rounds,
	                    .count = 4096};

	for (size_t i = 0; i < IDS; i++)
		measure_id(9, i, ids[i]);
	measure_pair(&pair);
	pair.what = "register fresh";
	pair.ours = fresh_id;
	measure_pair(&pair);
	/* The kernel tells only so often who waits; a window is sixty milliseconds. */
	measure_two(rounds / 4 + 1);
	return 0;
}
