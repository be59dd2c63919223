/*
 * Many short lives on one table: short_lives COUNT
 *
 * So many processes, eight at a time, each of which begins an invocation; every other one
 * ends it, the rest die without a word, some by SIGKILL with a descriptor for their event.
 * Exits with 1 where one that should have could not.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <invctl.h>

enum { AT_A_TIME = 8 };

static _Noreturn void live(int number)
{
	inv_invocation *invocation;

	if (inv_invocation_begin(NULL, NULL, "short", &invocation) != 0)
		_exit(1);
	if (number % 2 == 0)
		_exit(inv_invocation_end(invocation, INV_COMPLETED) == 0 ? 0 : 1);
	if (number % 4 == 1 && inv_event_fd(inv_invocation_event(invocation)) >= 0)
		raise(SIGKILL);
	_exit(0);
}

static int reap(void)
{
	int status;

	if (wait(&status) < 0)
		return 1;
	return WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0, failed = 0;

	for (int number = 0; number < count; number++) {
		pid_t pid = fork();
		if (pid == 0)
			live(number);
		if (pid < 0) {
			perror("fork");
			return 2;
		}
		if (number >= AT_A_TIME - 1)
			failed += reap();
	}
	for (int left = count < AT_A_TIME ? count : AT_A_TIME - 1; left > 0; left--)
		failed += reap();
	printf("%d failed\n", failed);
	return failed > 0;
}
