/* `run --detach`: see detach.h. */
#include "invctl/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/logind.h"
#include "common/message.h"
#include "invctl-exit-status.h"
#include "os/state_directory.h"

/* What the caller reads, whole or not at all. The command's process sends one with the id before
 * its exec, which ends the connection. Where the command is not executed, one with another status
 * follows, from that process or the supervisor. */
struct report {
	int status; /* EXIT_DONE: it is about to be executed */
	int error;  /* errno of what failed, 0: a message has been printed */
	char id[INV_ID_TEXT_BYTES];
};

enum { REPORT_FD = 3 };

static void close_from(unsigned first)
{
	/* Kernels before 5.9 lack close_range. */
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
	for (int fd = (int)first; fd < (int)sysconf(_SC_OPEN_MAX); fd++)
		close(fd);
}

static bool read_report(int fd, struct report *report)
{
	ssize_t length;

	do
		length = recv(fd, report, sizeof(*report), 0);
	while (length < 0 && errno == EINTR);
	return length == (ssize_t)sizeof(*report);
}

/* The last one counts. Without any, no command was executed. */
static int await_exec(int fd, const char *command)
{
	struct report report = {.status = EXIT_INTERNAL};
	bool reported = false;

	while (read_report(fd, &report))
		reported = true;
	close(fd);
	if (!reported)
		message("the supervisor died before '%s' was executed, so it was not started; "
		        "without --detach 'run' shows why",
		        command);
	else if (report.error != 0)
		message("'%s' can't be run: %s", command, strerror(report.error));
	else if (report.status == EXIT_DONE)
		puts(report.id);
	return report.status;
}

static void leave_caller(int fd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (fd != REPORT_FD)
		dup3(fd, REPORT_FD, O_CLOEXEC);
	close_from(REPORT_FD + 1);
}

int detach_part(const char *command, int *report)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		message("no socket can be made: %s", strerror(errno));
		return EXIT_INTERNAL;
	}

	pid_t pid = fork();

	if (pid < 0) {
		message("no process can be made for the supervisor: %s", strerror(errno));
		return EXIT_INTERNAL;
	}
	if (pid == 0) {
		leave_caller(ends[1]);
		*report = REPORT_FD;
		return -1;
	}
	close(ends[1]);
	return await_exec(ends[0], command);
}

/* A caller that was killed meanwhile needs none: the action goes on. */
static void send_report(int fd, const struct report *report)
{
	if (fd >= 0)
		send(fd, report, sizeof(*report), MSG_NOSIGNAL);
}

/* A new file; what an earlier invocation of that id had left was removed. */
static int make_output(inv_table *table, const uint8_t id[16])
{
	char name[STATE_NAME_BYTES];
	int directory = state_directory_open(inv_table_name(table));

	if (directory < 0)
		return directory;
	state_file_name(id, "out", name);
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : 0;
	close(directory);
	return error ? error : fd;
}

/* The action goes on even if its output can't be kept. */
static int open_output(inv_table *table, const uint8_t id[16])
{
	int fd = make_output(table, id);

	if (fd >= 0)
		return fd;
	message("output will not be kept: %s; set INVCTL_STATE_DIR to the absolute path of a "
	        "directory that you can write to",
	        strerror(-fd));
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	/* Nothing of the caller's stays open even if it can't be opened either. */
	return fd >= 0 ? fd : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
}

void detach_settle(int report_fd, inv_table *table, const uint8_t id[16])
{
	char id_text[INV_ID_TEXT_BYTES];

	if (report_fd < 0)
		return;

	int output = open_output(table, id);

	inv_id_format(id, id_text);
	if (logind_removes_shm(getuid()))
		message("%s goes on after your last logout, but its table loses its name "
		        "then; " LOGIND_REMEDY,
		        id_text);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(output);
}

void detach_executing(int report_fd, const uint8_t id[16])
{
	struct report report = {.status = EXIT_DONE};

	inv_id_format(id, report.id);
	send_report(report_fd, &report);
}

void detach_fail(int report_fd, int status, int error)
{
	send_report(report_fd, &(struct report){.status = status, .error = error});
}
