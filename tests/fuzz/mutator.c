/*
 * Promise: a table whose bytes change under those who use it, that has holes punched into
 * it, or that is truncated, makes nobody crash or hang who has asked for the SIGBUS
 * guard; and each invctl command on it ends with a status that it documents.
 *
 *   mutator INVCTL
 *
 * For each harm: actors use a table through the library, a process does the harm, and
 * commands are run on it. Every wait is bounded; what is still there then is ended and
 * counted as failed.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/broker.h"
#include "table/table.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { ACTORS = 4, IDS = 12, TABLE_CAPACITY = 48, ROUNDS_LEAST = 1000, ROUNDS_MOST = 1000000 };
enum { HARMS_AT_ONCE = 200, COMMAND_ROUNDS = 10, PATIENCE_MS = 60000, COMMAND_PATIENCE_MS = 20000 };
enum { STATUS_HUNG = -1, STATUS_KILLED = 1000, ACTOR_REFUSED = 3 };

struct stage {
	char name[INV_TABLE_NAME_BYTES];
	inv_table *table;
	int fd;
	struct geometry geometry;
	unsigned char *pristine; /* an empty segment, which the harm puts back now and then */
	_Atomic bool *over; /* shared: the commands have been run, so that harm and use may end */
	_Atomic unsigned *rounds; /* shared: what the actors have done */
};

static unsigned passed, failed;
static const char *invctl;

static void verdict(bool good, const char *harm, const char *what)
{
	printf("%s %s: %s\n", good ? "ok" : "not ok", harm, what);
	fflush(stdout);
	if (good)
		passed++;
	else
		failed++;
}

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static const uint8_t *id_of(uint64_t which, uint8_t id[16])
{
	memset(id, 0x4a, 16);
	id[0] = (uint8_t)(1 + which % IDS);
	return id;
}

static int count_row(const struct inv_info *info, void *arg)
{
	*(size_t *)arg += strlen(info->name);
	return 0;
}

static void use_event(inv_event *event)
{
	inv_event_is_set(event);
	inv_event_wait(event, 1000);
	inv_event_set(event, "reason");
	inv_event_check(event);
	inv_event_sleep(event, 1000);
	inv_event_clear(event);
	inv_event_put(event);
}

static void act_once(inv_table *table, uint64_t what)
{
	struct inv_table_info table_info;
	inv_invocation *invocation;
	struct inv_info info;
	inv_event *event;
	uint8_t id[16];
	size_t bytes = 0;

	id_of(what >> 8, id);
	switch (what % 10) {
	case 0:
		if (inv_event_get(table, id, &event) == 0)
			use_event(event);
		break;
	case 1:
		if (inv_event_find(table, id, &event) == 0)
			use_event(event);
		break;
	case 2:
		inv_list(table, count_row, &bytes);
		break;
	case 3:
		/* No signal: an actor maps the table, so that a forged row may name it. */
		inv_cancel(table, id, 0, "reason");
		break;
	case 4:
		inv_wait(table, id, 1000);
		break;
	case 5:
		inv_info_get(table, id, &info);
		break;
	case 6:
		inv_table_info_get(table, &table_info);
		break;
	case 7:
		inv_pause(table, id, 0);
		break;
	case 8:
		inv_resume(table, id, 0);
		break;
	default:
		if (inv_invocation_begin(table, id, "actor", &invocation) != 0)
			break;
		inv_check();
		inv_shield_begin();
		inv_progress(50, "half");
		inv_shield_end();
		inv_invocation_end(invocation, INV_COMPLETED);
		break;
	}
}

static void interrupt(int signum)
{
	(void)signum;
}

/* Any writer of the table may pause what is in it; a handler ends a check that stops for it. */
static void never_stop_for_long(void)
{
	const struct sigaction action = {.sa_handler = interrupt};
	const struct itimerval often = {{0, 20000}, {0, 20000}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static int actor(const struct stage *stage, uint64_t seed, int ready)
{
	inv_table *table;

	if (inv_open(&table, stage->name, INV_OPEN_GUARD) != 0)
		return ACTOR_REFUSED;
	if (write(ready, "", 1) != 1)
		return ACTOR_REFUSED;
	never_stop_for_long();
	for (int round = 0; round < ROUNDS_MOST; round++) {
		if (round >= ROUNDS_LEAST && atomic_load(stage->over))
			break;
		act_once(table, draw(&seed));
		atomic_fetch_add(stage->rounds, 1);
	}
	inv_close(table);
	return 0;
}

/* What was damaged beyond use is put right again, so that there is something to damage. */
static void put_right(const struct stage *stage)
{
	if (pwrite(stage->fd, stage->pristine, stage->geometry.bytes, 0) < 0)
		_exit(1);
}

static void flip(const struct stage *stage, uint64_t seed)
{
	unsigned char *bytes =
	        mmap(NULL, stage->geometry.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, stage->fd, 0);

	if (bytes == MAP_FAILED)
		_exit(1);
	while (!atomic_load(stage->over)) {
		for (int i = 0; i < HARMS_AT_ONCE; i++) {
			uint64_t value = draw(&seed);
			/* Not the geometry, and mostly not the rows' text. */
			size_t end = value >> 60 ? stage->geometry.slots_at : stage->geometry.bytes;
			bytes[128 + (value >> 16) % (end - 128)] ^=
			        (unsigned char)(1u << (value & 7));
			sched_yield();
		}
		put_right(stage);
	}
}

static void punch(const struct stage *stage, uint64_t seed)
{
	while (!atomic_load(stage->over)) {
		off_t page = 1 + (off_t)(draw(&seed) % (stage->geometry.bytes / LAYOUT_PAGE - 1));
		if (fallocate(stage->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		              page * LAYOUT_PAGE, LAYOUT_PAGE) != 0)
			_exit(1);
		sched_yield();
	}
}

static void cut(const struct stage *stage, uint64_t seed)
{
	(void)seed;
	while (atomic_load(stage->rounds) < ROUNDS_LEAST)
		sched_yield();
	if (ftruncate(stage->fd, (off_t)stage->geometry.slots_at) != 0 ||
	    ftruncate(stage->fd, LAYOUT_PAGE) != 0 || ftruncate(stage->fd, 0) != 0)
		_exit(1);
}

/* Its exit status; STATUS_KILLED and the signal; STATUS_HUNG, and it is ended. */
static int status_of(pid_t pid, int patience_ms)
{
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	int status = 0;
	bool hung = ended.fd >= 0 && poll(&ended, 1, patience_ms) == 0;

	if (hung)
		kill(pid, SIGKILL);
	if (ended.fd >= 0)
		close(ended.fd);
	if (waitpid(pid, &status, 0) != pid)
		return STATUS_HUNG;
	if (hung)
		return STATUS_HUNG;
	return WIFSIGNALED(status) ? STATUS_KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static int run_command(const char *const arguments[])
{
	pid_t pid = child();

	if (pid < 0)
		return STATUS_HUNG;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, STDOUT_FILENO);
		if (!getenv("MUTATOR_VERBOSE"))
			dup2(null, STDERR_FILENO);
		execv(invctl, (char *const *)(uintptr_t)arguments);
		_exit(1);
	}
	return status_of(pid, COMMAND_PATIENCE_MS);
}

/* 0 to 2, or one of invctl's own. */
static bool defined(int status)
{
	return (status >= 0 && status <= 2) || (status >= 113 && status <= 119) || status == 122 ||
	       status == 124 || status == 125 || status == 137;
}

static bool try_commands(const struct stage *stage)
{
	static const char id[] = "014a4a4a-4a4a-4a4a-4a4a-4a4a4a4a4a4a";
	char table[INV_TABLE_NAME_BYTES + 8];
	const char *const commands[][6] = {
	        {invctl, table, "list", "--all", NULL},
	        {invctl, table, "list", "--json", NULL},
	        {invctl, table, "list", "--tree", NULL},
	        {invctl, table, "show", id, NULL},
	        {invctl, table, "show", "--json", id, NULL},
	        {invctl, table, "cancel", id, NULL},
	        {invctl, table, "cancel", "-v", "--name=*", NULL},
	        {invctl, table, "wait", "--timeout=10ms", id, NULL},
	        {invctl, table, "pause", "--all", NULL},
	        {invctl, table, "resume", "--all", NULL},
	        {invctl, table, "status", NULL},
	        {invctl, table, "status", "--json", NULL},
	};
	bool good = true;

	snprintf(table, sizeof(table), "--table=%s", stage->name);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int status = run_command(commands[i]);
		if (defined(status))
			continue;
		printf("# invctl %s %s: status %d\n", commands[i][2],
		       commands[i][3] ? commands[i][3] : "", status);
		good = false;
	}
	return good;
}

static void make_stage(struct stage *stage, unsigned number)
{
	struct broker_create create = {.name = stage->name, .capacity = TABLE_CAPACITY};
	const char *name = getenv("FUZZ_TABLE");
	bool created;

	snprintf(stage->name, sizeof(stage->name), "%s-live-%u", name ? name : "mutator", number);
	if (broker_open(&create, &stage->table, &created) != 0 || !created) {
		fprintf(stderr, "mutator: the table can't be made\n");
		exit(1);
	}
	stage->fd = dup(broker_table_fd(stage->table));
	stage->geometry = stage->table->geometry;
	stage->pristine = malloc(stage->geometry.bytes);
	void *shared =
	        mmap(NULL, LAYOUT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage->fd < 0 || !stage->pristine || shared == MAP_FAILED)
		exit(1);
	memcpy(stage->pristine, stage->table->base, stage->geometry.bytes);
	stage->rounds = shared;
	stage->over = (_Atomic bool *)shared + sizeof(*stage->rounds);
}

static void remove_stage(struct stage *stage)
{
	inv_close(stage->table);
	close(stage->fd);
	shm_unlink(stage->name);
	free(stage->pristine);
	munmap(stage->rounds, LAYOUT_PAGE);
}

/* Start the actors; returns when each has attached. */
static void start_actors(const struct stage *stage, pid_t pids[ACTORS])
{
	int ready[2];
	char byte;

	if (pipe(ready) != 0)
		exit(1);
	for (int i = 0; i < ACTORS; i++) {
		pids[i] = child();
		if (pids[i] == 0)
			_exit(actor(stage, 0x9e3779b97f4a7c15u * (uint64_t)(i + 1), ready[1]));
	}
	close(ready[1]);
	for (int i = 0; i < ACTORS && read(ready[0], &byte, 1) == 1; i++)
		;
	close(ready[0]);
}

static void try_harm(unsigned number, const char *name,
                     void (*harm)(const struct stage *stage, uint64_t seed))
{
	struct stage stage = {0};
	pid_t actors[ACTORS];
	bool good = true, harmed;

	make_stage(&stage, number);
	start_actors(&stage, actors);
	pid_t harming = child();
	if (harming == 0) {
		harm(&stage, 0x2545f4914f6cdd1du + number);
		_exit(0);
	}
	bool commands = true;
	for (int round = 0; round < COMMAND_ROUNDS; round++)
		commands = try_commands(&stage) && commands;
	atomic_store(stage.over, true);
	harmed = status_of(harming, PATIENCE_MS) == 0;
	for (int i = 0; i < ACTORS; i++) {
		int status = status_of(actors[i], PATIENCE_MS);
		if (status != 0)
			printf("# actor %d: status %d\n", i, status);
		good = good && status == 0;
	}
	printf("# %s: %u rounds of use\n", name, atomic_load(stage.rounds));
	verdict(harmed, name, "the harm was done");
	verdict(good, name, "no actor crashes or hangs");
	verdict(commands && try_commands(&stage), name,
	        "every command ends with a status of its own");
	remove_stage(&stage);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: mutator INVCTL\n");
		return 2;
	}
	invctl = argv[1];
	setenv("INVCTL_AUTOSTART", "0", 1);
	unsetenv("INVCTL_ID");
	try_harm(0, "bytes are flipped", flip);
	try_harm(1, "holes are punched", punch);
	try_harm(2, "the table is truncated", cut);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
