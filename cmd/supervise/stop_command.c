/* Runs the command of `run --stop`: see stop_command.h. */
#include "supervise/stop_command.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/message.h"
#include "invctl.h"

/* It starts as a shell's command would, whatever its starter does with signals. */
static void reset_signals(void)
{
	sigset_t none;

	for (int signum = 1; signum < NSIG; signum++)
		signal(signum, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The keys and the input of the terminal are the action's. */
static void take_no_input(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	setpgid(0, 0);
}

static _Noreturn void execute(const char *command, const char *cwd, char **environment,
                              const uint8_t id[16], const char *table_name)
{
	char text[INV_ID_TEXT_BYTES];

	inv_id_format(id, text);
	reset_signals();
	take_no_input();
	if (environment)
		environ = environment;
	if (cwd && chdir(cwd) != 0)
		message("the stop command does not run in %s: %s", cwd, strerror(errno));
	if (setenv("INVCTL_ID", text, 1) == 0 && setenv("INVCTL_TABLE", table_name, 1) == 0)
		execl(_PATH_BSHELL, "sh", "-c", command, (char *)NULL);
	message("the stop command can't be run: %s; 'invctl cancel --signal %s' signals instead",
	        strerror(errno), text);
	_exit(EXIT_FAILURE);
}

int stop_command_start(const char *command, const char *cwd, char **environment,
                       const uint8_t id[16], const char *table_name)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* This process ends at once, so that the command is not ours to reap. */
		if (fork() == 0)
			execute(command, cwd, environment, id, table_name);
		_exit(EXIT_SUCCESS);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}
