/* Reading /proc: see process_table.h. */
#include "supervise/process_table.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { STAT_STATE = 3, STAT_PARENT = 4, STAT_SESSION = 6, STAT_THREADS = 20, STAT_START = 22 };

static int open_of(pid_t pid, const char *file)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The name in parentheses may hold anything, blanks and parentheses too, so it
 * ends, and fields are counted, at the last ')'. */
static bool parse_stat(const char *text, struct process *process)
{
	const char *name = strchr(text, '('), *field = strrchr(text, ')');

	if (!name || !field)
		return false;
	snprintf(process->name, sizeof(process->name), "%.*s", (int)(field - name - 1), name + 1);
	for (int number = 2; field && number <= STAT_START; number++) {
		if (number == STAT_STATE)
			process->state = *field;
		else if (number == STAT_PARENT)
			process->parent = (pid_t)strtol(field, NULL, 10);
		else if (number == STAT_SESSION)
			process->session = (pid_t)strtol(field, NULL, 10);
		else if (number == STAT_THREADS)
			process->threads = (int)strtol(field, NULL, 10);
		else if (number == STAT_START)
			process->start = strtoull(field, NULL, 10);
		field = strchr(field, ' ');
		if (field)
			field++;
	}
	return process->start != 0;
}

int process_read(pid_t pid, struct process *process)
{
	char text[1024];
	int fd = open_of(pid, "stat");

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : -ESRCH;

	ssize_t length = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (length <= 0)
		return -ESRCH;
	text[length] = '\0';
	*process = (struct process){.pid = pid};
	return parse_stat(text, process) ? 0 : -ESRCH;
}

struct process *process_list_room(struct process_list *list)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 256;
		struct process *grown = realloc(list->items, room * sizeof(*grown));

		if (!grown)
			return NULL;
		list->items = grown;
		list->room = room;
	}
	return &list->items[list->count];
}

static int by_pid(const void *a, const void *b)
{
	pid_t one = ((const struct process *)a)->pid, other = ((const struct process *)b)->pid;

	return one < other ? -1 : one > other;
}

void process_list_sort(struct process_list *list)
{
	size_t kept = 0;

	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), by_pid);
	for (size_t i = 0; i < list->count; i++)
		if (i == 0 || list->items[i].pid != list->items[kept - 1].pid)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static int read_entries(DIR *directory, struct process_list *list)
{
	struct dirent *entry;

	while ((entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;

		struct process *process = process_list_room(list);
		int error = process ? process_read((pid_t)strtol(entry->d_name, NULL, 10), process)
		                    : -ENOMEM;

		if (error == 0)
			list->count++;
		else if (error != -ESRCH)
			return error;
	}
	return 0;
}

int process_table_read(struct process_list *list)
{
	DIR *directory = opendir("/proc");

	list->count = 0;
	if (!directory)
		return -errno;

	int error = read_entries(directory, list);

	closedir(directory);
	if (error)
		list->count = 0;
	else
		process_list_sort(list);
	return error;
}

long process_table_find(const struct process_list *list, pid_t pid)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->items[low].pid == pid ? (long)low : -1;
}

/* Readable: every thread of it has ended. A zombie whose other threads run is alive. */
static bool pidfd_ended(int pidfd)
{
	struct pollfd poll_one = {.fd = pidfd, .events = POLLIN};

	return poll(&poll_one, 1, 0) == 1;
}

void process_await_end(pid_t child, int timeout_ms)
{
	struct pollfd poll_one = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};

	if (poll_one.fd < 0)
		return;
	poll(&poll_one, 1, timeout_ms);
	close(poll_one.fd);
}

int process_pidfd(const struct process *process)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	struct process now = {0};

	if (pidfd < 0)
		return errno == EINVAL ? -ESRCH : -errno;

	/* The descriptor holds on to one process; if what has the pid now is the one
	 * that was meant, and the descriptor's has not ended, they are the same. */
	int error = process_read(process->pid, &now);

	if (error == 0 && (now.start != process->start || pidfd_ended(pidfd)))
		error = -ESRCH;
	if (error == 0)
		return pidfd;
	close(pidfd);
	return error;
}

enum { STATUS_BYTES = 8192 };

/* /proc/PID/status; false: it has ended. */
static bool read_status(pid_t pid, char text[STATUS_BYTES])
{
	int fd = open_of(pid, "status");
	ssize_t length = fd < 0 ? -1 : read(fd, text, STATUS_BYTES - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* What stands behind a key at the beginning of a line, and blanks; NULL: nothing. */
static const char *value_of(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	return line ? line + strlen(key) + strspn(line + strlen(key), " \t") : NULL;
}

int process_real_uid(pid_t pid, uid_t *uid)
{
	char status[STATUS_BYTES];
	const char *value = read_status(pid, status) ? value_of(status, "\nUid:") : NULL;

	if (!value)
		return -ESRCH;
	*uid = (uid_t)strtoul(value, NULL, 10);
	return 0;
}

bool process_state_and_catch(pid_t pid, int signum, char *state, bool *catches)
{
	char status[STATUS_BYTES];
	const char *value, *caught;

	if (!read_status(pid, status))
		return false;
	value = value_of(status, "\nState:");
	caught = value_of(status, "\nSigCgt:");
	*state = value ? *value : 'R';
	*catches = caught && (strtoull(caught, NULL, 16) >> (signum - 1) & 1) != 0;
	return true;
}

bool process_catches(pid_t pid, int signum)
{
	bool catches;
	char state;

	return process_state_and_catch(pid, signum, &state, &catches) && catches;
}
