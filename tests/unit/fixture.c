/* What the unit tests share: see fixture.h. */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/broker.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/uuid.h"
#include "table/index.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

enum { ORDINARY_TABLE = 1000, PATIENCE_S = 60, KILLED_BY = 256 };

int64_t patience_begin(void)
{
	return clock_monotonic_ns();
}

bool patience_left(int64_t begun_ns)
{
	struct timespec moment = {.tv_nsec = MILLISECOND};

	nanosleep(&moment, NULL);
	return clock_monotonic_ns() - begun_ns < PATIENCE_S * SECOND;
}

void fixture_path(const struct fixture *fixture, char path[128])
{
	snprintf(path, 128, "/dev/shm/%s", fixture->name);
}

int fixture_make_table(struct fixture *fixture, uint32_t capacity)
{
	struct broker_create create = {.name = fixture->name, .capacity = capacity};
	bool created;

	return broker_open(&create, &fixture->table, &created);
}

static int set_up(void **state, uint32_t capacity)
{
	static int count;
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	*state = fixture;
	snprintf(fixture->name, sizeof(fixture->name), "unit-%d-%d", (int)getpid(), count++);
	snprintf(fixture->state_directory, sizeof(fixture->state_directory), "/tmp/%.40s-XXXXXX",
	         fixture->name);
	if (!mkdtemp(fixture->state_directory))
		return -1;
	fixture->counters = mmap(NULL, COUNTERS * sizeof(int), PROT_READ | PROT_WRITE,
	                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fixture->counters == MAP_FAILED)
		return -1;
	setenv("INVCTL_TABLE", fixture->name, 1);
	setenv("INVCTL_STATE_DIR", fixture->state_directory, 1);
	setenv("INVCTL_AUTOSTART", "0", 1);
	unsetenv("INVCTL_ID");
	return capacity ? fixture_make_table(fixture, capacity) : 0;
}

int fixture_set_up(void **state)
{
	return set_up(state, ORDINARY_TABLE);
}

int fixture_set_up_small(void **state)
{
	return set_up(state, SMALL_TABLE);
}

int fixture_set_up_without_table(void **state)
{
	return set_up(state, 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

int fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	for (int i = 0; i < CHILDREN_MAX; i++)
		if (fixture->children[i] != 0)
			fixture_kill(fixture, fixture->children[i]);
	unsetenv("INVCTL_ID");
	inv_close(fixture->table);
	fixture_path(fixture, path);
	remove(path);
	nftw(fixture->state_directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	munmap((void *)fixture->counters, COUNTERS * sizeof(int));
	free(fixture);
	return 0;
}

pid_t fixture_fork(struct fixture *fixture, int (*task)(struct fixture *, void *), void *arg)
{
	int place = 0;

	while (place < CHILDREN_MAX && fixture->children[place] != 0)
		place++;
	assert_true(place < CHILDREN_MAX);
	pid_t test = getpid();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		memset(fixture->children, 0, sizeof(fixture->children));
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(getppid() == test ? task(fixture, arg) : 1);
	}
	fixture->children[place] = child;
	return child;
}

static void forget(struct fixture *fixture, pid_t child)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (fixture->children[i] == child)
			fixture->children[i] = 0;
}

int fixture_reap(struct fixture *fixture, pid_t child)
{
	int status = 0;
	pid_t reaped = 0;

	AWAIT((reaped = waitpid(child, &status, WNOHANG)) != 0);
	if (reaped == 0) {
		kill(child, SIGKILL);
		reaped = waitpid(child, &status, 0);
	}
	forget(fixture, child);
	assert_int_equal(reaped, child);
	return WIFSIGNALED(status) ? KILLED_BY + WTERMSIG(status) : WEXITSTATUS(status);
}

void fixture_kill(struct fixture *fixture, pid_t child)
{
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	forget(fixture, child);
}

int fixture_stay(void)
{
	for (;;)
		pause();
}

static void *outlive_first_thread(void *arg)
{
	(void)arg;
	fixture_stay();
	return NULL;
}

int fixture_end_first_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, outlive_first_thread, NULL) != 0)
		return 1;
	/* not pthread_exit: it would unwind into the test's frames */
	for (;;)
		syscall(SYS_exit, 0);
}

bool fixture_first_thread_ended(pid_t process)
{
	return process_state(process) == 'Z';
}

int fixture_own_and_stay(struct fixture *fixture, void *id)
{
	inv_event *event;

	if (inv_event_create(fixture->table, id, &event) != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[0], 1);
	return fixture_stay();
}

bool fixture_permitted(bool permitted, const char *what)
{
	if (!permitted)
		dprintf(STDOUT_FILENO, "# not permitted here: %s: %s\n", what, strerror(errno));
	return permitted;
}

bool fixture_own_mounts(void)
{
	return fixture_permitted(unshare(CLONE_NEWNS) == 0 &&
	                                 mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	                         "mounts of its own");
}

void fixture_need_root(void)
{
	errno = EPERM;
	if (!fixture_permitted(geteuid() == 0, "what root may"))
		skip();
}

int fixture_reap_permitted(struct fixture *fixture, pid_t child)
{
	int status = fixture_reap(fixture, child);

	if (status == NOT_PERMITTED)
		skip();
	return status;
}

void fixture_assert_holds(struct fixture *fixture, int (*task)(struct fixture *, void *), void *arg)
{
	pid_t child = fixture_fork(fixture, task, arg);

	assert_int_equal(fixture_reap_permitted(fixture, child), 0);
}

void fixture_id(uint8_t id[16])
{
	assert_int_equal(uuid_fresh(id), 0);
}

void fixture_environment(const uint8_t *id)
{
	char text[37];

	if (!id) {
		unsetenv("INVCTL_ID");
		return;
	}
	inv_id_format(id, text);
	setenv("INVCTL_ID", text, 1);
}

bool fixture_asleep(pid_t process, pid_t thread)
{
	char path[64], text[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)process, (int)thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	long call = length > 0 && text[0] != 'r' ? strtol(text, NULL, 10) : -1;
	return call == SYS_futex || call == SYS_futex_waitv || call == SYS_clock_nanosleep;
}

int fixture_live(struct fixture *fixture)
{
	const inv_table *table = fixture->table;
	int live = 0;

	for (uint32_t i = 0, extent = index_extent(table); i < extent; i++)
		live += control_state(atomic_load(&table->control[i])) == SLOT_LIVE;
	return live;
}

struct inv_info fixture_info(struct fixture *fixture, const uint8_t id[16])
{
	struct inv_info info;

	assert_int_equal(inv_info_get(fixture->table, id, &info), 0);
	return info;
}

int64_t fixture_retire(struct fixture *fixture, int64_t retain_ns,
                       void (*freed)(const uint8_t id[16], void *), void *arg)
{
	struct broker_retirement pass = {0};

	assert_false(broker_retire(fixture->table, &pass, retain_ns, INV_FOREVER, freed, arg));
	return pass.next_ns;
}

void fixture_assert_lost(struct fixture *fixture, const uint8_t id[16])
{
	struct inv_info info = fixture_info(fixture, id);

	assert_int_equal(info.status, INV_ERROR);
	assert_int_equal(info.cause, INV_CAUSE_LOST);
}

/* The broker beside the tests, two folders up. */
void fixture_use_built_broker(void)
{
	char directory[4096], path[8192];
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);

	assert_true(length > 0);
	directory[length] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(directory, '/') = '\0';
	snprintf(path, sizeof(path), "%s/invbroker", directory);
	if (!fixture_permitted(access(path, X_OK) == 0, path))
		skip();
	snprintf(path, sizeof(path), "%s:%s", directory, getenv("PATH"));
	setenv("PATH", path, 1);
	setenv("INVCTL_AUTOSTART", "1", 1);
}

int fixture_set_up_for_broker(void **state)
{
	/* Brokers come to this test when those who started them end. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return fixture_set_up_without_table(state);
}

pid_t fixture_broker(inv_table *table)
{
	struct inv_table_info info;

	return table && inv_table_info_get(table, &info) == 0 && info.serving ? info.broker_pid : 0;
}

void fixture_end_broker(inv_table *table, int signum)
{
	pid_t broker = fixture_broker(table);

	if (broker == 0)
		return;
	kill(broker, signum);
	AWAIT(waitpid(broker, NULL, WNOHANG) != 0 && kill(broker, 0) != 0);
}

int fixture_tear_down_with_broker(void **state)
{
	struct fixture *fixture = *state;

	if (!fixture->table)
		inv_open(&fixture->table, fixture->name, 0);
	fixture_end_broker(fixture->table, SIGTERM);
	return fixture_tear_down(state);
}
