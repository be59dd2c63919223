/*
 * Which processes are an invocation's: see processes.h.
 *
 * Every process of a snapshot is marked with whose it is. Some are known by
 * themselves (our own, and the supervisors and commands of other live invocations),
 * the others are whose their nearest known ancestor is. The pids of others stand in a
 * table that a group may write, so they count only for a process that descends from
 * us, or whose own environment names that invocation or what it is nested in: a forged
 * row must not make us kill a stranger. Where a supervisor has died, its
 * processes hang on to somebody else by descent; INVCTL_ID in their environment
 * tells whose they are, so it overrules descent where it names another live
 * invocation of `run`. It makes nobody one of ours while our own supervisor
 * lives: all that is ours descends from it, and others may name us as well.
 */
#include "supervise/processes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervise/claims.h"
#include "supervise/process_table.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* Marks; from CLAIMED on they say which claim it is. */
enum { UNMARKED = -4, NOBODYS = -3, FOREIGN = -2, OURS = -1, CLAIMED = 0 };

struct marking {
	const struct process_scope *scope;
	struct process_list all;
	struct claims claims;
	char table[INV_TABLE_NAME_BYTES];
	int *root; /* for each process: known by itself, or UNMARKED */
	int *mark;
};

/* A broker that something of ours has started serves everybody. */
static bool is_broker(const struct process_scope *scope, const struct process *process)
{
	return strcmp(process->name, "invbroker") == 0 && process->session == process->pid &&
	       process->pid != scope->command;
}

static int root_of(const struct marking *marking, const struct process *process)
{
	const struct process_scope *scope = marking->scope;

	if (process->pid == scope->supervisor)
		return OURS;
	if (process->pid == scope->command &&
	    (scope->command_start == 0 || process->start == scope->command_start))
		return OURS;
	return is_broker(scope, process) ? FOREIGN : UNMARKED;
}

/* The mark of the nearest marked ancestor, for it and all on the way to it. */
static void resolve_one(struct marking *marking, size_t index)
{
	const struct process_list *all = &marking->all;
	int mark = NOBODYS;

	/* A snapshot is not of one moment, so that a chain could even be a circle. */
	for (long at = (long)index, steps = 0; at >= 0 && steps <= (long)all->count; steps++) {
		if (marking->mark[at] != UNMARKED) {
			mark = marking->mark[at];
			break;
		}
		at = process_table_find(all, all->items[at].parent);
	}
	for (long at = (long)index; at >= 0 && marking->mark[at] == UNMARKED;) {
		marking->mark[at] = mark;
		at = process_table_find(all, all->items[at].parent);
	}
}

static void resolve(struct marking *marking)
{
	memcpy(marking->mark, marking->root, marking->all.count * sizeof(*marking->mark));
	for (size_t i = 0; i < marking->all.count; i++)
		resolve_one(marking, i);
}

/* The invocation of this table that a process was started in. */
static bool context_of(const struct marking *marking, const struct process *process, uint8_t id[16])
{
	char text[37], table[INV_TABLE_NAME_BYTES];

	return process_context(process->pid, text, table) == 0 && inv_id_parse(text, id) == 0 &&
	       strcmp(table, marking->table) == 0;
}

/* Does anything but the table bear out that claim? A command is started in its own
 * invocation, a supervisor in the one that it is nested in. */
static bool claim_is_verified(const struct marking *marking, size_t index,
                              const struct claim *claim)
{
	uint8_t id[16];

	if (marking->mark[index] == OURS)
		return true;
	return context_of(marking, &marking->all.items[index], id) &&
	       (memcmp(id, claim->id, sizeof(id)) == 0 ||
	        memcmp(id, claim->parent, sizeof(id)) == 0);
}

static bool mark_claimed(struct marking *marking)
{
	bool changed = false;

	for (size_t i = 0; i < marking->all.count; i++) {
		int claim = marking->root[i] != UNMARKED
		                    ? -1
		                    : claims_by_pid(&marking->claims, marking->all.items[i].pid);

		if (claim < 0 || !claim_is_verified(marking, i, &marking->claims.items[claim]))
			continue;
		marking->root[i] = CLAIMED + claim;
		changed = true;
	}
	return changed;
}

/* Whose a process is by its environment; UNMARKED: that says nothing. */
static int root_by_context(const struct marking *marking, const struct process *process)
{
	const struct process_scope *scope = marking->scope;
	uint8_t id[16];
	uid_t uid;

	if (!context_of(marking, process, id))
		return UNMARKED;
	if (memcmp(id, scope->id, sizeof(id)) != 0) {
		int claim = claims_by_id(&marking->claims, id);

		return claim >= 0 ? CLAIMED + claim : UNMARKED;
	}
	if (scope->supervisor != 0 || process_real_uid(process->pid, &uid) != 0 ||
	    uid != scope->uid)
		return UNMARKED;
	return OURS;
}

static bool context_matters(const struct marking *marking, size_t index)
{
	if (marking->root[index] != UNMARKED)
		return false;
	return marking->mark[index] == OURS ||
	       (marking->mark[index] == NOBODYS && marking->scope->supervisor == 0);
}

static void mark_all(struct marking *marking)
{
	bool changed = false;

	for (size_t i = 0; i < marking->all.count; i++)
		marking->root[i] = root_of(marking, &marking->all.items[i]);
	resolve(marking);
	if (mark_claimed(marking))
		resolve(marking);
	for (size_t i = 0; i < marking->all.count; i++) {
		if (!context_matters(marking, i))
			continue;
		marking->root[i] = root_by_context(marking, &marking->all.items[i]);
		changed |= marking->root[i] != UNMARKED;
	}
	if (changed)
		resolve(marking);
}

static bool is_sought(const struct marking *marking, size_t index, enum process_reach reach)
{
	const struct process *process = &marking->all.items[index];
	int mark = marking->mark[index];

	if (process->pid == marking->scope->supervisor || process->pid == getpid())
		return false;
	if (mark != OURS && (reach == PROCESSES_OWN || mark < CLAIMED ||
	                     !marking->claims.items[mark - CLAIMED].killable))
		return false;
	if (process->state != 'Z' && process->state != 'X')
		return true;
	/* Its first thread has ended; others may go on. */
	return process->threads > 1 && process_alive(process->pid, process->start);
}

/* Leave only those that are sought in the list, and hand it over. */
static void collect(struct marking *marking, enum process_reach reach, struct process_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < marking->all.count; i++)
		if (is_sought(marking, i, reach))
			marking->all.items[kept++] = marking->all.items[i];
	marking->all.count = kept;
	*list = marking->all;
}

static int mark_and_collect(struct marking *marking, enum process_reach reach,
                            struct process_list *list)
{
	size_t count = marking->all.count;
	int *marks = calloc(2 * (count + 1), sizeof(*marks));

	if (!marks)
		return -ENOMEM;
	marking->root = marks;
	marking->mark = marks + count;
	strncat(marking->table, inv_table_name(marking->scope->table), sizeof(marking->table) - 1);
	mark_all(marking);
	collect(marking, reach, list);
	free(marks);
	return 0;
}

/* All that is ours descends from a supervisor that lives. */
static int read_processes(const struct process_scope *scope, struct process_list *list)
{
	if (scope->supervisor != 0 && process_table_read_tree(scope->supervisor, list) == 0)
		return 0;
	return process_table_read(list);
}

int processes_find(const struct process_scope *scope, enum process_reach reach,
                   struct process_list *list)
{
	struct marking marking = {.scope = scope, .all = *list};
	int error = read_processes(scope, &marking.all);

	*list = marking.all;
	if (error == 0)
		error = claims_read(&marking.claims, scope);
	if (error == 0)
		error = mark_and_collect(&marking, reach, list);
	if (error != 0)
		list->count = 0;
	claims_free(&marking.claims);
	return error;
}

void processes_free(struct process_list *list)
{
	free(list->items);
	*list = (struct process_list){0};
}

int process_signal(const struct process *process, int signum)
{
	int pidfd = process_pidfd(process);

	if (pidfd < 0)
		return pidfd;

	int error = syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) == 0 ? 0 : -errno;

	close(pidfd);
	return error;
}

bool process_alive(pid_t pid, uint64_t start)
{
	struct process process;

	if (pid <= 0 || process_read(pid, &process) != 0)
		return false;
	if (start != 0 && process.start != start)
		return false;

	int pidfd = process_pidfd(&process);

	if (pidfd >= 0)
		close(pidfd);
	return pidfd != -ESRCH;
}
