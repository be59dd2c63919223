/* The processes that own slots: see owner.c. */
#ifndef OWNER_H
#define OWNER_H

#include "os/process.h"
#include "table/table.h"

/* Enter this process, once. The caller holds table->lock. 0; -ENOSPC all entries
 * are taken: by the living, or by dead owners that a sweep would free. */
int owner_enter(inv_table *table);

/* This process is entered, and was not taken for dead since. */
bool owner_entered(const inv_table *table);

/* Give up this process's entry; it is freed unless a slot still names it. */
void owner_leave(inv_table *table, bool free_entry);

/* The last entry that may be taken: entries 1 to this one are the owners. */
uint32_t owner_last(const inv_table *table);

/* The process of an entry: its word, or 0 (the entry is free, or changed while it was read). */
uint64_t owner_read(const inv_table *table, uint32_t index, struct process_identity *identity);

/* It holds a lease: it can be judged from other PID namespaces too. */
bool owner_leased(uint64_t word);

/* Does it live, judged by what owner_read gave? */
enum process_life owner_judge(const inv_table *table, uint32_t index, uint64_t word,
                              const struct process_identity *identity);

/* An owner whose death can't be seen from that PID namespace. */
bool owner_unseen(const inv_table *table, uint32_t index, uint64_t namespace);

/* In a forked child, under table->lock: what the parent holds is not the child's. */
void owner_fork_child(inv_table *table);

/* Does the owner live? *word is what it was judged by, for owner_still and owner_free. */
enum process_life owner_life(const inv_table *table, uint32_t index, uint64_t *word);

/* The entry is still that of the process that was judged. */
bool owner_still(const inv_table *table, uint32_t index, uint64_t word);

/* Free a dead owner's entry, once nothing refers to it. */
void owner_free(inv_table *table, uint32_t index, uint64_t word);

#endif
