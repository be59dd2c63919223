/* Identity and life of processes: see process.h. */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { STAT_START = 22, STAT_START_CODE = 26, STAT_START_STACK = 28 };
#define PIDFS_MAGIC 0x50494446

static int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t length = read(fd, text, size - 1);
	int error = errno;
	close(fd);
	if (length < 0)
		return -error;
	text[length] = '\0';
	return 0;
}

/* Start time and image from /proc/PID/stat. The name in it may hold anything,
 * blanks and parentheses too, so fields are counted from the last ')'. */
static int read_stat(const char *path, uint64_t *start, uint32_t *image)
{
	char text[1024];
	int error = read_file(path, text, sizeof(text));

	if (error)
		return error;
	char *field = strrchr(text, ')');
	uint64_t start_code = 0, start_stack = 0;

	*start = 0;
	for (int number = 2; field; number++) {
		if (number == STAT_START)
			*start = strtoull(field, NULL, 10);
		else if (number == STAT_START_CODE)
			start_code = strtoull(field, NULL, 10);
		else if (number == STAT_START_STACK)
			start_stack = strtoull(field, NULL, 10);
		if (number == STAT_START_STACK)
			break;
		field = strchr(field, ' ');
		if (field)
			field++;
	}
	/* Address-space randomisation moves the stack with every exec. A kernel
	 * that hides the addresses from us says 0 or 1. */
	uint64_t addresses = start_stack ^ start_code << 20;
	*image = start_stack > 1 ? (uint32_t)(addresses >> 4 ^ addresses >> 36) | 1 : 0;
	return *start ? 0 : -ESRCH;
}

uint64_t process_namespace(void)
{
	/* | pid 32 | inode 32 |. A process can't change its own PID namespace, so once is
	 * enough; but unshare(2) puts its children into another. */
	static _Atomic uint64_t cached;
	uint64_t seen = atomic_load_explicit(&cached, memory_order_relaxed);
	uint64_t pid = (uint64_t)getpid();
	struct stat status;

	if (seen >> 32 != pid && stat("/proc/self/ns/pid", &status) == 0) {
		seen = pid << 32 | (uint32_t)status.st_ino;
		atomic_store_explicit(&cached, seen, memory_order_relaxed);
	}
	return seen >> 32 == pid ? (uint32_t)seen : 0;
}

bool process_proc_is_own(void)
{
	char self[24] = "";

	return readlink("/proc/self", self, sizeof(self) - 1) > 0 &&
	       strtol(self, NULL, 10) == getpid();
}

uint64_t process_start(pid_t pid)
{
	char path[40] = "/proc/self/stat";
	uint64_t start;
	uint32_t image;

	/* Of itself a process is told the truth by any /proc. */
	if (pid != getpid())
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return read_stat(path, &start, &image) == 0 ? start : 0;
}

/* pidfs numbers every process of a boot differently; before Linux 6.9 all pidfds
 * share one inode, which tells nothing. */
static uint64_t pidfs_inode(int pidfd)
{
	struct statfs system;
	struct stat status;

	if (fstatfs(pidfd, &system) != 0 || system.f_type != PIDFS_MAGIC ||
	    fstat(pidfd, &status) != 0)
		return 0;
	return status.st_ino;
}

static int pidfd_of(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

int process_self(struct process_identity *self)
{
	int error = read_stat("/proc/self/stat", &self->start, &self->image);

	if (error)
		return error;
	self->pid = getpid();
	self->namespace = process_namespace();
	self->pidfs = 0;
	int pidfd = pidfd_of(self->pid);
	if (pidfd >= 0) {
		self->pidfs = pidfs_inode(pidfd);
		close(pidfd);
	}
	return 0;
}

/* Readable: every thread of it has ended. */
static bool pidfd_ended(int pidfd)
{
	struct pollfd poll_one = {.fd = pidfd, .events = POLLIN};

	return poll(&poll_one, 1, 0) == 1;
}

static bool same_process(const struct process_identity *identity, int pidfd)
{
	char path[40];
	uint64_t start;
	uint32_t image;

	if (identity->pidfs != 0) {
		uint64_t inode = pidfs_inode(pidfd);
		if (inode != 0 && inode != identity->pidfs)
			return false;
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)identity->pid);
	int error = read_stat(path, &start, &image);
	/* It has just ended, or /proc hides it from this user. */
	if (error == -ENOENT || error == -ESRCH)
		return !pidfd_ended(pidfd);
	if (error)
		return true; /* /proc can't be read: only the pid is known, and it lives */
	bool same = (identity->start == 0 || start == identity->start) &&
	            (identity->image == 0 || image == 0 || image == identity->image);
	/* Or was it somebody else whom /proc told of? */
	return same || !process_proc_is_own();
}

int process_open(const struct process_identity *identity)
{
	if (identity->pid <= 0)
		return -ESRCH;
	int pidfd = pidfd_of(identity->pid);
	if (pidfd < 0)
		return pidfd == -EINVAL ? -ESRCH : pidfd;
	if (pidfd_ended(pidfd) || !same_process(identity, pidfd)) {
		close(pidfd);
		return -ESRCH;
	}
	return pidfd;
}

enum process_life process_life(const struct process_identity *identity)
{
	if (identity->namespace != 0 && identity->namespace != process_namespace())
		return PROCESS_UNKNOWN;
	int pidfd = process_open(identity);
	if (pidfd >= 0) {
		close(pidfd);
		return PROCESS_ALIVE;
	}
	/* Out of descriptors, say: nothing is concluded. */
	return pidfd == -ESRCH ? PROCESS_DEAD : PROCESS_UNKNOWN;
}

bool process_executed(const struct process_identity *identity)
{
	char path[40];
	uint64_t start;
	uint32_t image;

	if (identity->pid <= 0 || identity->image == 0 ||
	    identity->namespace != process_namespace())
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)identity->pid);
	return read_stat(path, &start, &image) == 0 && start == identity->start && image != 0 &&
	       image != identity->image;
}

void process_command(pid_t pid, char command[16])
{
	char path[40], text[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (read_file(path, text, sizeof(text)) != 0)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	memset(command, 0, 16);
	memcpy(command, text, strnlen(text, 15));
}
