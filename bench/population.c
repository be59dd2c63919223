/*
 * Many processes, each of which owns one live event and sleeps: population COUNT
 * Prints "ready"; ends them and itself when its standard input ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invctl.h"
#include "measure.h"

static _Noreturn void live(size_t number, int ready)
{
	inv_event *event;
	uint8_t id[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	measure_id(2, number, id);
	measure_require(inv_event_create(NULL, id, &event), "registering");
	if (write(ready, "", 1) != 1)
		exit(1);
	close(ready);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	size_t count = measure_argument(argc, argv, 1, "COUNT");
	pid_t *pids = measure_memory(calloc(count, sizeof(*pids)));
	int ready[2];
	char byte;

	if (pipe(ready) != 0)
		return 1;
	for (size_t i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] < 0) {
			perror("fork");
			count = i;
		} else if (pids[i] == 0) {
			close(ready[0]);
			live(i, ready[1]);
		}
	}
	close(ready[1]);
	for (size_t i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	for (size_t i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	for (size_t i = 0; i < count; i++)
		waitpid(pids[i], NULL, 0);
	free(pids);
	return 0;
}
