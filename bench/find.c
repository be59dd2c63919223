/*
 * Group find: find a live event by its id, beside one system call; and, for comparison, beside
 * a private open-addressing table of as many entries at the same load: find ROUNDS LIVE
 * In random order, so cold for what the caches can't hold. Ours finds, makes a
 * handle and gives it back; the private table only finds the place of the entry.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "invctl.h"
#include "measure.h"

struct entry {
	uint64_t id[2];
	uint64_t value;   /* 0: free */
	uint64_t padding; /* two entries a cache line, none across two */
};

static inv_table *table;
static size_t live;
static struct entry *entries;
static size_t entry_count;
static uint64_t answers;

static size_t place_of(const uint64_t id[2])
{
	uint64_t hash = (id[0] ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);

	hash = (hash ^ hash >> 32 ^ id[1]) * UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(((hash ^ hash >> 32) & UINT32_MAX) * entry_count >> 32);
}

static struct entry *search(const uint64_t id[2])
{
	for (size_t place = place_of(id);; place = place + 1 < entry_count ? place + 1 : 0)
		if (entries[place].value == 0 ||
		    (entries[place].id[0] == id[0] && entries[place].id[1] == id[1]))
			return &entries[place];
}

static void fill(void)
{
	uint64_t id[2];

	entry_count = live * 118 / 100;
	entries =
	        measure_memory(aligned_alloc(64, (entry_count * sizeof(*entries) + 63) / 64 * 64));
	memset(entries, 0, entry_count * sizeof(*entries));
	for (size_t i = 0; i < live; i++) {
		measure_id(1, i, (uint8_t *)id);
		*search(id) = (struct entry){.id = {id[0], id[1]}, .value = i + 1};
	}
}

static void ours(void *arg, size_t count)
{
	uint64_t *state = arg;
	inv_event *event;
	uint8_t id[16];

	for (size_t i = 0; i < count; i++) {
		measure_id(1, measure_random(state, live), id);
		measure_require(inv_event_find(table, id, &event), "finding");
		inv_event_put(event);
	}
}

static void system_call(void *arg, size_t count)
{
	(void)arg;
	for (size_t i = 0; i < count; i++)
		answers += (uint64_t)getppid();
}

static void private_table(void *arg, size_t count)
{
	uint64_t *state = arg;
	uint64_t id[2];

	for (size_t i = 0; i < count; i++) {
		measure_id(1, measure_random(state, live), (uint8_t *)id);
		answers += search(id)->value;
	}
}

int main(int argc, char **argv)
{
	size_t rounds = measure_argument(argc, argv, 1, "ROUNDS LIVE");
	uint64_t ours_state = 1, beside_state = 2;

	live = measure_argument(argc, argv, 2, "ROUNDS LIVE");
	bool few = live < 100000;
	measure_require(inv_open(&table, NULL, 0), "the table");
	fill();
	struct pair pair = {.what = few ? "find in 50,000" : "find in 1,000,000",
	                    .ours = ours,
	                    .ours_arg = &ours_state,
	                    .beside = system_call,
	                    .beside_arg = &beside_state,
	                    .rounds = rounds,
	                    .count = 10000};
	measure_pair(&pair);
	pair.what = few ? "find in 50,000, private" : "find in 1,000,000, private";
	pair.beside = private_table;
	measure_pair(&pair);
	free(entries);
	inv_close(table);
	return answers == 0;
}
