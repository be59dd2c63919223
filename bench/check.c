/*
 * Group check: a check that finds nothing, beside an acquire load, both behind a
 * shared library's call: check ROUNDS
 * Warm, one thread. The table has one live event.
 */
#include "invctl.h"
#include "measure.h"
#include "yardstick.h"

static int answers;

static void event_check(void *arg, size_t count)
{
	inv_event *event = arg;

	for (size_t i = 0; i < count; i++)
		answers |= inv_event_check(event);
}

static void context_check(void *arg, size_t count)
{
	(void)arg;
	for (size_t i = 0; i < count; i++)
		answers |= inv_check();
}

static void load(void *arg, size_t count)
{
	const _Atomic uint64_t *word = arg;

	for (size_t i = 0; i < count; i++)
		answers |= yardstick_load(word);
}

int main(int argc, char **argv)
{
	size_t rounds = measure_argument(argc, argv, 1, "ROUNDS");
	static _Atomic uint64_t word;
	inv_context *context;
	inv_event *event;

	measure_require(inv_context_enter(NULL, NULL, &context), "entering a context");
	measure_require(inv_event_get(NULL, NULL, &event), "its event");

	struct pair pair = {.what = "inv_event_check",
	                    .ours = event_check,
	                    .ours_arg = event,
	                    .beside = load,
	                    .beside_arg = &word,
	                    .rounds = rounds,
	                    .count = 100000};

	measure_pair(&pair);
	pair.what = "inv_check";
	pair.ours = context_check;
	measure_pair(&pair);
	inv_event_put(event);
	measure_require(inv_context_leave(context), "leaving the context");
	return answers;
}
