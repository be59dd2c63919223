/* Sections of an action during which a request waits: see shield.c. */
#ifndef SHIELD_H
#define SHIELD_H

#include "table/slot.h"

/* A shield that holds, or one whose limit has run out while its process lives. */
struct shield {
	pid_t pid; /* of its process; 0: that is in another PID namespace */
	int64_t age_ns;
	int64_t limit_ns; /* INV_FOREVER: none */
	bool ran_out;
};

/* Does a shield of this registration, or of one that it is nested in, hold? */
bool shield_holds(const inv_table *table, struct slot_ref ref);

/* The same, and which one (limit_ns 0: of a finish command, which has none); where none holds, the
 * first one whose limit has run out, if any: then false, and shield->ran_out. */
bool shield_find(const inv_table *table, struct slot_ref ref, struct shield *shield);

/* The processes of the caller's PID namespace whose shields of this registration hold; returns how
 * many they are. */
int shield_processes(const inv_table *table, struct slot_ref ref, pid_t pids[SHIELD_HOLDERS]);

/* A process of the caller's PID namespace shields it, for limit_ns at most (INV_FOREVER: no limit).
 * 0; -EAGAIN too many processes, or too deep; -ESRCH there is no such process; -ESTALE. */
int shield_begin(inv_table *table, struct slot_ref ref, pid_t pid, int64_t limit_ns);

/* 0; 1 its limit had run out before; -EINVAL it does not shield it. */
int shield_end(inv_table *table, struct slot_ref ref, pid_t pid);

#endif
