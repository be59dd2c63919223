/*
 * The scenes of the fuzzer: see scene.h.
 *
 * The library is linked with --wrap for syscall, mmap and munmap:
 *   - a mapping of a segment is laid between pages that nobody may touch, so that an
 *     access outside it is a crash however near it is;
 *   - a signal is not sent but judged. The fuzzer's own process maps the table, so
 *     that a forged row may name it; any other process does not, and must not be reached.
 */
#include "scene.h"

#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/broker.h"
#include "api/invocation.h"
#include "invctl-supervisor.h"
#include "os/process.h"
#include "table/slot.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, PID_SHIFT = 2, NAMESPACE_SHIFT = 24, OWNER_ACTIVE = 2 };

static const uint32_t capacities[SCENE_CAPACITIES] = {16, 64, 300};
static struct scene scenes[SCENE_CAPACITIES];
static pid_t bystander;
static char *arena;
static size_t arena_used;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t bytes);
int __wrap_munmap(void *at, size_t bytes);

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* The pid behind a pidfd. */
static long pid_of(int pidfd)
{
	char path[48], line[128];
	long pid = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "Pid:", 4) == 0)
			pid = strtol(line + 4, NULL, 10);
	fclose(file);
	return pid;
}

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number != SYS_pidfd_send_signal)
		return __real_syscall(number, a, b, c, d, e, f);
	if (pid_of((int)a) != (long)getpid())
		fail("a signal was sent to a process that does not use the table");
	return 0;
}

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	size_t pages = (bytes + LAYOUT_PAGE - 1) / LAYOUT_PAGE * LAYOUT_PAGE;

	if (!(flags & MAP_SHARED) || flags & MAP_ANONYMOUS)
		return __real_mmap(at, bytes, protection, flags, fd, offset);
	if (!arena)
		arena = __real_mmap(NULL, ARENA_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		                    0);
	if (arena == MAP_FAILED || arena_used != 0 || pages + (size_t)2 * LAYOUT_PAGE > ARENA_BYTES)
		return __real_mmap(at, bytes, protection, flags, fd, offset);
	arena_used = pages;
	return __real_mmap(arena + LAYOUT_PAGE, bytes, protection, flags | MAP_FIXED, fd, offset);
}

int __wrap_munmap(void *at, size_t bytes)
{
	if (!arena || at != arena + LAYOUT_PAGE)
		return __real_munmap(at, bytes);
	at = __real_mmap(at, arena_used, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	arena_used = 0;
	return at == MAP_FAILED ? -1 : 0;
}

/* Before any table is mapped, so that it maps none. It ends with its parent. */
static void start_bystander(void)
{
	pid_t parent = getpid();

	bystander = fork();
	if (bystander < 0)
		fail("no process could be started");
	if (bystander > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	for (;;)
		pause();
}

void scene_check_bystander(void)
{
	if (waitpid(bystander, NULL, WNOHANG) != 0)
		fail("the bystander was killed");
}

const uint8_t *scene_id(unsigned which)
{
	static uint8_t id[16];

	memset(id, 0x40, sizeof(id));
	id[0] = (uint8_t)(1 + which % (SCENE_IDS + SCENE_ABSENT));
	id[15] = id[0];
	return id;
}

/* An entry and a row that name a process which does not use the table. */
static void plant_bystander(inv_table *table)
{
	struct owner_entry *entry = &table->owners[BYSTANDER_OWNER];
	uint64_t namespace = process_namespace();
	struct slot_ref ref;
	uint64_t word;

	atomic_store(&entry->start, process_start(bystander));
	atomic_store(&entry->namespace, (uint32_t) namespace);
	atomic_store(&entry->pidfs, 0);
	atomic_store(&entry->image, 0);
	atomic_store(&entry->word, (uint64_t)1 << 40 | (namespace & 0xffff) << NAMESPACE_SHIFT |
	                                   (uint64_t)bystander << PID_SHIFT | OWNER_ACTIVE);
	if (slot_find(table, scene_id(1), &ref, &word) != 0)
		fail("the scene lacks its rows");
	slot_adopt(table, ref.index, word, BYSTANDER_OWNER);
}

static void register_run(inv_table *table, unsigned which, const uint8_t *parent, unsigned flags)
{
	uint8_t id[16];
	struct inv_run_options options = {.id = id,
	                                  .parent = parent,
	                                  .name = "run",
	                                  .signal = SIGTERM,
	                                  .deadline_ns = INT64_C(1000000000000),
	                                  .signal_after_ns = INV_FOREVER,
	                                  .kill_after_ns = 1000000,
	                                  .nested_wait_ns = 1000000,
	                                  .flags = flags};
	inv_invocation *invocation;

	memcpy(id, scene_id(which), sizeof(id));
	if (inv_run_register(table, &options, &invocation) != 0)
		fail("the scene could not register");
	inv_run_started(invocation, getpid());
	if (which == 5) {
		struct inv_run_result result = {.wait_known = 1};
		inv_run_end(invocation, &result);
	}
}

/* Two calls, a chain of runs (one of them finished), a context's worth of events, a request. */
static void populate(inv_table *table)
{
	inv_invocation *invocation;
	inv_context *context;
	inv_event *event;
	uint8_t parent[16];

	for (unsigned which = 0; which < 2; which++)
		if (invocation_register(table, scene_id(which), "call", &invocation) != 0)
			fail("the scene could not begin");
	memcpy(parent, scene_id(2), sizeof(parent));
	register_run(table, 2, NULL, 0);
	register_run(table, 3, parent, INV_RUN_NO_KILL);
	memcpy(parent, scene_id(3), sizeof(parent));
	register_run(table, 4, parent, 0);
	register_run(table, 5, parent, 0);
	for (unsigned which = 6; which < SCENE_IDS; which++)
		if (inv_event_create(table, scene_id(which), &event) != 0)
			fail("the scene could not create");
	inv_event_set(event, "a reason");
	if (inv_context_enter(table, scene_id(6), &context) != 0)
		fail("the scene could not enter a context");
	inv_progress(50, "half");
	inv_shield_begin();
	inv_context_leave(context);
	plant_bystander(table);
}

static void make(struct scene *scene, unsigned which)
{
	struct broker_create create = {.name = scene->name, .capacity = capacities[which]};
	const char *name = getenv("FUZZ_TABLE");
	inv_table *table;
	bool created;

	snprintf(scene->name, sizeof(scene->name), "%s-%u", name ? name : "fuzz", which);
	if (broker_open(&create, &table, &created) != 0 || !created)
		fail("the scene's table could not be made");
	scene->geometry = table->geometry;
	scene->fd = dup(broker_table_fd(table));
	populate(table);
	scene->pristine = malloc(scene->geometry.bytes);
	if (scene->fd < 0 || !scene->pristine)
		fail("no memory");
	memcpy(scene->pristine, table->base, scene->geometry.bytes);
	inv_close(table);
}

void scenes_make(void)
{
	setenv("INVCTL_AUTOSTART", "0", 1);
	unsetenv("INVCTL_ID");
	start_bystander();
	/* What stands in a scene has handles, which are never put. */
	__lsan_disable();
	for (unsigned which = 0; which < SCENE_CAPACITIES; which++)
		make(&scenes[which], which);
	__lsan_enable();
}

struct scene *scene_reset(unsigned which)
{
	struct scene *scene = &scenes[which % SCENE_CAPACITIES];
	size_t bytes = scene->geometry.bytes;

	if (ftruncate(scene->fd, (off_t)bytes) != 0 ||
	    pwrite(scene->fd, scene->pristine, bytes, 0) != (ssize_t)bytes)
		fail("the scene could not be reset");
	return scene;
}
