/*
 * Group run/cancel: from the start of the one who cancels until the supervisor of
 * `sleep 1000`, told by SIGTERM's end of it, is reaped: stop ROUNDS INVCTL
 * Ours: `invctl cancel ID` on `invctl run`. Beside: /bin/kill PID on timeout(1). And the
 * resident memory of both supervisors while they wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invctl.h"
#include "measure.h"

extern char **environ;

struct samples {
	double *us, *kilobytes;
};

static pid_t start(char **argv)
{
	pid_t pid;
	int error = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	if (error == 0)
		return pid;
	fprintf(stderr, "%s: %s\n", argv[0], strerror(error));
	exit(1);
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

/* The first bytes of a file of /proc; "" if there is none. */
static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	text[length > 0 ? length : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Executed, and asleep. */
static bool sleeps(pid_t pid)
{
	char path[40], text[256];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_text(path, text, sizeof(text));
	return strstr(text, "(sleep) S") != NULL;
}

/* Until the supervisor's command is in its sleep, and the supervisor too. */
static void wait_until_asleep(pid_t supervisor)
{
	char path[64], text[256];

	for (int tries = 0; tries < 20000; tries++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)supervisor,
		         (int)supervisor);
		read_text(path, text, sizeof(text));
		pid_t command = (pid_t)strtol(text, NULL, 10);
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)supervisor);
		read_text(path, text, sizeof(text));
		char *state = strrchr(text, ')');
		if (command > 0 && sleeps(command) && state && state[2] == 'S')
			return;
		usleep(500);
	}
	fprintf(stderr, "the command under process %d does not come up\n", (int)supervisor);
	exit(1);
}

static double resident_kilobytes(pid_t pid)
{
	char path[40], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	read_text(path, text, sizeof(text));
	char *line = strstr(text, "VmRSS:");
	return line ? strtod(line + strlen("VmRSS:"), NULL) : 0;
}

static void sample(char **supervisor_argv, char **canceller_argv, char *pid_text, size_t round,
                   struct samples *samples)
{
	pid_t supervisor = start(supervisor_argv);

	wait_until_asleep(supervisor);
	samples->kilobytes[round] = resident_kilobytes(supervisor);
	if (pid_text)
		sprintf(pid_text, "%d", (int)supervisor);
	int64_t start_ns = measure_now_ns();
	pid_t canceller = start(canceller_argv);
	reap(supervisor);
	samples->us[round] = (double)(measure_now_ns() - start_ns) / 1000;
	if (reap(canceller) != 0)
		exit(1);
}

static void ours(char *invctl, size_t round, struct samples *samples)
{
	char id_text[37], id_option[48];
	uint8_t id[16];

	measure_id(30 + (uint64_t)getpid(), round, id);
	inv_id_format(id, id_text);
	snprintf(id_option, sizeof(id_option), "--id=%s", id_text);
	char *run[] = {invctl, "run", id_option, "--", "/bin/sleep", "1000", NULL};
	char *cancel[] = {invctl, "cancel", id_text, NULL};
	sample(run, cancel, NULL, round, samples);
}

static void beside(size_t round, struct samples *samples)
{
	char pid_text[16];
	char *timeout[] = {"/usr/bin/timeout", "10000", "/bin/sleep", "1000", NULL};
	char *kill_it[] = {"/bin/kill", pid_text, NULL};

	sample(timeout, kill_it, pid_text, round, samples);
}

static struct samples room_for(size_t rounds)
{
	return (struct samples){.us = measure_memory(calloc(rounds, sizeof(double))),
	                        .kilobytes = measure_memory(calloc(rounds, sizeof(double)))};
}

int main(int argc, char **argv)
{
	size_t rounds = measure_argument(argc, argv, 1, "ROUNDS INVCTL");
	struct samples one = room_for(rounds), other = room_for(rounds);

	if (argc != 3)
		return 2;
	for (size_t i = 0; i < rounds; i++) {
		if (i % 2 == 0)
			ours(argv[2], i, &one);
		beside(i, &other);
		if (i % 2 == 1)
			ours(argv[2], i, &one);
	}
	measure_print("cancel until reaped", "us", one.us, other.us, rounds);
	measure_print("supervisor memory", "kB", one.kilobytes, other.kilobytes, rounds);
	return 0;
}
