/*
 * From a name to a table whose lease this process holds.
 */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdbool.h>

#include "api/broker.h"
#include "invbroker/options.h"
#include "invbroker/readiness.h"

struct serving {
	inv_table *table;
	int listener; /* the socket; -1: another process has its name */
	bool created; /* else there was a live table, which was taken over */
	struct inv_table_info info;
};

/* Make the table or attach to it, and take its lease. 0; -1 and *readiness tells why not, which
 * may be that another broker holds the lease. Then startup_withdraw must be called. */
int startup_serve(const struct options *options, struct serving *serving,
                  struct readiness *readiness);

/* The start has failed: give the table up, and remove it if it was made just now. */
void startup_withdraw(struct serving *serving);

#endif
