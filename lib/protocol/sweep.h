/* Cleaning up after the dead: see sweep.c. */
#ifndef SWEEP_H
#define SWEEP_H

#include "invctl-supervisor.h"
#include "table/table.h"

/* Called with each orphan that the calling process has taken over. */
typedef void sweep_adopt(inv_invocation *orphan, void *arg);

/* Sweep after one owner that is dead or leaves: entry index, as judged by word.
 * Without adopt, orphans whose action lives are left as they are.
 * Returns how many slots still name it as their owner. */
size_t sweep_owner(inv_table *table, uint32_t index, uint64_t word, sweep_adopt *adopt, void *arg);

/* Sweep after every owner that is dead. true: one of them is done
 * with, and its entry free. */
bool sweep_dead(inv_table *table, sweep_adopt *adopt, void *arg);

/* The same for those among these that are dead. */
bool sweep_owners(inv_table *table, const uint32_t *indices, size_t count, sweep_adopt *adopt,
                  void *arg);

/* Close the event of a slot in SLOT_DONE, whose recorder was killed before it did. */
void sweep_ended(inv_table *table, uint32_t index, uint64_t word);

/* Sweep one slot, if its owner is dead. true: it was. */
bool sweep_slot(inv_table *table, uint32_t index);

/* The same for whoever asks about one invocation. A broker that serves sees owners end,
 * but not one that executes another program: a supervisor never does, others may. */
bool sweep_before_answer(inv_table *table, uint32_t index, bool served);

/* Sweep one slot whose control word was read as word and whose owner was judged by
 * owner_word after that. false: it stays (an orphan's action lives). */
bool sweep_one(inv_table *table, uint32_t index, uint64_t word, uint64_t owner_word,
               sweep_adopt *adopt, void *arg);

#endif
