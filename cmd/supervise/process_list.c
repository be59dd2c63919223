/*
 * Snapshots of /proc: see process_list.h.
 *
 * Descendants come from the kernel's lists of children. /proc/PID/task/TID/children is
 * exact only while none of the children exits: the kernel goes on by counting, so that an
 * exit in the middle can hide the next one. A walk is therefore repeated until two in a row
 * have found the same processes: what an exit has hidden from one of them is in the other,
 * or what exited is. What is known of a process since the walk before is not read again.
 */
#include "supervise/process_list.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/array.h"

static struct process *room_for_one(struct process_list *list)
{
	struct process *items = array_room(list->items, list->count, sizeof(*list->items));

	if (!items)
		return NULL;
	list->items = items;
	return &items[list->count];
}

void process_list_free(struct process_list *list)
{
	free(list->items);
	*list = (struct process_list){0};
}

static int by_pid(const void *a, const void *b)
{
	pid_t one = ((const struct process *)a)->pid, other = ((const struct process *)b)->pid;

	return one < other ? -1 : one > other;
}

static void sort(struct process_list *list)
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

		struct process *process = room_for_one(list);
		int error = process ? process_read((pid_t)strtol(entry->d_name, NULL, 10), process)
		                    : -ENOMEM;

		if (error == 0)
			list->count++;
		else if (error != -ESRCH)
			return error;
	}
	return 0;
}

int process_list_read(struct process_list *list)
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
		sort(list);
	return error;
}

long process_list_find(const struct process_list *list, pid_t pid)
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

/* A tree that changes all the time is read as a whole instead. */
enum { WALKS_MAX = 16, CHILDREN_BYTES = 4096 };

struct walk {
	const struct process_list *before; /* what the walk before has found */
	struct process_list *found;
};

static int add(struct walk *walk, pid_t pid)
{
	struct process *process = room_for_one(walk->found);
	long known = walk->before->items ? process_list_find(walk->before, pid) : -1;

	if (!process)
		return -ENOMEM;
	if (known >= 0)
		*process = walk->before->items[known];

	int error = known >= 0 ? 0 : process_read(pid, process);

	if (!error)
		walk->found->count++;
	return error == -ESRCH ? 0 : error;
}

/* Numbers, each followed by a blank; one may be cut by the end of a read. */
static int add_children(struct walk *walk, int fd)
{
	char text[CHILDREN_BYTES];
	ssize_t length;
	pid_t pid = 0;

	while ((length = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < length; i++) {
			if (isdigit((unsigned char)text[i])) {
				pid = pid * 10 + (text[i] - '0');
				continue;
			}
			int error = pid > 0 ? add(walk, pid) : 0;
			if (error)
				return error;
			pid = 0;
		}
	}
	return length < 0 && errno != ESRCH ? -errno : 0;
}

static int add_children_of_thread(struct walk *walk, pid_t pid, pid_t thread)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOSYS : -errno;
	int error = add_children(walk, fd);
	close(fd);
	return error;
}

static int add_children_of_threads(struct walk *walk, pid_t pid)
{
	char path[32];
	struct dirent *thread;
	int error = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *threads = opendir(path);
	if (!threads)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	while (!error && (thread = readdir(threads)))
		if (isdigit((unsigned char)thread->d_name[0]))
			error = add_children_of_thread(walk, pid,
			                               (pid_t)strtol(thread->d_name, NULL, 10));
	closedir(threads);
	return error;
}

static int add_children_of(struct walk *walk, const struct process *process)
{
	pid_t pid = process->pid;
	struct process now;
	char path[64];
	int error = process->threads <= 1 ? add_children_of_thread(walk, pid, pid)
	                                  : add_children_of_threads(walk, pid);

	if (error != -ENOSYS)
		return error;
	/* What has just ended has no list either. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	return access(path, F_OK) == 0 || process_read(pid, &now) != 0 ? 0 : error;
}

static int take_walk(pid_t root, struct walk *walk)
{
	walk->found->count = 0;
	int error = add(walk, root);

	/* It grows while it is gone through. */
	for (size_t i = 0; !error && i < walk->found->count; i++) {
		struct process process = walk->found->items[i];
		error = add_children_of(walk, &process);
	}
	sort(walk->found);
	return error;
}

static bool same_processes(const struct process_list *one, const struct process_list *other)
{
	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++)
		if (one->items[i].pid != other->items[i].pid ||
		    one->items[i].start != other->items[i].start)
			return false;
	return true;
}

int process_list_read_tree(pid_t root, struct process_list *list)
{
	struct process_list before = {0};
	struct walk walk = {.before = &before, .found = list};
	int error = take_walk(root, &walk);

	for (int walks = 1; !error; walks++) {
		struct process_list swapped = before;
		before = *list;
		*list = swapped;
		error = walks < WALKS_MAX ? take_walk(root, &walk) : -EAGAIN;
		if (!error && same_processes(&before, list))
			break;
	}
	process_list_free(&before);
	if (error)
		list->count = 0;
	return error;
}
