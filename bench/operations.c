/*
 * Performs one operation so many times: operations TABLE OPERATION COUNT
 * For counting instructions: the difference between two counts is the operation's
 * own, whatever starting costs. check, context-check, register, register-fresh, find, cancel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "api/broker.h"
#include "measure.h"

enum { LIVE = 1000 };

struct table {
	inv_table *table;
	inv_event *first; /* of those that live */
};

static void check(struct table *table, size_t i)
{
	(void)i;
	measure_require(inv_event_check(table->first), "checking");
}

static void context_check(struct table *table, size_t i)
{
	(void)table;
	(void)i;
	measure_require(inv_check(), "checking");
}

static void register_given(struct table *table, size_t i)
{
	inv_event *event;
	uint8_t id[16];

	measure_id(2, i, id);
	measure_require(inv_event_create(table->table, id, &event), "registering");
	inv_event_put(event);
}

static void register_fresh(struct table *table, size_t i)
{
	inv_context *context;

	(void)i;
	measure_require(inv_context_enter(table->table, NULL, &context), "registering");
	measure_require(inv_context_leave(context), "releasing");
}

static void find(struct table *table, size_t i)
{
	inv_event *event;
	uint8_t id[16];

	measure_id(1, i % LIVE, id);
	measure_require(inv_event_find(table->table, id, &event), "finding");
	inv_event_put(event);
}

static void cancel(struct table *table, size_t i)
{
	uint8_t id[16];

	measure_id(1, 0, id);
	measure_require(inv_cancel(table->table, id, 0, NULL), "cancelling");
	measure_require(inv_event_clear(table->first), "clearing");
	(void)i;
}

static const struct {
	const char *name;
	void (*perform)(struct table *table, size_t i);
} operations[] = {
        {"check", check},   {"context-check", context_check},
        {"find", find},     {"register", register_given},
        {"cancel", cancel}, {"register-fresh", register_fresh},
};

static void fill(struct table *table)
{
	inv_event *event;
	uint8_t id[16];

	for (size_t i = 0; i < LIVE; i++) {
		measure_id(1, i, id);
		measure_require(inv_event_create(table->table, id, &event), "filling");
		if (i == 0)
			table->first = event;
	}
}

static int perform(struct table *table, const char *name, size_t count)
{
	inv_context *context;
	int status = 2;

	measure_require(inv_context_enter(table->table, NULL, &context), "entering a context");
	for (size_t o = 0; o < sizeof(operations) / sizeof(operations[0]); o++) {
		if (strcmp(operations[o].name, name) != 0)
			continue;
		for (size_t i = 0; i < count; i++)
			operations[o].perform(table, i);
		status = 0;
	}
	measure_require(inv_context_leave(context), "leaving the context");
	return status;
}

int main(int argc, char **argv)
{
	size_t count = measure_argument(argc, argv, 3, "TABLE OPERATION COUNT");
	struct broker_create create = {.name = argv[1]};
	char object[INV_TABLE_NAME_BYTES + 1];
	struct table table = {0};
	bool created;

	measure_require(broker_open(&create, &table.table, &created), "the table");
	measure_require(broker_serve(table.table, INT64_C(300000000000)), "serving it");
	fill(&table);
	int status = perform(&table, argv[2], count);
	broker_unserve(table.table);
	snprintf(object, sizeof(object), "/%s", create.name);
	shm_unlink(object);
	inv_close(table.table);
	return status;
}
