/*
 * Waiting until the transcript of an invocation has grown, or the invocation has ended. inotify(7)
 * watches its files, and the directory for new ones; a thread waits for the end in the table. What
 * can't be watched is read again four times a second.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "invctl.h"

struct follow {
	inv_table *table;
	const char *table_name;
	uint8_t id[16];
	int notify, end; /* inotify; an eventfd; -1: not available */
	_Atomic bool ended;
};

/* table: NULL where it has ended already. Never fails. */
void follow_begin(struct follow *follow, inv_table *table, const char *table_name,
                  const uint8_t id[16]);

/* To be called before each reading: what comes later ends the next wait. true: the invocation has
 * ended, so that this reading is the last. */
bool follow_arm(struct follow *follow);

/* Wait. false: the reader of stdout is gone. */
bool follow_wait(struct follow *follow);

#endif
