/*
 * A program linked with the library has no supervisor: the process that cancels it with --kill
 * or --signal signals it.
 *
 * The table says which process that is. It must be the caller's own user's, and have the
 * table mapped. In a shared table any member of the group may have written that, so there no
 * program is signalled.
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

#include "table/owner.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

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

int program_signal(inv_table *table, struct slot_ref ref, int signum)
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
	if (!table->shared && same_user(identity.pid) && maps_table(table, identity.pid)) {
		if (signum == SIGKILL)
			atomic_fetch_or(&table->slots[ref.index].flags, SLOT_KILLED);
		error = syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) == 0 ? 0 : -errno;
	}
	close(pidfd);
	return error;
}
