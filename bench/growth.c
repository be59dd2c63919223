/*
 * Group growth: what each operation costs with so many live invocations in one table,
 * and the broker's work: growth NAME CAPACITY
 * Reads numbers from standard input; fills the table up to each, and prints a line of
 * JSON of medians in nanoseconds. Ends, and removes the table, with its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "api/broker.h"
#include "measure.h"

enum { ROUNDS = 15, OPERATIONS = 1000, SCANS = 5 };

struct growth {
	inv_table *table;
	size_t live;
	uint64_t state;
	size_t listed;
};

static void register_and_release(struct growth *growth)
{
	inv_event *event;
	uint8_t id[16];

	measure_id(3, measure_random(&growth->state, UINT32_MAX), id);
	measure_require(inv_event_create(growth->table, id, &event), "registering");
	inv_event_put(event);
}

static void find(struct growth *growth)
{
	inv_event *event;
	uint8_t id[16];

	measure_id(1, measure_random(&growth->state, growth->live), id);
	measure_require(inv_event_find(growth->table, id, &event), "finding");
	inv_event_put(event);
}

static void cancel(struct growth *growth)
{
	uint8_t id[16];

	measure_id(1, measure_random(&growth->state, growth->live), id);
	measure_require(inv_cancel(growth->table, id, 0, NULL), "cancelling");
}

static int count_row(const struct inv_info *info, void *arg)
{
	struct growth *growth = arg;

	growth->listed += info->status == INV_PENDING || info->status == INV_RUNNING;
	return 0;
}

static void list(struct growth *growth)
{
	growth->listed = 0;
	measure_require(inv_list(growth->table, count_row, growth), "listing");
	if (growth->listed != growth->live)
		exit(1);
}

static void forget(const uint8_t id[16], void *arg)
{
	(void)id;
	(void)arg;
}

static void retire(struct growth *growth)
{
	struct broker_retirement pass = {0};

	broker_retire(growth->table, &pass, INT64_C(300000000000), INV_FOREVER, forget, NULL);
}

static void sweep(struct growth *growth)
{
	broker_sweep(growth->table, NULL, NULL);
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return one < other ? -1 : one > other;
}

static double median_ns(void (*operation)(struct growth *), struct growth *growth, size_t rounds,
                        size_t count)
{
	double samples[ROUNDS];

	for (size_t round = 0; round < rounds; round++) {
		int64_t start_ns = measure_now_ns();
		for (size_t i = 0; i < count; i++)
			operation(growth);
		samples[round] = (double)(measure_now_ns() - start_ns) / (double)count;
	}
	qsort(samples, rounds, sizeof(samples[0]), compare);
	return samples[rounds / 2];
}

static void fill(struct growth *growth, size_t live)
{
	inv_event *event;
	uint8_t id[16];

	for (; growth->live < live; growth->live++) {
		measure_id(1, growth->live, id);
		measure_require(inv_event_create(growth->table, id, &event), "filling the table");
	}
}

static void measure(struct growth *growth)
{
	static const struct {
		const char *name;
		void (*operation)(struct growth *);
		size_t rounds, count;
	} rows[] = {
	        {"register", register_and_release, ROUNDS, OPERATIONS},
	        {"find", find, ROUNDS, OPERATIONS},
	        {"cancel", cancel, ROUNDS, OPERATIONS},
	        {"list", list, SCANS, 1},
	        {"retire", retire, SCANS, 1},
	        {"sweep", sweep, SCANS, 1},
	};

	printf("{\"live\": %zu", growth->live);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf(", \"%s\": %.0f", rows[i].name,
		       median_ns(rows[i].operation, growth, rows[i].rounds, rows[i].count));
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct broker_create create = {
	        .capacity = (uint32_t)measure_argument(argc, argv, 2, "NAME CAPACITY")};
	char object[INV_TABLE_NAME_BYTES + 1], line[32];
	struct growth growth = {0};
	bool created;

	create.name = argv[1];
	measure_require(broker_open(&create, &growth.table, &created), "the table");
	measure_require(broker_serve(growth.table, INT64_C(300000000000)), "serving it");
	while (fgets(line, sizeof(line), stdin)) {
		fill(&growth, strtoul(line, NULL, 10));
		measure(&growth);
	}
	broker_unserve(growth.table);
	snprintf(object, sizeof(object), "/%s", create.name);
	shm_unlink(object);
	return 0;
}
