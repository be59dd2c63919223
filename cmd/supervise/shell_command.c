/* Runs the commands of `run --stop` and `run --finish`: see shell_command.h. */
#include "supervise/shell_command.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/message.h"
#include "invctl-exit-status.h"
#include "invctl.h"

/* It starts as a shell's command would, whatever its starter does with signals. But no closed pipe
 * and no terminal must stop it: what it does matters more than what it says. */
static void reset_signals(void)
{
	sigset_t none;

	for (int signum = 1; signum < NSIG; signum++)
		signal(signum, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A closed pipe or terminal: what writes there would fail, and a shell with `set -e` would end. */
static void replace_dead(int fd, int null)
{
	struct pollfd output = {.fd = fd, .events = POLLOUT};

	if (poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		dup2(null, fd);
}

/* The keys and the input of the terminal are the action's. */
static void set_descriptors(int output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setpgid(0, 0);
	if (output >= 0) {
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
	}
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	replace_dead(STDOUT_FILENO, null);
	replace_dead(STDERR_FILENO, null);
}

static int set_environment(const struct shell_command *command, const char *id)
{
	int error = setenv("INVCTL_ID", id, 1) | setenv("INVCTL_TABLE", command->table_name, 1);

	if (command->settings)
		for (const char *const(*setting)[2] = command->settings; (*setting)[0]; setting++)
			error |= setenv((*setting)[0], (*setting)[1], 1);
	return error;
}

static _Noreturn void execute(const struct shell_command *command)
{
	char id[INV_ID_TEXT_BYTES];

	inv_id_format(command->id, id);
	reset_signals();
	set_descriptors(command->output);
	if (command->environment)
		environ = command->environment;
	if (command->cwd && chdir(command->cwd) != 0)
		message("the %s does not run in %s: %s", command->what, command->cwd,
		        strerror(errno));
	if (set_environment(command, id) == 0)
		execl(_PATH_BSHELL, "sh", "-c", command->text, (char *)NULL);
	message("the %s of %s can't be run: %s", command->what, id, strerror(errno));
	_exit(EXIT_NOT_FOUND);
}

int shell_command_start(const struct shell_command *command)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* This process ends at once, so that the command is not ours to reap. */
		if (fork() == 0)
			execute(command);
		_exit(EXIT_SUCCESS);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}

pid_t shell_command_prepare(const struct shell_command *command, int *go)
{
	int ends[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	pid_t pid = fork();
	int error = errno;
	if (pid == 0) {
		close(ends[0]);
		if (recv(ends[1], &byte, sizeof(byte), 0) == sizeof(byte))
			execute(command);
		_exit(EXIT_INTERNAL);
	}
	close(ends[1]);
	*go = ends[0];
	if (pid > 0)
		return pid;
	close(ends[0]);
	return -error;
}

void shell_command_go(int go)
{
	/* A process that was killed meanwhile takes no word. */
	send(go, "", 1, MSG_NOSIGNAL);
	close(go);
}
