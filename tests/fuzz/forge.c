/*
 * Forges rows of a table, as any member of its group could.
 *
 *   forge TABLE PARENT CHILD SUPERVISOR COMMAND
 *
 * registers CHILD, a live invocation of `run` below PARENT, owned by whoever owns PARENT, that
 * claims these two pids, which may have nothing to do with either. PARENT "-": below none, owned
 * by this process, which is about to end: an orphan.
 *
 *   forge TABLE unprotect ID
 *
 * takes --no-kill away from ID and lets its kill-after be nothing at all.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/run.h"
#include "invctl-supervisor.h"
#include "os/process.h"
#include "table/slot.h"

static int fail(const char *what, int error)
{
	fprintf(stderr, "forge: %s: %s\n", what, inv_strerror(error));
	return 1;
}

/* parent NULL: none. */
static int forge(inv_table *table, const uint8_t *parent, const uint8_t child[16], pid_t supervisor,
                 pid_t command)
{
	struct inv_run_options options = {.id = child,
	                                  .parent = parent,
	                                  .name = "forged",
	                                  .deadline_ns = INV_FOREVER,
	                                  .signal_after_ns = INV_FOREVER,
	                                  .kill_after_ns = INV_FOREVER};
	inv_invocation *invocation;
	struct slot_ref ref;
	uint64_t word, parent_word = 0;
	int error = inv_run_register(table, &options, &invocation);

	if (error || (parent && (error = slot_find(table, parent, &ref, &parent_word)) != 0) ||
	    (error = slot_find(table, child, &ref, &word)) != 0)
		return error;
	struct slot *slot = &table->slots[ref.index];
	atomic_store(&slot->owner_process, (uint64_t)geteuid() << 32 | (uint64_t)supervisor);
	atomic_store(&slot->action_process, action_word(command, process_start(command)));
	atomic_fetch_and(&slot->flags, ~SLOT_PENDING);
	if (!parent)
		return 0;
	return slot_adopt(table, ref.index, word, control_owner(parent_word)) ? 0 : -ESTALE;
}

static int unprotect(inv_table *table, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;
	int error = slot_find(table, id, &ref, &word);

	if (error)
		return error;
	atomic_fetch_and(&table->slots[ref.index].flags, ~SLOT_NO_KILL);
	atomic_store(&table->slots[ref.index].after_ms, UINT64_C(1) << 32);
	return 0;
}

static int forge_row(inv_table *table, char **words)
{
	uint8_t parent[16], child[16];
	bool alone = strcmp(words[0], "-") == 0;

	if ((!alone && inv_id_parse(words[0], parent) != 0) || inv_id_parse(words[1], child) != 0)
		return -EINVAL;
	return forge(table, alone ? NULL : parent, child, (pid_t)strtol(words[2], NULL, 10),
	             (pid_t)strtol(words[3], NULL, 10));
}

int main(int argc, char **argv)
{
	uint8_t id[16];
	inv_table *table;
	int error = argc == 4 || argc == 6 ? inv_open(&table, argv[1], 0) : -EINVAL;

	if (error)
		return fail(argc > 1 ? argv[1] : "arguments", error);
	if (argc == 6)
		error = forge_row(table, argv + 2);
	else if (strcmp(argv[2], "unprotect") == 0 && inv_id_parse(argv[3], id) == 0)
		error = unprotect(table, id);
	else
		error = -EINVAL;
	/* Without closing: what is forged stays. */
	return error ? fail("forging", error) : 0;
}
