/*
 * A laboratory action in C: a (simulated) stage that visits positions.
 *
 *   build/examples/stage [POSITIONS]
 *
 * It needs no `invctl run` around it: it is an invocation itself, which `invctl list`
 * shows and `invctl cancel stage` requests to stop. A move between two positions must not be
 * cut, so it is shielded: the request waits, and the next check takes it. However it
 * ends, the stage is parked first. Exits 122 where it was requested to stop.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include <invctl.h>

enum { POSITIONS_DEFAULT = 100, POSITIONS_MAX = 100000 };
enum { EXIT_USAGE = 2, EXIT_CANCELLED = 122, EXIT_FAILED = 125 };
static const int64_t STEP_NS = INT64_C(20000000);
static const int64_t SETTLE_NS = INT64_C(100000000);

static int stage_mm;

/* One millimetre at a time. A sleep in a shield is slept in full. */
static int drive(int target_mm)
{
	int error = 0;

	while (stage_mm != target_mm && !error) {
		stage_mm += stage_mm < target_mm ? 1 : -1;
		error = inv_sleep(STEP_NS);
	}
	return error;
}

static int move_shielded(int target_mm)
{
	int error = inv_shield_begin();

	if (error)
		return error;
	error = drive(target_mm);
	int end_error = inv_shield_end();
	return error ? error : end_error;
}

/* 0; -ECANCELED requested to stop; another negative error. */
static int visit(int positions)
{
	int error = 0;

	for (int i = 1; i <= positions && !error; i++) {
		error = move_shielded(stage_mm < 5 ? stage_mm + 3 : 0);
		if (!error)
			error = inv_check();
		if (!error)
			error = inv_log(LOG_INFO, "position %d of %d at %d mm", i, positions,
			                stage_mm);
		if (!error)
			error = inv_progress(100.0 * i / positions, "visiting");
		if (!error)
			error = inv_sleep(SETTLE_NS);
	}
	return error;
}

/* Shielded too: a second request must not leave it half-way. */
static void park(void)
{
	int error = move_shielded(0);

	if (error)
		fprintf(stderr, "stage: not parked: %s\n", inv_strerror(error));
	else
		puts("stage: parked at 0 mm");
	inv_log(LOG_NOTICE, "%s at %d mm", error ? "stuck" : "parked", stage_mm);
}

/* How many positions; 0 where the command line is not as it should be. */
static int positions_of(int argc, char **argv)
{
	char *end;

	if (argc < 2)
		return POSITIONS_DEFAULT;
	long positions = strtol(argv[1], &end, 10);
	bool good = argc == 2 && *end == '\0' && positions > 0 && positions <= POSITIONS_MAX;
	return good ? (int)positions : 0;
}

int main(int argc, char **argv)
{
	int positions = positions_of(argc, argv);
	inv_invocation *invocation;

	if (positions == 0) {
		fputs("usage: stage [POSITIONS]\n", stderr);
		return EXIT_USAGE;
	}
	int error = inv_invocation_begin(NULL, NULL, "stage", &invocation);
	if (error) {
		fprintf(stderr, "stage: can't begin: %s\n", inv_strerror(error));
		return EXIT_FAILED;
	}
	error = visit(positions);
	park();
	if (error && error != -ECANCELED)
		fprintf(stderr, "stage: %s\n", inv_strerror(error));
	int end_error = inv_invocation_end(invocation, error);
	if (error == -ECANCELED)
		return EXIT_CANCELLED;
	return error || end_error ? EXIT_FAILURE : EXIT_SUCCESS;
}
