/*
 * Which process is it, and does it live? "No signal ever goes to a recycled pid": a pid
 * with another start, image or namespace is another process.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/process.h"

static int stay(struct fixture *fixture, void *arg)
{
	(void)arg;
	atomic_store(&fixture->counters[0], 1);
	return fixture_stay();
}

static int leave(struct fixture *fixture, void *arg)
{
	(void)fixture;
	(void)arg;
	return 0;
}

static void i_am_alive(void **state)
{
	struct process_identity self;

	(void)state;
	assert_int_equal(process_self(&self), 0);
	assert_int_equal(self.pid, getpid());
	assert_int_equal(self.start, process_start(getpid()));
	assert_int_equal(self.namespace, process_namespace());
	assert_true(self.start > 0 && self.namespace > 0);
	assert_int_equal(process_life(&self), PROCESS_ALIVE);
	int pidfd = process_open(&self);
	assert_true(pidfd >= 0);
	close(pidfd);
}

static void one_that_differs_in_anything_is_another(void **state)
{
	struct process_identity self, other;

	(void)state;
	assert_int_equal(process_self(&self), 0);
	/* A pidfs inode that is equal leaves no doubt, and the start is not asked for. */
	other = self;
	other.pidfs = 0;
	other.start++;
	assert_int_equal(process_life(&other), PROCESS_DEAD);
	assert_int_equal(process_open(&other), -ESRCH);
	if (self.pidfs != 0) {
		other.pidfs = self.pidfs;
		assert_int_equal(process_life(&other), PROCESS_ALIVE);
	}
	if (self.image != 0) {
		other = self;
		other.image ^= 2;
		assert_int_equal(process_life(&other), PROCESS_DEAD);
	}
	if (self.pidfs != 0) {
		other = self;
		other.pidfs++;
		assert_int_equal(process_life(&other), PROCESS_DEAD);
	}
	other = self;
	other.namespace ++;
	assert_int_equal(process_life(&other), PROCESS_UNKNOWN);
	/* What is not known is not compared. */
	other = (struct process_identity){.pid = self.pid};
	assert_int_equal(process_life(&other), PROCESS_ALIVE);
}

static void no_pid_is_no_process(void **state)
{
	static const pid_t none[] = {0, -1, INT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct process_identity identity = {.pid = none[i]};
		assert_int_equal(process_life(&identity), PROCESS_DEAD);
		assert_int_equal(process_open(&identity), -ESRCH);
	}
	assert_int_equal(process_start(INT32_MAX), 0);
}

static void a_zombie_is_dead_and_so_is_who_was_reaped(void **state)
{
	struct fixture *fixture = *state;
	siginfo_t info;
	pid_t child = fixture_fork(fixture, leave, NULL);
	struct process_identity identity = {.pid = child};

	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_life(&identity), PROCESS_DEAD);
	assert_int_equal(fixture_reap(fixture, child), 0);
	assert_int_equal(process_life(&identity), PROCESS_DEAD);
}

static void another_process_is_seen_from_outside(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = fixture_fork(fixture, stay, NULL);
	struct process_identity identity = {.pid = child, .start = process_start(child)};

	assert_true(identity.start > 0);
	assert_int_equal(process_life(&identity), PROCESS_ALIVE);
	fixture_kill(fixture, child);
	assert_int_equal(process_life(&identity), PROCESS_DEAD);
}

static int catch_and_stay(struct fixture *fixture, void *arg)
{
	(void)arg;
	setsid();
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, exit);
	signal(SIGRTMAX, exit);
	atomic_store(&fixture->counters[0], 1);
	return fixture_stay();
}

static void what_proc_says_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct process_status status;
	struct process process;
	pid_t child = fixture_fork(fixture, catch_and_stay, NULL);

	EVENTUALLY(atomic_load(&fixture->counters[0]));
	assert_int_equal(process_read(child, &process), 0);
	assert_int_equal(process.pid, child);
	assert_int_equal(process.parent, getpid());
	assert_int_equal(process.session, child);
#ifdef SANITIZE_THREAD
	assert_in_range(process.threads, 1, 2); /* it has one of its own */
#else
	assert_int_equal(process.threads, 1);
#endif
	assert_int_equal(process.start, process_start(child));
	assert_int_equal(process_read_status(child, &status), 0);
	assert_int_equal(status.uid, getuid());
	assert_int_equal(status.caught & 1ULL << (SIGUSR1 - 1), 0);
	assert_int_not_equal(status.caught & 1ULL << (SIGUSR2 - 1), 0);
	assert_true(status.caught >> (SIGRTMAX - 1) & 1);
	fixture_kill(fixture, child);
	assert_int_equal(process_read(child, &process), -ESRCH);
	assert_int_equal(process_read_status(child, &status), -ESRCH);
}

static void any_name_can_be_read(void **state)
{
	static const char *const names[] = {"plain", ") R 1 2 3", "(((", "a b  c",
	                                    "fifteen bytes!!"};
	char before[16], command[16];
	struct process process;

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, before), 0);
	uint64_t start = process_start(getpid());
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(prctl(PR_SET_NAME, names[i]), 0);
		process_command(getpid(), command);
		assert_string_equal(command, names[i]);
		assert_int_equal(process_read(getpid(), &process), 0);
		assert_string_equal(process.name, names[i]);
		assert_int_equal(process_start(getpid()), start);
	}
	assert_int_equal(prctl(PR_SET_NAME, before), 0);
	process_command(INT32_MAX, command);
	assert_string_equal(command, "");
}

static bool enter_time_namespace(const char *offsets)
{
	if (!fixture_permitted(unshare(CLONE_NEWTIME) == 0, "unshare(CLONE_NEWTIME)"))
		return false;
	int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, offsets, strlen(offsets)) == (ssize_t)strlen(offsets);
	close(fd);
	return written;
}

static int verdict_of_child(bool (*holds)(const struct process_identity *), const void *arg)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(holds(arg) ? 0 : 1);
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

/* identities: one that lives, and one that had its pid before. */
static bool judges_by_start(const struct process_identity *identities)
{
	return process_life(&identities[0]) == PROCESS_ALIVE &&
	       process_life(&identities[1]) == PROCESS_DEAD &&
	       process_starts_equal(process_start(identities[0].pid), identities[0].start);
}

static int look_from_time_namespace(struct fixture *fixture, void *arg)
{
	(void)fixture;
	if (!enter_time_namespace("boottime 100000 0\n"))
		return NOT_PERMITTED;
	return verdict_of_child(judges_by_start, arg);
}

/* Not a whole number of clock ticks. */
static int look_from_odd_time_namespace(struct fixture *fixture, void *arg)
{
	(void)fixture;
	if (!enter_time_namespace("boottime 100000 4999999\n"))
		return NOT_PERMITTED;
	return verdict_of_child(judges_by_start, arg);
}

/* Its boot was after the process had started. */
static int look_from_later_time_namespace(struct fixture *fixture, void *arg)
{
	const struct process_identity *identities = arg;
	char offsets[64];

	(void)fixture;
	snprintf(offsets, sizeof(offsets), "boottime -%llu 0\n",
	         (unsigned long long)(identities[0].start / 100));
	if (!enter_time_namespace(offsets))
		return NOT_PERMITTED;
	return verdict_of_child(judges_by_start, arg);
}

/* "The table stays consistent": a live owner is not found dead from another time namespace,
 * where the kernel shows other start times. */
static void a_time_namespace_changes_no_identity(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = fixture_fork(fixture, stay, NULL);
	uint64_t start = process_start(child);
	struct process_identity identities[] = {{.pid = child, .start = start},
	                                        {.pid = child, .start = start - 2}};

	fixture_assert_holds(fixture, look_from_time_namespace, identities);
	fixture_assert_holds(fixture, look_from_odd_time_namespace, identities);
	fixture_assert_holds(fixture, look_from_later_time_namespace, identities);
}

static int look_without_proc(struct fixture *fixture, void *arg)
{
	const struct process_identity *identities = arg; /* one that lives, and a dead one */
	struct process_identity self;
	char command[16];

	(void)fixture;
	process_namespace();
	if (!fixture_own_mounts() || mount("nothing", "/proc", "tmpfs", 0, NULL) != 0)
		return NOT_PERMITTED;
	if (process_self(&self) != -ENOENT || process_start(identities[0].pid) != 0)
		return 1;
	process_command(getpid(), command);
	if (command[0] != '\0')
		return 2;
	if (process_life(&identities[0]) != PROCESS_ALIVE)
		return 3;
	return process_life(&identities[1]) == PROCESS_DEAD ? 0 : 4;
}

/* /proc may hide others, or not be there: the kernel's word for a living process is enough. */
static void without_proc_the_living_live_and_the_dead_are_dead(void **state)
{
	struct fixture *fixture = *state;
	pid_t living = fixture_fork(fixture, stay, NULL), dead = fixture_fork(fixture, leave, NULL);
	struct process_identity identities[] = {
	        {.pid = living, .start = process_start(living)},
	        {.pid = dead, .start = process_start(dead)},
	};

	assert_int_equal(fixture_reap(fixture, dead), 0);
	fixture_assert_holds(fixture, look_without_proc, identities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(i_am_alive),
	        cmocka_unit_test(one_that_differs_in_anything_is_another),
	        cmocka_unit_test(no_pid_is_no_process),
	        NO_TABLE_TEST(a_zombie_is_dead_and_so_is_who_was_reaped),
	        NO_TABLE_TEST(another_process_is_seen_from_outside),
	        NO_TABLE_TEST(without_proc_the_living_live_and_the_dead_are_dead),
	        NO_TABLE_TEST(a_time_namespace_changes_no_identity),
	        NO_TABLE_TEST(what_proc_says_is_read),
	        cmocka_unit_test(any_name_can_be_read),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
