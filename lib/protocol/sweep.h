/* Cleaning up after dead owners: see sweep.c. */
#ifndef SWEEP_H
#define SWEEP_H

#include "table/table.h"

/* Called with each invocation of `run` whose supervisor is dead, by its slot and control word.
 * true: the calling process has taken it over. */
typedef bool sweep_adopt(inv_table *table, uint32_t index, uint64_t word, void *arg);

/* Sweep after one owner that is dead or leaves: entry index, as judged by word.
 * Without adopt, orphans whose action lives are left as they are.
 * Returns how many slots still name it as their owner. */
size_t sweep_owner(inv_table *table, uint32_t index, uint64_t word, sweep_adopt *adopt, void *arg);

/* Sweep after every owner that is dead. true: one of them is done with, and its entry free. */
bool sweep_dead(inv_table *table, sweep_adopt *adopt, void *arg);

/* The same for those among these that are dead. */
bool sweep_owners(inv_table *table, const uint32_t *indices, size_t count, sweep_adopt *adopt,
                  void *arg);

/* For a new broker: sweep after every dead owner, also after one whose entry was freed already,
 * and wake the waiters of all that has ended. */
void sweep_recover(inv_table *table, sweep_adopt *adopt, void *arg);

/* Sweep one slot, if its owner is dead. true: it was. */
bool sweep_slot(inv_table *table, uint32_t index);

/* The same before a question about one invocation is answered. A broker sees owners end, but not
 * one that executes another program: a supervisor never does, others may.
 *   watched  a broker watches the owners */
bool sweep_before_answer(inv_table *table, uint32_t index, bool watched);

#endif
