/*
 * A program linked with the library has no supervisor: it is signalled itself, by whoever
 * cancels it with --kill or --signal.
 *
 * The table says which process that is. It must be the caller's own user's, and use
 * the table. In a shared table that is not enough, since any member may have written it:
 * there the process's own ledger (ledger.c) must say the same of that slot, the id and what
 * it is nested in, and so must the ledgers of all programs between it and the target. What is
 * between and has a supervisor needs none: any member may have that one kill what it supervises.
 */
#include "protocol/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "table/ledger.h"
#include "table/owner.h"
#include "table/text.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* More levels than anybody nests; ends a walk along parents that damage made endless. */
enum { DEPTH_LIMIT = 256 };

static bool maps_table(const inv_table *table, pid_t pid)
{
	char path[40], line[512], wanted[64];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	snprintf(wanted, sizeof(wanted), " %02x:%02x %lu ", major(table->device),
	         minor(table->device), (unsigned long)table->inode);
	FILE *maps = fopen(path, "re");
	if (!maps)
		return false;
	while (!found && fgets(line, sizeof(line), maps))
		found = strstr(line, wanted) != NULL;
	fclose(maps);
	return found;
}

static bool same_user(pid_t pid)
{
	char path[40];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &status) == 0 && status.st_uid == geteuid();
}

static bool same_slot(struct slot_ref one, struct slot_ref other)
{
	return one.index == other.index && one.generation == other.generation;
}

/* What it is nested in, by the table. false: nothing that is there. */
static bool parent_slot(const inv_table *table, struct slot_ref ref, struct slot_ref *parent)
{
	uint64_t word = atomic_load(&table->slots[ref.index].parent_ref);
	uint64_t index = (word >> 32) - 1;

	if (word >> 32 == 0 || index >= table->geometry.slots)
		return false;
	*parent = (struct slot_ref){.index = (uint32_t)index, .generation = (uint32_t)word};
	return slot_word(table, *parent) != 0;
}

static bool ledger_entry_of(const inv_table *table, struct slot_ref ref, struct ledger_entry *entry)
{
	struct process_identity identity;
	uint64_t word = slot_word(table, ref);

	return control_state(word) == SLOT_LIVE &&
	       owner_read(table, control_owner(word), &identity) != 0 && same_user(identity.pid) &&
	       ledger_read(table, identity.pid, ref.index, entry);
}

/* Does what its owner wrote down bear out that it is the target, or nested in it? entry is
 * that of ref. */
static bool is_borne_out(const inv_table *table, struct slot_ref ref, struct ledger_entry entry,
                         const struct target *target)
{
	uint8_t id[16];

	if (same_slot(ref, target->ref))
		return memcmp(entry.id, target->id, sizeof(entry.id)) == 0;
	for (int depth = 0; depth < DEPTH_LIMIT; depth++) {
		words_load(table->ids[ref.index].half, 2, id);
		if (memcmp(entry.id, id, sizeof(id)) != 0 || !parent_slot(table, ref, &ref))
			return false;
		/* The target has been signalled already, and may be dead: its id tells. */
		if (same_slot(ref, target->ref))
			return memcmp(entry.parent, target->id, sizeof(entry.parent)) == 0;
		words_load(table->ids[ref.index].half, 2, id);
		if (memcmp(entry.parent, id, sizeof(id)) != 0)
			return false;
		if ((atomic_load(&table->slots[ref.index].flags) & SLOT_KIND_MASK) == INV_KIND_RUN)
			return true;
		if (!ledger_entry_of(table, ref, &entry))
			return false;
	}
	return false;
}

static bool may_signal(const inv_table *table, struct slot_ref ref, const struct target *target,
                       pid_t pid)
{
	struct ledger_entry entry;

	if (!same_user(pid))
		return false;
	if (!table->shared)
		return maps_table(table, pid);
	return ledger_read(table, pid, ref.index, &entry) &&
	       is_borne_out(table, ref, entry, target);
}

int program_signal(inv_table *table, struct slot_ref ref, const struct target *target, int signum)
{
	struct process_identity identity;
	uint64_t word = slot_word(table, ref);

	if (control_state(word) != SLOT_LIVE ||
	    owner_read(table, control_owner(word), &identity) == 0)
		return -ESTALE;
	int pidfd = process_open(&identity);
	if (pidfd < 0)
		return pidfd;
	int error = -EPERM;
	if (may_signal(table, ref, target, identity.pid)) {
		if (signum == SIGKILL)
			atomic_fetch_or(&table->slots[ref.index].flags, SLOT_KILLED);
		error = syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) == 0 ? 0 : -errno;
	}
	close(pidfd);
	return error;
}
