/*
 * The live invocations of `invctl run` other than the one that is supervised: which
 * processes they claim, and which of them are nested in it and may be killed with it.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "invctl.h"

struct claim {
	uint8_t id[16];
	uint8_t parent[16];
	pid_t supervisor; /* 0: it is dead */
	pid_t command;    /* 0: not started */
	bool no_kill;
	bool nested;   /* in the supervised one, at any depth */
	bool killable; /* nested, and neither it nor what lies between has no_kill */
};

struct claim_pid {
	pid_t pid;
	int claim;
};

struct claims {
	struct claim *items; /* in the order of their ids */
	size_t count;
	struct claim_pid *pids; /* in the order of the pids */
	size_t pid_count;
	inv_table *table;
	const uint8_t *supervised; /* the id of the invocation that makes no claim */
};

/* Read them from the table. A table that is gone makes no claims. 0; -ENOMEM. */
int claims_read(struct claims *claims, inv_table *table, const uint8_t supervised[16]);

void claims_free(struct claims *claims);

/* Which one has that supervisor or command, or that id; -1: none. */
int claims_by_pid(const struct claims *claims, pid_t pid);
int claims_by_id(const struct claims *claims, const uint8_t id[16]);

#endif
