/*
 * Starting a broker where none serves the table.
 *
 * The caller may be any program, so the start leaves no trace in it: the first child
 * is made by clone(2) without an exit signal, so that no SIGCHLD comes and no
 * wait(2) of the program sees it; it forks the broker and ends. The broker keeps
 * none of the caller's descriptors but one end of a pipe, through which it tells
 * that it serves, or why it can't. Any number may do this at once: the brokers settle
 * among themselves which one stays, and each of them answers.
 */
#include "table/table.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"

enum { READY_TIMEOUT_MS = 10000, READY_FD = 3, PATH_BYTES = 4096 };

static bool executable_in(const char *directory, size_t length, char path[PATH_BYTES])
{
	int written = snprintf(path, PATH_BYTES, "%.*s/invbroker", (int)length, directory);

	return written > 0 && written < PATH_BYTES && access(path, X_OK) == 0;
}

static bool beside(const char *file, char path[PATH_BYTES])
{
	const char *slash = strrchr(file, '/');

	return slash && executable_in(file, (size_t)(slash - file), path);
}

static bool beside_program(char path[PATH_BYTES])
{
	char program[PATH_BYTES];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length <= 0)
		return false;
	program[length] = '\0';
	return beside(program, path);
}

static bool beside_library(char path[PATH_BYTES])
{
#if defined(__PIC__) && !defined(__PIE__)
	Dl_info info;

	if (dladdr((void *)(uintptr_t)&autostart_broker, &info) == 0 || !info.dli_fname)
		return false;
	return beside(info.dli_fname, path);
#else
	(void)path;
	return false; /* linked into the program itself */
#endif
}

static bool in_search_path(char path[PATH_BYTES])
{
	const char *directory = secure_getenv("PATH");

	while (directory && *directory) {
		size_t length = strcspn(directory, ":");
		if (length > 0 && executable_in(directory, length, path))
			return true;
		directory += length + (directory[length] == ':');
	}
	return false;
}

static bool find_broker(char path[PATH_BYTES])
{
	/* With raised privileges neither PATH nor the folder of the program is trusted: the caller
	 * may have made a link to it there. */
	bool trusting = getauxval(AT_SECURE) == 0;

	return beside_library(path) || (trusting && beside_program(path)) ||
	       executable_in(INV_LIBEXECDIR, strlen(INV_LIBEXECDIR), path) ||
	       executable_in(INV_BINDIR, strlen(INV_BINDIR), path) ||
	       (trusting && in_search_path(path));
}

/* In the grandchild: only async-signal-safe calls from here on. */
static _Noreturn void give_up(int ready, int error)
{
	char answer[] = "errno 0000: ";

	for (char *digit = answer + sizeof("errno 0000") - 2; error > 0; digit--, error /= 10)
		*digit = (char)('0' + error % 10);
	ssize_t written = write(ready, answer, sizeof(answer) - 1);
	(void)written; /* there is no other place to report it */
	_exit(127);
}

/* Of the caller's descriptors it keeps none. */
static void keep_only(int ready)
{
	int null = open("/dev/null", O_RDWR);
	/* out of the way of 0 to 3, wherever they were */
	int high_ready = fcntl(ready, F_DUPFD, READY_FD + 1);
	int high_null = null < 0 ? -1 : fcntl(null, F_DUPFD, READY_FD + 1);

	if (high_ready < 0 || high_null < 0)
		give_up(ready, errno);
	for (int fd = 0; fd < READY_FD; fd++)
		dup2(high_null, fd);
	dup2(high_ready, READY_FD);
	syscall(SYS_close_range, READY_FD + 1, ~0U, 0);
}

static void become_broker(const char *path, char *const arguments[], int ready)
{
	struct sigaction fresh = {.sa_handler = SIG_DFL};
	sigset_t none;

	setsid();
	for (int signum = 1; signum < NSIG; signum++)
		sigaction(signum, &fresh, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	keep_only(ready);
	if (chdir("/") == 0)
		execv(path, arguments);
	/* It was found: what is missing is what it needs. */
	give_up(READY_FD, errno == ENOENT ? ECHILD : errno);
}

/* 0 and the pid of the first child, or -errno. */
static int spawn(const char *path, const char *name, int ready, pid_t *child)
{
	char table[INV_TABLE_NAME_BYTES + 8];
	char ready_option[] = "--ready-fd=3";
	char program[] = "invbroker";

	snprintf(table, sizeof(table), "--table=%s", name);
	char *const arguments[] = {program, table, ready_option, NULL};
	long pid = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		long second = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
		if (second == 0)
			become_broker(path, arguments, ready);
		_exit(second < 0);
	}
	*child = (pid_t)pid;
	return pid < 0 ? -errno : 0;
}

/* "ok", or "errno NUMBER: " and a sentence, or a sentence alone, or nothing where it died. */
static int error_of(const char *answer)
{
	static const char prefix[] = "errno ";

	if (strncmp(answer, "ok", 2) == 0)
		return 0;
	if (strncmp(answer, prefix, sizeof(prefix) - 1) != 0)
		return -ECHILD;
	long error = strtol(answer + sizeof(prefix) - 1, NULL, 10);
	return error > 0 && error < 4096 ? (int)-error : -ECHILD;
}

static int await_ready(int ready)
{
	char answer[256];
	struct pollfd poll_one = {.fd = ready, .events = POLLIN};
	int64_t until_ns = clock_deadline_ns((int64_t)READY_TIMEOUT_MS * 1000000);

	for (;;) {
		int64_t left_ms = (until_ns - clock_monotonic_ns()) / 1000000;
		int events = left_ms > 0 ? poll(&poll_one, 1, (int)left_ms) : 0;
		if (events == 0)
			return -ETIMEDOUT;
		if (events < 0 && errno != EINTR)
			return -errno;
		if (events < 0)
			continue;
		ssize_t length = read(ready, answer, sizeof(answer) - 1);
		answer[length > 0 ? length : 0] = '\0';
		return error_of(answer);
	}
}

int autostart_broker(const char *name)
{
	const char *allowed = secure_getenv("INVCTL_AUTOSTART");
	char path[PATH_BYTES];
	int ready[2], status;
	pid_t child;

	if ((allowed && strcmp(allowed, "0") == 0) || !find_broker(path))
		return -ENOENT;
	if (pipe2(ready, O_CLOEXEC) != 0)
		return -errno;
	int error = spawn(path, name, ready[1], &child);
	close(ready[1]);
	if (!error) {
		while (waitpid(child, &status, __WALL) < 0 && errno == EINTR)
			;
		error = await_ready(ready[0]);
	}
	close(ready[0]);
	return error;
}
