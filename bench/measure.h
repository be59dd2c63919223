/*
 * Measuring ours and a yardstick in turn, for every benchmark program.
 *
 * A round times one after the other, and the next round in the other order, so that
 * what the machine does meanwhile falls on both alike. Programs print samples; bench/run
 * makes ratios and medians of them.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* Does something count times. */
typedef void measured(void *arg, size_t count);

struct pair {
	const char *what; /* the row of the table that it is for */
	measured *ours, *beside;
	void *ours_arg, *beside_arg;
	size_t rounds;
	size_t count; /* operations in a round, of each */
};

/* Measure a pair and print its samples: nanoseconds an operation. */
void measure_pair(const struct pair *pair);

/* Samples that were taken otherwise, as a line of JSON. */
void measure_print(const char *what, const char *unit, const double *ours, const double *beside,
                   size_t count);

/* CLOCK_MONOTONIC. */
int64_t measure_now_ns(void);

/* The id of number i in a sequence that every program computes alike. */
void measure_id(uint64_t sequence, uint64_t i, uint8_t id[16]);

/* A number below limit: the same sequence in each run. */
uint64_t measure_random(uint64_t *state, uint64_t limit);

/* Keep the calling process on one processor; with only one there is, no move. */
void measure_pin(int processor);

/* The number in an argument, or the program ends with a usage message. */
size_t measure_argument(int argc, char **argv, int index, const char *usage);

/* End the program if a call of the library has failed. */
void measure_require(int error, const char *what);

/* The same, of malloc(3) and its kind. */
void *measure_memory(void *memory);

#endif
