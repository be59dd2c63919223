/*
 * The owners' entries: which process owns which slots.
 *
 * A slot's control word carries the index of its owner's entry from the moment
 * it is claimed, so that no half-made slot is anonymous. The entry itself can't
 * be anonymous either: its word is claimed with the pid in it.
 *
 *   word: | generation 24 | leased 1 | namespace tag 15 | pid 22 | state 2 |
 *
 *   FREE -> CLAIMED    by a process that enters; then it notifies the broker (notification.c)
 *                      and writes its identity
 *   CLAIMED -> ACTIVE  by the same: the identity counts from here
 *   CLAIMED, ACTIVE -> FREE (generation + 1)
 *                      by itself when it leaves; by a sweeper when it is dead and
 *                      no slot names it as its owner any more
 *
 * A SIGKILL after CLAIMED leaves an entry that is judged by its pid alone (and
 * freed when that pid is gone); after ACTIVE, one that is judged by the whole
 * identity. A pid counts only in its own PID namespace, which may have vanished
 * with it. So an owner whose namespace is not that of the table's maker holds a
 * lease (lease.h): taken before the entry is claimed and noted in the word that claims it,
 * given back after the entry is free. Seen from elsewhere it is dead when no process holds
 * the lease. A SIGKILL before the claim leaves nothing; a program that closes all its
 * descriptors is taken for dead there, its handles are stale, and its next registration
 * enters it anew. In the namespace of the table's maker there are no leases: what is left of
 * it when it has vanished can't be judged (owner_unseen).
 *
 * The header's owners_used is raised before an entry above it is claimed, and never
 * lowered: a SIGKILL in between costs a few reads of free entries.
 *
 * An index is used again, so a sweeper must not take the slots of the next
 * process behind it for those of the dead: it reads a slot's control word, and
 * after that verifies that the entry's word is still that of the dead (owner_still). While it
 * is, the process that the index named when the slot's word was read is the dead one; and a
 * slot's word never returns to a former value, because its generation counts up.
 */
#include "table/owner.h"

#include <errno.h>
#include <unistd.h>

#include "os/fork.h"
#include "os/pid_namespace.h"
#include "table/lease.h"
#include "table/notification.h"

enum { OWNER_FREE = 0, OWNER_CLAIMED = 1, OWNER_ACTIVE = 2, OWNER_STATE_MASK = 3 };
enum { OWNERS_USED_LEAST = 64, PROBES = 16 };
enum { PID_SHIFT = 2, NAMESPACE_SHIFT = 24, GENERATION_SHIFT = 40 };
#define PID_MASK UINT64_C(0x3fffff)
#define NAMESPACE_MASK UINT64_C(0x7fff)
#define OWNER_LEASED (UINT64_C(1) << 39)
#define GENERATION_STEP (UINT64_C(1) << GENERATION_SHIFT)
#define GENERATION_BITS (~(GENERATION_STEP - 1))

static uint64_t namespace_tag(void)
{
	return process_namespace() & NAMESPACE_MASK;
}

/* Where others could not see it die. Without a lease it stays as it is. */
static void open_lease(inv_table *table, const struct process_identity *self)
{
	if (self->namespace == 0 || self->namespace == table->header->namespace)
		return;
	int fd = lease_open(table);
	table->owner_fd = fd > 0 ? fd : 0;
}

static void close_lease(inv_table *table)
{
	if (table->owner_fd > 0)
		lease_close(table, table->owner_fd);
	table->owner_fd = 0;
}

/* The word by which the entry is this process's from now on; 0: it is another's. */
static uint64_t claim_entry(inv_table *table, uint32_t index, const struct process_identity *self)
{
	off_t lease = lease_of_owner(table, index);
	bool leased = table->owner_fd > 0;
	uint64_t word = atomic_load_explicit(&table->owners[index].word, memory_order_acquire);

	if ((word & OWNER_STATE_MASK) != OWNER_FREE)
		return 0;
	/* The lease first: an entry marked as leased is never without it while its owner lives. */
	if (leased && lease_take(table->owner_fd, lease) != 0)
		return 0;
	uint64_t claimed = (word & GENERATION_BITS) | (leased ? OWNER_LEASED : 0) |
	                   namespace_tag() << NAMESPACE_SHIFT |
	                   ((uint64_t)self->pid & PID_MASK) << PID_SHIFT | OWNER_CLAIMED;
	if (atomic_compare_exchange_strong(&table->owners[index].word, &word, claimed))
		return claimed;
	if (leased)
		lease_give_back(table->owner_fd, lease);
	return 0;
}

static bool try_claim(inv_table *table, uint32_t index, const struct process_identity *self)
{
	struct owner_entry *entry = &table->owners[index];
	uint64_t claimed = claim_entry(table, index, self);

	if (claimed == 0)
		return false;
	/* Now, while it owns nothing: if it is killed before the broker wakes, nothing is lost. */
	notify_broker(table);
	atomic_store_explicit(&entry->start, self->start, memory_order_release);
	atomic_store_explicit(&entry->namespace, (uint32_t)self->namespace, memory_order_release);
	atomic_store_explicit(&entry->pidfs, self->pidfs, memory_order_release);
	atomic_store_explicit(&entry->image, self->image, memory_order_release);
	uint64_t active = claimed ^ OWNER_CLAIMED ^ OWNER_ACTIVE;
	if (!atomic_compare_exchange_strong(&entry->word, &claimed, active)) {
		if (table->owner_fd > 0)
			lease_give_back(table->owner_fd, lease_of_owner(table, index));
		return false;
	}
	table->owner = index;
	table->owner_word = active;
	table->owner_process = (uint64_t)geteuid() << 32 | (uint64_t)self->pid;
	table->process = fork_generation();
	return true;
}

uint32_t owner_last(const inv_table *table)
{
	uint32_t last = table->geometry.owners - 1;
	uint32_t used = atomic_load(&table->header->owners_used);

	if (used < OWNERS_USED_LEAST)
		used = OWNERS_USED_LEAST;
	return used < last ? used : last;
}

/* Before an entry above it is taken, so that a search for owners misses none. */
static void use_up_to(inv_table *table, uint32_t index)
{
	uint32_t used = atomic_load(&table->header->owners_used);

	while (used < index &&
	       !atomic_compare_exchange_weak(&table->header->owners_used, &used, index))
		;
}

/* A search for owners reads all entries that were ever used, so few are: the next half is
 * begun when a few neighbours in the first are taken. */
static bool claim_any(inv_table *table, const struct process_identity *self)
{
	const uint32_t last = table->geometry.owners - 1;
	uint32_t used = owner_last(table);

	for (;;) {
		/* processes start in different places; entry 0 is no owner */
		uint32_t start = (uint32_t)self->pid * UINT32_C(2654435761) % used;
		uint32_t probes = used < last ? PROBES : last;
		for (uint32_t i = 0; i < probes; i++)
			if (try_claim(table, 1 + (start + i) % used, self))
				return true;
		if (used == last)
			return false;
		used = used > last / 2 ? last : 2 * used;
		use_up_to(table, used);
	}
}

bool owner_entered(const inv_table *table)
{
	return table->owner != 0 && table->process == fork_generation() &&
	       owner_still(table, table->owner, table->owner_word);
}

int owner_enter(inv_table *table)
{
	struct process_identity self;

	if (owner_entered(table))
		return 0;
	close_lease(table);
	table->owner = 0;
	table->owned = 0;
	int error = process_self(&self);
	if (error)
		return error;
	open_lease(table, &self);
	if (claim_any(table, &self))
		return 0;
	close_lease(table);
	return -ENOSPC;
}

void owner_leave(inv_table *table, bool free_entry)
{
	if (free_entry)
		owner_free(table, table->owner, table->owner_word);
	close_lease(table);
	table->owner = 0;
}

void owner_fork_child(inv_table *table)
{
	close_lease(table);
}

uint64_t owner_read(const inv_table *table, uint32_t index, struct process_identity *identity)
{
	if (index == 0 || index >= table->geometry.owners)
		return 0;
	struct owner_entry *entry = &table->owners[index];
	uint64_t word = atomic_load_explicit(&entry->word, memory_order_acquire);
	unsigned state = word & OWNER_STATE_MASK;

	*identity = (struct process_identity){.pid = (pid_t)(word >> PID_SHIFT & PID_MASK)};
	if (state == OWNER_CLAIMED) {
		/* Its identity is not written yet: the pid is all there is, and
		 * only of this namespace. */
		bool here = (word >> NAMESPACE_SHIFT & NAMESPACE_MASK) == namespace_tag();
		identity->namespace = here ? process_namespace() : UINT64_MAX;
		return word;
	}
	if (state != OWNER_ACTIVE)
		return 0;
	identity->start = atomic_load_explicit(&entry->start, memory_order_acquire);
	identity->namespace = atomic_load_explicit(&entry->namespace, memory_order_acquire);
	identity->pidfs = atomic_load_explicit(&entry->pidfs, memory_order_acquire);
	identity->image = atomic_load_explicit(&entry->image, memory_order_acquire);
	return owner_still(table, index, word) ? word : 0;
}

bool owner_leased(uint64_t word)
{
	return (word & OWNER_LEASED) != 0;
}

enum process_life owner_judge(const inv_table *table, uint32_t index, uint64_t word,
                              const struct process_identity *identity)
{
	bool here = identity->namespace == process_namespace();

	if (!owner_leased(word) || (here && (word & OWNER_STATE_MASK) == OWNER_ACTIVE))
		return process_life(identity);
	int held = lease_owner_held(table, index);
	return held > 0 ? PROCESS_ALIVE : held == 0 ? PROCESS_DEAD : PROCESS_UNKNOWN;
}

bool owner_unseen(const inv_table *table, uint32_t index, uint64_t namespace)
{
	struct process_identity identity;
	uint64_t word = owner_read(table, index, &identity);

	return word != 0 && !owner_leased(word) && identity.namespace != namespace;
}

enum process_life owner_life(const inv_table *table, uint32_t index, uint64_t *word)
{
	struct process_identity identity;

	*word = owner_read(table, index, &identity);
	if (*word == 0) {
		/* A free entry owns nothing: a slot that names it has no owner
		 * at all, which only damage can bring about. */
		if (index >= table->geometry.owners)
			return PROCESS_DEAD;
		*word = atomic_load(&table->owners[index].word);
		return (*word & OWNER_STATE_MASK) == OWNER_FREE ? PROCESS_DEAD : PROCESS_UNKNOWN;
	}
	if (index == table->owner && *word == table->owner_word &&
	    table->process == fork_generation())
		return PROCESS_ALIVE;
	return owner_judge(table, index, *word, &identity);
}

bool owner_still(const inv_table *table, uint32_t index, uint64_t word)
{
	return index >= table->geometry.owners || atomic_load(&table->owners[index].word) == word;
}

void owner_free(inv_table *table, uint32_t index, uint64_t word)
{
	uint64_t freed = (word & GENERATION_BITS) + GENERATION_STEP;

	if (index == 0 || index >= table->geometry.owners ||
	    (word & OWNER_STATE_MASK) == OWNER_FREE)
		return;
	atomic_compare_exchange_strong(&table->owners[index].word, &word, freed);
}
