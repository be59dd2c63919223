/* Measuring in turn: see measure.h. */
#include "measure.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "invctl.h"

int64_t measure_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double each_ns(measured *run, void *arg, size_t count)
{
	int64_t start_ns = measure_now_ns();

	run(arg, count);
	return (double)(measure_now_ns() - start_ns) / (double)count;
}

static void print_samples(const char *key, const double *samples, size_t count)
{
	printf("\"%s\": [", key);
	for (size_t i = 0; i < count; i++)
		printf("%s%.3f", i ? ", " : "", samples[i]);
	printf("]");
}

void measure_print(const char *what, const char *unit, const double *ours, const double *beside,
                   size_t count)
{
	printf("{\"what\": \"%s\", \"unit\": \"%s\", ", what, unit);
	print_samples("ours", ours, count);
	printf(", ");
	print_samples("beside", beside, count);
	printf("}\n");
	fflush(stdout);
}

void measure_pair(const struct pair *pair)
{
	double *ours = measure_memory(calloc(pair->rounds, sizeof(double)));
	double *beside = measure_memory(calloc(pair->rounds, sizeof(double)));

	/* warm: code, caches and page tables of both */
	pair->ours(pair->ours_arg, pair->count);
	pair->beside(pair->beside_arg, pair->count);
	for (size_t i = 0; i < pair->rounds; i++) {
		if (i % 2 == 0)
			ours[i] = each_ns(pair->ours, pair->ours_arg, pair->count);
		beside[i] = each_ns(pair->beside, pair->beside_arg, pair->count);
		if (i % 2 == 1)
			ours[i] = each_ns(pair->ours, pair->ours_arg, pair->count);
	}
	measure_print(pair->what, "ns", ours, beside, pair->rounds);
	free(ours);
	free(beside);
}

/* splitmix64 */
static uint64_t scramble(uint64_t number)
{
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

void measure_id(uint64_t sequence, uint64_t i, uint8_t id[16])
{
	uint64_t halves[2] = {scramble(sequence << 40 ^ (2 * i + 2)),
	                      scramble(sequence << 40 ^ (2 * i + 3))};

	memcpy(id, halves, 16);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

uint64_t measure_random(uint64_t *state, uint64_t limit)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return (scramble(*state) >> 32) * limit >> 32;
}

void measure_pin(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

size_t measure_argument(int argc, char **argv, int index, const char *usage)
{
	char *end = NULL;
	unsigned long long number = index < argc ? strtoull(argv[index], &end, 10) : 0;

	if (!end || *end || number == 0) {
		fprintf(stderr, "usage: %s %s\n", argv[0], usage);
		exit(2);
	}
	return (size_t)number;
}

void measure_require(int error, const char *what)
{
	if (error >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, inv_strerror(error));
	exit(1);
}

void *measure_memory(void *memory)
{
	if (memory)
		return memory;
	perror("bench");
	exit(1);
}
