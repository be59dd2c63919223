/*
 * What whoever starts a broker is told, and what a broker is started with: a clear error at once
 * where it can't serve; "it keeps none of the caller's descriptors". The broker is a script
 * that stands in the search path.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table/table.h"

enum { SHOWN_BYTES = 4096 };

static void write_broker(struct fixture *fixture, const char *text)
{
	char path[128];

	/* An installed one would be found first. */
	if (access(INV_LIBEXECDIR "/invbroker", X_OK) == 0 ||
	    access(INV_BINDIR "/invbroker", X_OK) == 0)
		skip();
	snprintf(path, sizeof(path), "%s/invbroker", fixture->state_directory);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	setenv("INVCTL_AUTOSTART", "1", 1);
}

/* In the midst of others, which hold none. */
static void use_search_path(struct fixture *fixture)
{
	char path[256];

	snprintf(path, sizeof(path), ":/nowhere:/usr/bin:%s:/bin", fixture->state_directory);
	setenv("PATH", path, 1);
}

static void what_it_answers_is_what_the_starter_is_told(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *answer;
		int error;
	} cases[] = {
	        {"ok", 0},
	        {"errno 28: no room in /dev/shm", -ENOSPC},
	        {"errno 13: not yours", -EACCES},
	        {"errno 0: nothing", -ECHILD},
	        {"errno 99999: no such number", -ECHILD},
	        {"errno x", -ECHILD},
	        {"something is wrong", -ECHILD},
	        {"", -ECHILD},
	};
	char script[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(script, sizeof(script), "#!/bin/sh\nprintf '%%s' '%s' >&3\n",
		         cases[i].answer);
		write_broker(fixture, script);
		use_search_path(fixture);
		assert_int_equal(autostart_broker(fixture->name), cases[i].error);
	}
}

static void one_that_can_not_be_executed_is_told_of_at_once(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table;

	write_broker(fixture, "#!/no/such/interpreter\n");
	use_search_path(fixture);
	assert_int_equal(inv_open(&table, fixture->name, INV_OPEN_AUTOSTART), -ECHILD);
	assert_null(table);
}

static void where_there_is_none_there_is_no_table(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table;

	write_broker(fixture, "");
	setenv("PATH", ":/nowhere::/nowhere/either", 1);
	assert_int_equal(inv_open(&table, fixture->name, INV_OPEN_AUTOSTART), -ENOENT);
	unsetenv("PATH");
	assert_int_equal(inv_open(&table, fixture->name, INV_OPEN_AUTOSTART), -ENOENT);
}

/* It tells what it was started with. */
static const char showing[] = "#!/bin/sh\n"
                              "{\n"
                              "echo \"$*\"\n"
                              "for fd in 0 1 2; do readlink \"/proc/$$/fd/$fd\"; done\n"
                              "pwd\n"
                              "ls \"/proc/$$/fd\"\n"
                              "} >\"${0%/*}/shown.new\"\n"
                              "mv \"${0%/*}/shown.new\" \"${0%/*}/shown\"\n"
                              "printf ok >&3\n";

static int start_without_standard_descriptors(struct fixture *fixture, void *arg)
{
	(void)arg;
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	/* One that lies in the way of the pipe. */
	if (open("/dev/null", O_RDONLY) != 0)
		return 1;
	return -autostart_broker(fixture->name);
}

static int start_with_many_descriptors(struct fixture *fixture, void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++)
		if (open("/dev/zero", O_RDONLY) < 0) /* on purpose without O_CLOEXEC */
			return 1;
	return -autostart_broker(fixture->name);
}

static void assert_started_bare(struct fixture *fixture, int (*start)(struct fixture *, void *))
{
	char path[128], shown[SHOWN_BYTES] = "", wanted[256];

	snprintf(path, sizeof(path), "%s/shown", fixture->state_directory);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, start, NULL)), 0);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t length = fread(shown, 1, sizeof(shown) - 1, file);
	fclose(file);
	shown[length] = '\0';
	/* The shell reads its script from 10, and its output has gone to the file. */
	snprintf(wanted, sizeof(wanted), "--table=%s --ready-fd=3\n/dev/null\n", fixture->name);
	assert_memory_equal(shown, wanted, strlen(wanted));
	assert_non_null(strstr(shown, "/dev/null\n/\n0\n1\n"));
	assert_null(strstr(shown, "\n4\n"));
	assert_null(strstr(shown, "\n20\n"));
	remove(path);
}

static void it_starts_with_nothing_of_the_starters(void **state)
{
	struct fixture *fixture = *state;

	write_broker(fixture, showing);
	use_search_path(fixture);
	assert_started_bare(fixture, start_with_many_descriptors);
	assert_started_bare(fixture, start_without_standard_descriptors);
}

static volatile sig_atomic_t signals;

static void count_signal(int signum)
{
	(void)signum;
	signals++;
}

static int start_while_signalled(struct fixture *fixture, void *arg)
{
	struct sigaction action = {.sa_handler = count_signal}; /* without SA_RESTART */
	char pid[16];

	(void)arg;
	sigaction(SIGUSR1, &action, NULL);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("STARTER", pid, 1);
	int error = autostart_broker(fixture->name);
	return error ? -error : signals == 0;
}

static void a_signal_does_not_disturb_the_start(void **state)
{
	struct fixture *fixture = *state;

	write_broker(fixture, "#!/bin/sh\n"
	                      "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
	                      "	kill -USR1 \"$STARTER\"\n"
	                      "	/bin/true\n"
	                      "done\n"
	                      "printf ok >&3\n");
	use_search_path(fixture);
	pid_t starter = fixture_fork(fixture, start_while_signalled, NULL);
	assert_int_equal(fixture_reap(fixture, starter), 0);
}

static int start_without_descriptors(struct fixture *fixture, void *arg)
{
	struct rlimit limit;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)arg;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)fd + 1;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1;
	while (dup(0) >= 0)
		;
	return -autostart_broker(fixture->name);
}

static void without_descriptors_none_is_started(void **state)
{
	struct fixture *fixture = *state;

	write_broker(fixture, "#!/bin/sh\nprintf ok >&3\n");
	use_search_path(fixture);
	pid_t starter = fixture_fork(fixture, start_without_descriptors, NULL);
	assert_int_equal(fixture_reap(fixture, starter), EMFILE);
}

static int set_up(void **state)
{
	const char *path = getenv("PATH");

	setenv("FORMER_PATH", path ? path : "", 0);
	return fixture_set_up_without_table(state);
}

static int tear_down(void **state)
{
	setenv("PATH", getenv("FORMER_PATH"), 1);
	return fixture_tear_down(state);
}

#define START_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        START_TEST(what_it_answers_is_what_the_starter_is_told),
	        START_TEST(one_that_can_not_be_executed_is_told_of_at_once),
	        START_TEST(where_there_is_none_there_is_no_table),
	        START_TEST(it_starts_with_nothing_of_the_starters),
	        START_TEST(a_signal_does_not_disturb_the_start),
	        START_TEST(without_descriptors_none_is_started),
	};

	return cmocka_run_group_tests_name("start", tests, NULL, NULL);
}
