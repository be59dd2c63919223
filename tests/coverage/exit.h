/*
 * Put in front of every file of the coverage build: gcov writes at exit(3) alone, and with this
 * what a process has run counts also where it ends by _exit or turns into another program.
 * What ends by a signal does not count.
 */
#ifndef COVERAGE_EXIT_H
#define COVERAGE_EXIT_H

#include <gcov.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a test has given up is needed to write. */
static inline void lift(__rlimit_resource_t resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(resource, &limit);
	}
}

static inline _Noreturn void counted_exit(int status)
{
	if (seteuid(getuid()) != 0)
		_exit(status);
	lift(RLIMIT_FSIZE);
	lift(RLIMIT_NOFILE);
	lift(RLIMIT_AS);
	__gcov_dump();
	_exit(status);
}

static inline int counted_execv(const char *path, char *const arguments[])
{
	__gcov_dump();
	__gcov_reset(); /* where it fails, what comes after is written as well */
	return execv(path, arguments);
}

#define _exit(status) counted_exit(status)
#define execv(path, arguments) counted_execv(path, arguments)

#endif
