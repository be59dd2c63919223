/*
 * What a member of a shared table's group can do to it with no program of ours: writes over it
 * while others use it.
 *
 *   scribble TABLE SEED PID...
 *
 * writes until it is ended: bytes, words that stood elsewhere in the table, numbers that are
 * nearly right, and the identities of these processes in owners' entries and rows. Now and then it
 * puts all back as it found it, so that there is something to damage. It leaves what describes the
 * table alone: nobody looks at that once it is open.
 *
 *   scribble TABLE map
 *
 * is a process that uses the table, owns nothing in it, and waits to be ended.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/run.h"
#include "os/process.h"
#include "table/table.h"

enum {
	WRITES_AT_ONCE = 300,
	PAUSE_NS = 100000,
	OWNER_PID_SHIFT = 2,
	OWNER_ACTIVE = 2,
	NAMESPACE_SHIFT = 24
};

struct victims {
	char **pids;
	int count;
};

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t *word_at(const inv_table *table, uint64_t value)
{
	/* Mostly the words that decide, not the rows' text. */
	size_t end = value & 1 ? table->geometry.bytes : table->geometry.slots_at;
	size_t first = offsetof(struct header, broker_owner) / 8;

	return (uint64_t *)table->base + first + (value >> 8) % (end / 8 - first);
}

/* An owner's entry, and a row, that say to be that process's. */
static void name_a_victim(const inv_table *table, const struct victims *victims, uint64_t value)
{
	pid_t pid = (pid_t)strtol(victims->pids[value % (unsigned)victims->count], NULL, 10);
	uint32_t index = 1 + (uint32_t)(value >> 8) % 64;
	struct slot *slot = &table->slots[(value >> 16) % table->geometry.slots];
	uint64_t start = process_start(pid);

	atomic_store(&table->owners[index].start, start);
	atomic_store(&table->owners[index].pidfs, 0);
	atomic_store(&table->owners[index].image, 0);
	atomic_store(&table->owners[index].word, (process_namespace() & 0xffff) << NAMESPACE_SHIFT |
	                                                 (uint64_t)pid << OWNER_PID_SHIFT |
	                                                 OWNER_ACTIVE);
	atomic_store(&slot->owner_process, (uint64_t)61001 << 32 | (uint64_t)pid);
	atomic_store(&slot->action_process, action_word(pid, start));
}

static void write_once(const inv_table *table, const struct victims *victims, uint64_t *state)
{
	uint64_t value = draw(state), *word = word_at(table, value >> 3);

	switch (value % 8) {
	case 0:
		*word = draw(state);
		break;
	case 1:
		*word += (value >> 40) % 3 - 1;
		break;
	case 2:
		*word = *word_at(table, draw(state));
		break;
	case 3:
		if (victims->count > 0)
			name_a_victim(table, victims, value >> 3);
		break;
	default:
		*word ^= UINT64_C(1) << (value >> 58);
		break;
	}
}

static _Noreturn void scribble(const inv_table *table, const struct victims *victims, uint64_t seed)
{
	void *pristine = malloc(table->geometry.bytes);

	if (!pristine)
		exit(1);
	memcpy(pristine, table->base, table->geometry.bytes);
	for (;;) {
		for (int i = 0; i < WRITES_AT_ONCE; i++) {
			write_once(table, victims, &seed);
			/* Commands are to meet what was written, and to have been at work before.
			 */
			if (i % 4 == 0)
				nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
		}
		memcpy((char *)table->base + 128, (char *)pristine + 128,
		       table->geometry.bytes - 128);
	}
}

int main(int argc, char **argv)
{
	inv_table *table;

	if (argc < 3 || inv_open(&table, argv[1], 0) != 0) {
		fprintf(stderr, "scribble: no table\n");
		return 1;
	}
	puts("open");
	fflush(stdout);
	if (strcmp(argv[2], "map") == 0)
		for (;;)
			pause();
	struct victims victims = {.pids = argv + 3, .count = argc - 3};
	scribble(table, &victims, strtoull(argv[2], NULL, 10) * 2 + 1);
}
