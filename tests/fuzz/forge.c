/*
 * Forges a row of a table, as any member of its group could: a live invocation of
 * `run`, nested in another, that claims processes which have nothing to do with either.
 *
 *   forge TABLE PARENT CHILD SUPERVISOR COMMAND
 *
 * registers CHILD below PARENT, owned by whoever owns PARENT, with these two pids.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "invctl-supervisor.h"
#include "process.h"
#include "run.h"
#include "slot.h"

static int fail(const char *what, int error)
{
	fprintf(stderr, "forge: %s: %s\n", what, inv_strerror(error));
	return 1;
}

static int forge(inv_table *table, const uint8_t parent[16], const uint8_t child[16],
                 pid_t supervisor, pid_t command)
{
	struct inv_run_options options = {.id = child,
	                                  .parent = parent,
	                                  .name = "forged",
	                                  .deadline_ns = INV_FOREVER,
	                                  .signal_after_ns = INV_FOREVER,
	                                  .kill_after_ns = INV_FOREVER};
	inv_invocation *invocation;
	struct slot_ref ref;
	uint64_t word, parent_word;
	int error = inv_run_register(table, &options, &invocation);

	if (error || (error = slot_find(table, parent, &ref, &parent_word)) != 0 ||
	    (error = slot_find(table, child, &ref, &word)) != 0)
		return error;
	struct slot *slot = &table->slots[ref.index];
	atomic_store(&slot->owner_process, (uint64_t)geteuid() << 32 | (uint64_t)supervisor);
	atomic_store(&slot->action_process,
	             process_start(command) << ACTION_START_SHIFT | (uint64_t)command);
	atomic_fetch_and(&slot->flags, ~SLOT_PENDING);
	return slot_give(table, ref.index, word, control_owner(parent_word)) ? 0 : -ESTALE;
}

int main(int argc, char **argv)
{
	uint8_t parent[16], child[16];
	inv_table *table;

	if (argc != 6 || inv_id_parse(argv[2], parent) != 0 || inv_id_parse(argv[3], child) != 0)
		return fail("arguments", EINVAL);
	int error = inv_open(&table, argv[1], 0);
	if (error)
		return fail(argv[1], error);
	error = forge(table, parent, child, (pid_t)strtol(argv[4], NULL, 10),
	              (pid_t)strtol(argv[5], NULL, 10));
	/* Without closing: what is forged stays. */
	return error ? fail("forging", error) : 0;
}
