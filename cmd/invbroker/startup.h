/*
 * From a name to a table that this process serves, alone.
 */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdbool.h>

#include "api/broker.h"
#include "invbroker/options.h"
#include "invbroker/readiness.h"

struct serving {
	inv_table *table;
	int listener; /* the bound socket; -1: another user sits on its name */
	bool created; /* else there was a live table, which was taken over */
	struct inv_table_info info;
};

/* 0; -1 and *readiness tells why not: which may be that another broker serves it. Then
 * startup_withdraw is still to be called. */
int startup_serve(const struct options *options, struct serving *serving,
                  struct readiness *readiness);

/* It can't be served after all: give it up, and remove it if it was made just now. */
void startup_withdraw(struct serving *serving);

#endif
