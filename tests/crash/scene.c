/* The table of a worker, and what the harness itself holds in it. */
#include "crash.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/event.h"
#include "api/run.h"
#include "table/owner.h"

void *scene_shared_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

pid_t scene_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	return 0;
}

pid_t scene_fork_elsewhere(void)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (own < 0 || unshare(CLONE_NEWPID) != 0) {
		close(own);
		return scene_fork();
	}
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return 0;
	}
	/* The next ones are for here again. */
	if (setns(own, CLONE_NEWPID) != 0)
		exit(1);
	close(own);
	return pid;
}

void scene_end_process(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, __WALL);
	*pid = 0;
}

static void name_of(pid_t worker, char name[INV_TABLE_NAME_BYTES])
{
	snprintf(name, INV_TABLE_NAME_BYTES, "crash-%d", (int)worker);
}

static void directory_of(pid_t worker, char path[64])
{
	const char *temporary = getenv("TMPDIR");

	snprintf(path, 64, "%.40s/crash-%d", temporary && *temporary ? temporary : "/tmp",
	         (int)worker);
}

bool scene_open(struct scene *scene)
{
	struct broker_create create = {.name = scene->name, .capacity = CAPACITY};
	bool created;

	memset(scene, 0, sizeof(*scene));
	name_of(getpid(), scene->name);
	directory_of(getpid(), scene->state_directory);
	if (mkdir(scene->state_directory, 0700) != 0)
		return false;
	setenv("INVCTL_STATE_DIR", scene->state_directory, 1);
	setenv("INVCTL_TABLE", scene->name, 1);
	setenv("INVCTL_AUTOSTART", "0", 1);
	unsetenv("INVCTL_ID");
	for (uint8_t i = 0; i < IDS; i++)
		memset(scene->ids[i], 0xa0 + i, 16);
	if (broker_open(&create, &scene->table, &created) != 0)
		return false;
	size_t bytes = scene->table->geometry.bytes;
	if (owner_enter(scene->table) != 0)
		return false;
	scene->board = scene_shared_memory(sizeof(*scene->board));
	scene->pristine = malloc(bytes);
	scene->passed = (struct states){.bytes = bytes,
	                                .contents = scene_shared_memory(bytes * STATES_MAX),
	                                .shared_count = scene_shared_memory(sizeof(size_t))};
	if (!scene->board || !scene->pristine || !scene->passed.contents ||
	    !scene->passed.shared_count)
		return false;
	memcpy(scene->pristine, scene->table->base, bytes);
	scene->action = scene_fork();
	while (scene->action == 0)
		pause();
	return true;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void scene_close(struct scene *scene)
{
	scene_end_process(&scene->action);
	inv_close(scene->table);
	free(scene->pristine);
	munmap(scene->passed.contents, scene->passed.bytes * STATES_MAX);
	munmap(scene->passed.shared_count, sizeof(size_t));
	munmap(scene->board, sizeof(*scene->board));
}

void scene_remove(pid_t worker)
{
	char name[INV_TABLE_NAME_BYTES], path[INV_TABLE_NAME_BYTES + 16];

	name_of(worker, name);
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	unlink(path);
	snprintf(path, sizeof(path), "/dev/shm/%.50s-made", name);
	unlink(path);
	directory_of(worker, path);
	nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void scene_restore(struct scene *scene, const unsigned char *contents)
{
	memcpy(scene->table->base, contents, scene->table->geometry.bytes);
}

void scene_adopt(inv_invocation *orphan, void *arg)
{
	struct scene *scene = arg;

	for (int i = 0; i < HELD_MAX; i++) {
		if (!scene->runs[i]) {
			scene->runs[i] = orphan;
			return;
		}
	}
	expect(scene, false, "more orphans than were left");
}

void scene_hold(struct scene *scene)
{
	inv_table *table = scene->table;

	for (uint32_t i = 0; i < table->geometry.slots; i++) {
		uint64_t word = atomic_load(&table->control[i]);
		uint64_t kind = atomic_load(&table->slots[i].flags) & SLOT_KIND_MASK;
		if (control_state(word) != SLOT_LIVE || control_owner(word) != table->owner)
			continue;
		if (kind == INV_KIND_RUN)
			scene_adopt(run_adopt(table, i, word), scene);
		else if (!scene->held)
			scene->held =
			        event_handle(table, slot_ref_of(i, word), scene->ids[0], true);
	}
}

void scene_let_go(struct scene *scene)
{
	struct inv_run_result lost = {.wait_known = 0};

	for (int i = 0; i < HELD_MAX; i++)
		if (scene->runs[i])
			inv_run_end(scene->runs[i], &lost);
	memset(scene->runs, 0, sizeof(scene->runs));
	inv_event_put(scene->held);
	scene->held = NULL;
	inv_event_put(scene->stale);
	scene->stale = NULL;
	if (scene->served)
		broker_unserve(scene->table);
	scene->served = false;
}

bool scene_visible(const struct scene *scene, const uint8_t id[16], enum slot_state *state)
{
	struct slot_ref ref;
	uint64_t word;

	if (slot_find(scene->table, id, &ref, &word) != 0)
		return false;
	*state = control_state(word);
	return true;
}

bool states_add(struct states *states, const void *contents)
{
	size_t count = states->count;

	for (size_t i = count; i-- > 0;)
		if (memcmp(states->contents + i * states->bytes, contents, states->bytes) == 0)
			return true;
	if (count == STATES_MAX)
		return false;
	memcpy(states->contents + count * states->bytes, contents, states->bytes);
	states->count++;
	return true;
}
