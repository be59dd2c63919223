/*
 * The requests of stop-all: a hold on every table that can be reached, and a request to all that is
 * live there. See stop_tables.c.
 */
#ifndef STOP_TABLES_H
#define STOP_TABLES_H

#include <stdbool.h>

#include "common/command.h"
#include "common/other_version.h"

struct stop_table {
	char name[INV_TABLE_NAME_BYTES];
	uint32_t uid;     /* whose it is */
	uint64_t epoch;   /* of the table that got the requests: another one may take its name */
	inv_table *table; /* NULL: it is not open, as it can't be, or descriptors are few */
	int error;        /* why it could not be reached; 0: it is on hold */
	bool ours;        /* the one that the command line means */
};

/* One that was requested to stop. */
struct stop_target {
	struct supervised run; /* id and name; where only its run file shows it, all of it */
	const struct stop_table *table; /* NULL: only its run file shows it */
	bool ended;
};

struct stop {
	const struct globals *globals;
	const char *reason; /* may be NULL */

	struct stop_table *tables; /* fixed */
	size_t table_count;
	size_t tables_unlisted; /* there was no room for these: they are on hold, and requested */

	struct stop_target *targets;
	size_t count;
	size_t unlisted; /* there was no memory for these: they are requested */
	bool incomplete; /* not all tables could be searched for, or a request failed: it was said
	                  */
};

/* Put up the holds and make the requests. Nothing that may take its time comes before them. */
void stop_tables(struct stop *stop);

/* Start a broker for each table that has none: it acts where a supervisor is dead. */
void stop_have_brokers(const struct stop *stop);

/* The table of one, open; NULL where it can't be opened any more, or another has its name. */
inv_table *stop_table_open(const struct stop *stop, const struct stop_table *table);

#endif
