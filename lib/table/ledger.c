/*
 * The ledger of an owner: proof, for whoever is about to signal it, that it owns what a
 * shared table says it owns.
 *
 * A program that is itself an action has no supervisor; --kill and --signal reach the
 * process that the table names as the owner. Any member of a shared table's group can write
 * any process of the canceller's there, and have the canceller kill it. So in a
 * shared table each such owner notes what it registers in an anonymous file of its own, an
 * entry for each slot, and strikes it out at the end. The file is found through
 * /proc/PID/fd, which the kernel opens to the process's own user alone: no other member
 * can write to it, or put another in its place. Its head names the process and the
 * table, so that a forked child, which has the descriptor too, is not taken for the owner.
 *
 * In a private table nobody else can write, and no ledger is kept.
 */
#include "table/ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fork.h"
#include "os/process.h"

#define LEDGER_NAME "invctl-ledger"
#define LEDGER_TARGET "/memfd:" LEDGER_NAME " (deleted)"

enum { PATH_BYTES = 320 }; /* /proc/PID/fd/ and any name */

struct ledger_head {
	uint64_t pid;
	uint64_t start;
	uint64_t device;
	uint64_t inode;
};

static struct ledger_head head_of(const inv_table *table, pid_t pid)
{
	return (struct ledger_head){.pid = (uint64_t)pid,
	                            .start = process_start(pid),
	                            .device = table->device,
	                            .inode = table->inode};
}

static off_t entry_at(uint32_t index)
{
	return (off_t)(sizeof(struct ledger_head) + (size_t)index * sizeof(struct ledger_entry));
}

/* A file that may not grow so far is not begun: the kernel would not refuse, but signal. */
static bool may_grow(const inv_table *table)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	       (limit.rlim_cur == RLIM_INFINITY ||
	        limit.rlim_cur > (rlim_t)entry_at(table->geometry.slots));
}

/* What a parent began before a fork is the parent's. */
static bool begun(const inv_table *table)
{
	return table->ledger_fd > 0 && table->ledger_process == fork_generation();
}

static void begin(inv_table *table)
{
	struct ledger_head head = head_of(table, getpid());

	ledger_close(table);
	int fd = may_grow(table) ? memfd_create(LEDGER_NAME, MFD_CLOEXEC) : -1;
	if (fd < 0)
		return;
	table->ledger_fd = fd;
	table->ledger_process = fork_generation();
	if (pwrite(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		ledger_close(table);
}

void ledger_close(inv_table *table)
{
	if (table->ledger_fd > 0)
		close(table->ledger_fd);
	table->ledger_fd = 0;
}

static void put(inv_table *table, uint32_t index, const struct ledger_entry *entry)
{
	if (pwrite(table->ledger_fd, entry, sizeof(*entry), entry_at(index)) !=
	    (ssize_t)sizeof(*entry))
		ledger_close(table);
}

void ledger_enter(inv_table *table, uint32_t index, const uint8_t id[16], const uint8_t *parent)
{
	struct ledger_entry entry = {0};

	if (!table->shared)
		return;
	if (!begun(table))
		begin(table);
	if (!begun(table))
		return;
	memcpy(entry.id, id, sizeof(entry.id));
	if (parent)
		memcpy(entry.parent, parent, sizeof(entry.parent));
	put(table, index, &entry);
}

void ledger_strike(inv_table *table, uint32_t index)
{
	static const struct ledger_entry nothing;

	if (begun(table))
		put(table, index, &nothing);
}

/* From a descriptor of that process; false: it is no ledger, or of another process or table. */
static bool read_entry(const char *path, const struct ledger_head *head, uint32_t index,
                       struct ledger_entry *entry)
{
	static const struct ledger_entry nothing;
	struct ledger_head found;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	bool good = pread(fd, &found, sizeof(found), 0) == (ssize_t)sizeof(found) &&
	            memcmp(&found, head, sizeof(found)) == 0 &&
	            pread(fd, entry, sizeof(*entry), entry_at(index)) == (ssize_t)sizeof(*entry) &&
	            memcmp(entry, &nothing, sizeof(nothing)) != 0;
	close(fd);
	return good;
}

static bool is_ledger(const char *path)
{
	char target[sizeof(LEDGER_TARGET) + 1];
	ssize_t length = readlink(path, target, sizeof(target));

	return length == (ssize_t)strlen(LEDGER_TARGET) &&
	       memcmp(target, LEDGER_TARGET, (size_t)length) == 0;
}

bool ledger_read(const inv_table *table, pid_t pid, uint32_t index, struct ledger_entry *entry)
{
	struct ledger_head head = head_of(table, pid);
	char path[PATH_BYTES];
	struct dirent *descriptor;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *descriptors = opendir(path);
	if (!descriptors)
		return false;
	while (!found && (descriptor = readdir(descriptors))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, descriptor->d_name);
		found = is_ledger(path) && read_entry(path, &head, index, entry);
	}
	closedir(descriptors);
	return found;
}
