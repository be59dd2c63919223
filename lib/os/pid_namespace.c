/* Processes of other PID namespaces: see pid_namespace.h. */
#include "os/pid_namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"

/* The kernel numbers it so (PROC_PID_INIT_INO): it is never made and never vanishes. */
#define FIRST_NAMESPACE UINT64_C(0xEFFFFFFC)

enum { SEARCHES_MAX = 4, WINDOW_NS = 50000000 };

static struct flock lock_of(short type, off_t byte)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

int lease_take(int fd, off_t byte)
{
	struct flock lock = lock_of(F_WRLCK, byte);

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void lease_give_back(int fd, off_t byte)
{
	struct flock lock = lock_of(F_UNLCK, byte);

	fcntl(fd, F_OFD_SETLK, &lock);
}

int lease_held(int fd, off_t byte)
{
	struct flock lock = lock_of(F_WRLCK, byte);

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 ? lock.l_type != F_UNLCK : -errno;
}

/* The pid in its own namespace, if that lies within the namespace of /proc and it is no
 * zombie. 0: it does not, or has ended; -1: it is hidden. */
static pid_t innermost_pid(const char *pid)
{
	char path[64], line[512], state = '?';
	long inner = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return errno == ENOENT || errno == ESRCH ? 0 : -1;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "State:", 6) == 0)
			state = line[6 + strspn(line + 6, " \t")];
		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		char *last = strrchr(line, '\t');
		if (last && last != strchr(line, '\t'))
			inner = strtol(last, NULL, 10);
		break;
	}
	fclose(file);
	return state == 'Z' || state == 'X' ? 0 : (pid_t)inner;
}

/* All processes there are can be seen here. */
static bool sees_all(void)
{
	return process_namespace() == FIRST_NAMESPACE && process_start(1) != 0;
}

static bool is_in_namespace(const char *pid, uint64_t namespace)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", pid);
	return stat(path, &status) == 0 && status.st_ino == namespace;
}

/* A damaged table could cause one search after the other. */
static bool search_allowed(void)
{
	static _Atomic int64_t window_ns;
	static _Atomic int searches;
	int64_t now_ns = clock_monotonic_coarse_ns();

	if (now_ns - atomic_load(&window_ns) > WINDOW_NS) {
		atomic_store(&window_ns, now_ns);
		atomic_store(&searches, 0);
	}
	return atomic_fetch_add(&searches, 1) < SEARCHES_MAX;
}

enum process_life process_life_elsewhere(pid_t pid, uint64_t earliest_start, uint64_t latest_start,
                                         uint64_t namespace)
{
	if (!search_allowed())
		return PROCESS_UNKNOWN;
	bool hidden = !process_proc_is_own(), seen = sees_all();
	enum process_life life = PROCESS_UNKNOWN;
	DIR *directory = opendir("/proc");
	struct dirent *entry;

	if (!directory)
		return PROCESS_UNKNOWN;
	while (life != PROCESS_ALIVE && (entry = readdir(directory))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		pid_t inner = innermost_pid(entry->d_name);
		hidden = hidden || inner < 0;
		seen = seen ||
		       (namespace && inner > 0 && is_in_namespace(entry->d_name, namespace));
		if (inner != pid)
			continue;
		uint64_t start = process_start((pid_t)strtol(entry->d_name, NULL, 10));
		if (start >= earliest_start && start <= latest_start)
			life = PROCESS_ALIVE;
	}
	closedir(directory);
	return life == PROCESS_ALIVE ? life : hidden || !seen ? PROCESS_UNKNOWN : PROCESS_DEAD;
}
