/*
 * A thousand processes wait on one event; one set wakes them all: waiters COUNT
 *
 * The set comes when all are seen asleep in /proc. Prints how many woke, and exits with
 * 1 where one did not.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <invctl.h>

#define WAIT_NS INT64_C(60000000000)
#define LOOK_NS 1000000L

static _Noreturn void wait_in_child(const uint8_t id[16])
{
	inv_event *event;
	inv_table *table;

	if (inv_open(&table, NULL, 0) != 0 || inv_event_find(table, id, &event) != 0)
		_exit(2);
	_exit(inv_event_wait(event, WAIT_NS) == 1 ? 0 : 1);
}

static bool sleeps(pid_t pid)
{
	char path[48], text[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	const char *name_end = length > 0 ? strrchr(text, ')') : NULL;
	return name_end && name_end[1] == ' ' && name_end[2] == 'S';
}

static bool all_sleep(const pid_t *waiters, int count)
{
	for (int tries = 0; tries < 30000; tries++) {
		int asleep = 0;
		while (asleep < count && sleeps(waiters[asleep]))
			asleep++;
		if (asleep == count)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
	}
	return false;
}

static int count_woken(const pid_t *waiters, int count)
{
	int woken = 0, status;

	for (int i = 0; i < count; i++)
		if (waitpid(waiters[i], &status, 0) == waiters[i] && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 0)
			woken++;
	return woken;
}

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0;
	uint8_t id[16] = "a wide audience";
	inv_event *event;
	pid_t *waiters = calloc((size_t)count + 1, sizeof(*waiters));

	if (count < 1 || !waiters || inv_event_create(NULL, id, &event) != 0)
		return 2;
	for (int i = 0; i < count; i++) {
		waiters[i] = fork();
		if (waiters[i] == 0)
			wait_in_child(id);
		if (waiters[i] < 0) {
			perror("fork");
			return 2;
		}
	}
	if (!all_sleep(waiters, count))
		fprintf(stderr, "not all of them ever slept at once\n");
	int error = inv_event_set(event, "now");
	int woken = count_woken(waiters, count);
	inv_event_put(event);
	free(waiters);
	printf("%d\n", woken);
	return error == 0 && woken == count ? 0 : 1;
}
