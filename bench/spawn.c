/*
 * Times whole commands, in turn: spawn ROUNDS -- COMMAND [ARG…] -- COMMAND [ARG…] …
 * From posix_spawn until it is reaped; standard input and output are /dev/null. Prints
 * an array of samples in microseconds for each command, as JSON. The order of the commands is
 * turned round in every other round.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "measure.h"

enum { COMMANDS_MAX = 8, WARM_ROUNDS = 3 };

struct command {
	char **argv;
	double *samples_us;
};

extern char **environ;

static posix_spawn_file_actions_t quiet;

static double run_us(char **argv)
{
	int64_t start_ns = measure_now_ns();
	int status;
	pid_t pid;
	int error = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);

	if (error != 0) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(error));
		exit(1);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	double us = (double)(measure_now_ns() - start_ns) / 1000;
	if (status != 0) {
		fprintf(stderr, "%s %s: wait status %#x\n", argv[0], argv[1] ? argv[1] : "",
		        status);
		exit(1);
	}
	return us;
}

/* Split the arguments at each "--" of a command's beginning; a "--" within a command is
 * written as "---". */
static int split(int argc, char **argv, struct command commands[COMMANDS_MAX])
{
	int count = 0;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			if (count == COMMANDS_MAX || i + 1 == argc)
				return 0;
			commands[count++].argv = &argv[i + 1];
			argv[i] = NULL;
		} else if (strcmp(argv[i], "---") == 0) {
			argv[i]++;
		}
	}
	return count;
}

static void print(const struct command *commands, int count, size_t rounds)
{
	for (int c = 0; c < count; c++) {
		printf(c ? ", [" : "[[");
		for (size_t i = 0; i < rounds; i++)
			printf("%s%.1f", i ? ", " : "", commands[c].samples_us[i]);
		printf("]");
	}
	printf("]\n");
}

int main(int argc, char **argv)
{
	size_t rounds = measure_argument(argc, argv, 1, "ROUNDS -- COMMAND... -- COMMAND...");
	struct command commands[COMMANDS_MAX] = {0};
	int count = split(argc, argv, commands);

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	for (int c = 0; c < count; c++) {
		commands[c].samples_us = measure_memory(calloc(rounds, sizeof(double)));
		for (int i = 0; i < WARM_ROUNDS; i++)
			run_us(commands[c].argv);
	}
	for (size_t i = 0; i < rounds; i++)
		for (int c = 0; c < count; c++) {
			int turn = i % 2 == 0 ? c : count - 1 - c;
			commands[turn].samples_us[i] = run_us(commands[turn].argv);
		}
	print(commands, count, rounds);
	for (int c = 0; c < count; c++)
		free(commands[c].samples_us);
	return count == 0 ? 2 : 0;
}
