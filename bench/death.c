/*
 * How soon the death of an owner is known while so many pairs of a parent and a child that have
 * ended come to be retired: death PAIRS WINDOWS
 *
 * A window makes the pairs, and has owners killed one after the other until the broker has
 * retired them all, and for WINDOW_NS at least. From each SIGKILL until inv_wait returns. Prints
 * the slowest of each window in microseconds, as a JSON array.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invctl-supervisor.h"
#include "measure.h"

#define WINDOW_NS INT64_C(2000000000)

static void make_pairs(size_t pairs)
{
	for (size_t i = 0; i < pairs; i++) {
		inv_invocation *parent, *child;

		measure_require(inv_invocation_begin(NULL, NULL, "parent", &parent), "a parent");
		measure_require(inv_invocation_begin(NULL, NULL, "child", &child), "a child");
		measure_require(inv_invocation_end(child, INV_COMPLETED), "its end");
		measure_require(inv_invocation_end(parent, INV_COMPLETED), "its parent's end");
	}
}

static _Noreturn void own(const uint8_t id[16], int ready)
{
	inv_invocation *invocation;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	measure_require(inv_invocation_begin(NULL, id, "owner", &invocation), "registering");
	if (write(ready, "", 1) != 1)
		exit(1);
	for (;;)
		pause();
}

static double kill_one_us(size_t number)
{
	uint8_t id[16];
	int ready[2];
	char byte;

	measure_id(4, number, id);
	if (pipe(ready) != 0)
		exit(1);
	pid_t pid = fork();
	if (pid == 0)
		own(id, ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		exit(1);
	int64_t start_ns = measure_now_ns();
	kill(pid, SIGKILL);
	int status = inv_wait(NULL, id, INV_FOREVER);
	double us = (double)(measure_now_ns() - start_ns) / 1000;
	measure_require(status < 0 ? status : 0, "waiting");
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	return us;
}

/* What has ended in this window beside the pairs is not due yet. */
static bool pairs_are_retired(size_t deaths)
{
	struct inv_table_info info;

	measure_require(inv_table_info_get(NULL, &info), "the table");
	return info.finished <= deaths;
}

static double slowest_us(size_t pairs)
{
	static size_t number;
	double slowest = 0;
	size_t first = number;

	make_pairs(pairs);
	int64_t start_ns = measure_now_ns();
	do {
		double us = kill_one_us(number++);
		if (us > slowest)
			slowest = us;
	} while (measure_now_ns() - start_ns < WINDOW_NS || !pairs_are_retired(number - first));
	return slowest;
}

int main(int argc, char **argv)
{
	size_t pairs = measure_argument(argc, argv, 1, "PAIRS WINDOWS");
	size_t windows = measure_argument(argc, argv, 2, "PAIRS WINDOWS");

	for (size_t i = 0; i < windows; i++)
		printf("%s%.1f", i == 0 ? "[" : ", ", slowest_us(pairs));
	puts("]");
	return 0;
}
