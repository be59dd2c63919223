/*
 * Which processes are an invocation's: see processes.h.
 *
 * Every process of a snapshot is marked with its invocation. Some are known by
 * themselves (ours, and the supervisors and commands of other live invocations); each
 * other process belongs where its nearest known ancestor belongs.
 *
 * The pids of other invocations stand in a table that a group may write. So they count
 * only for a process that descends from ours, or whose own environment names that
 * invocation or the one that it is nested in: a forged row must not make us kill a
 * stranger.
 *
 * Descent decides: what the command started is ours, whatever it writes into its
 * environment. Only where a supervisor has died, descent is lost, and INVCTL_ID in the
 * environment says where a process belongs:
 *   our own has died     a process outside that names our invocation is ours
 *   a nested one's has   a process that has become our supervisor's child, and names that
 *                        invocation, is that one's; its broker reaches it
 * While our own supervisor lives the environment makes no process ours: a stranger may name our
 * id as well.
 */
#include "supervise/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/array.h"
#include "supervise/claims.h"

/* Marks; from CLAIMED on they are the number of the claim. */
enum { UNMARKED = -5, FOREIGN = -4, OUTSIDE = -3, BROKER = -2, OURS = -1, CLAIMED = 0 };

struct marking {
	const struct process_scope *scope;
	struct process_list all;
	struct claims claims;
	const char *table; /* its name */
	int *root;         /* for each process: known by itself, or UNMARKED */
	int *mark;
};

/* Takes an environment in pieces, as it is read, and keeps two of its values. */
struct scan {
	char id[INV_ID_TEXT_BYTES], table[INV_TABLE_NAME_BYTES]; /* "": not there */
	char entry[128]; /* the beginning of the current entry: enough for both */
	size_t length;
};

static void keep(const char *entry, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	if (strncmp(entry, name, length) == 0 && strlen(entry + length) < size)
		snprintf(value, size, "%s", entry + length);
}

static void end_entry(struct scan *scan)
{
	scan->entry[scan->length] = '\0';
	keep(scan->entry, "INVCTL_ID=", scan->id, sizeof(scan->id));
	keep(scan->entry, "INVCTL_TABLE=", scan->table, sizeof(scan->table));
	scan->length = 0;
}

static void take(struct scan *scan, const char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (piece[i] == '\0')
			end_entry(scan);
		else if (scan->length < sizeof(scan->entry) - 1)
			scan->entry[scan->length++] = piece[i];
	}
}

/* Later changes by setenv(3) are not seen: it is the environment of the last exec. */
bool process_context(pid_t pid, const char *table_name, uint8_t id[16])
{
	char path[48], piece[4096];
	struct scan scan = {.length = 0};
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while ((length = read(fd, piece, sizeof(piece))) > 0)
		take(&scan, piece, (size_t)length);
	close(fd);
	return length == 0 && inv_id_parse(scan.id, id) == 0 && strcmp(scan.table, table_name) == 0;
}

/* The program of that process is the broker that lies beside this program, or is this program. */
static bool executes_broker(pid_t pid)
{
	char path[PATH_MAX];
	struct stat program, broker;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof("invbroker"));

	if (length <= 0)
		return false;
	path[length] = '\0';

	char *slash = strrchr(path, '/');

	if (!slash)
		return false;
	memcpy(slash + 1, "invbroker", sizeof("invbroker"));
	if (stat(path, &broker) != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat(path, &program) == 0 && program.st_dev == broker.st_dev &&
	       program.st_ino == broker.st_ino;
}

/* A broker that one of our processes has started is there for all invocations. Any process can
 * take its name, so it is one that the table names, or that executes the broker's program. */
static bool is_broker(const struct process_scope *scope, const struct process *process)
{
	struct inv_table_info info;

	if (strcmp(process->name, "invbroker") != 0 || process->session != process->pid ||
	    process->pid == scope->command)
		return false;
	return (inv_table_info_get(scope->table, &info) == 0 && info.broker_pid == process->pid) ||
	       executes_broker(process->pid);
}

static bool is_foreign(const struct process_scope *scope, const struct process *process)
{
	long at = scope->foreign ? process_list_find(scope->foreign, process->pid) : -1;

	return at >= 0 && scope->foreign->items[at].start == process->start;
}

static int root_of(const struct marking *marking, const struct process *process)
{
	const struct process_scope *scope = marking->scope;

	if (process->pid == scope->supervisor)
		return OURS;
	if (is_foreign(scope, process))
		return FOREIGN;
	if (process->pid == scope->command &&
	    (scope->command_start == 0 ||
	     process_starts_equal(process->start, scope->command_start)))
		return OURS;
	return is_broker(scope, process) ? BROKER : UNMARKED;
}

/* The mark of the nearest marked ancestor, for it and all on the way to it. */
static void resolve_one(struct marking *marking, size_t index)
{
	const struct process_list *all = &marking->all;
	int mark = OUTSIDE;

	/* A snapshot is not of one moment, so that a chain could even be a circle. */
	for (long at = (long)index, steps = 0; at >= 0 && steps <= (long)all->count; steps++) {
		if (marking->mark[at] != UNMARKED) {
			mark = marking->mark[at];
			break;
		}
		at = process_list_find(all, all->items[at].parent);
	}
	for (long at = (long)index; at >= 0 && marking->mark[at] == UNMARKED;) {
		marking->mark[at] = mark;
		at = process_list_find(all, all->items[at].parent);
	}
}

static void resolve(struct marking *marking)
{
	memcpy(marking->mark, marking->root, marking->all.count * sizeof(*marking->mark));
	for (size_t i = 0; i < marking->all.count; i++)
		resolve_one(marking, i);
}

/* Anything but the table verifies that claim. A command is started in its own
 * invocation, a supervisor in the one that it is nested in. */
static bool claim_is_verified(const struct marking *marking, size_t index,
                              const struct claim *claim)
{
	uint8_t id[16];

	if (marking->mark[index] == OURS)
		return true;
	return process_context(marking->all.items[index].pid, marking->table, id) &&
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

static bool is_orphan_nested(const struct claim *claim)
{
	return claim->nested && claim->supervisor == 0;
}

/* The mark of a process by its environment; UNMARKED: that says nothing. */
static int root_by_context(const struct marking *marking, const struct process *process)
{
	const struct process_scope *scope = marking->scope;
	struct process_status status;
	uint8_t id[16];

	if (!process_context(process->pid, marking->table, id))
		return UNMARKED;
	if (memcmp(id, scope->id, sizeof(id)) != 0) {
		int claim = claims_by_id(&marking->claims, id);

		return claim >= 0 && is_orphan_nested(&marking->claims.items[claim])
		               ? CLAIMED + claim
		               : UNMARKED;
	}
	if (scope->supervisor != 0 || process_read_status(process->pid, &status) != 0 ||
	    status.uid != scope->uid)
		return UNMARKED;
	return OURS;
}

/* Its descent says nothing, or only that it has lost its parent. */
static bool context_matters(const struct marking *marking, size_t index)
{
	pid_t supervisor = marking->scope->supervisor;

	if (marking->root[index] != UNMARKED)
		return false;
	return supervisor == 0 ? marking->mark[index] == OUTSIDE
	                       : marking->mark[index] == OURS &&
	                                 marking->all.items[index].parent == supervisor;
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

static bool is_wanted(const struct marking *marking, size_t index, enum process_reach reach)
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
	struct process_identity identity = {.pid = process->pid, .start = process->start};

	return process->threads > 1 && process_life(&identity) != PROCESS_DEAD;
}

/* Leave only the wanted ones in the list, and hand it over. */
static void collect(struct marking *marking, enum process_reach reach, struct process_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < marking->all.count; i++)
		if (is_wanted(marking, i, reach))
			marking->all.items[kept++] = marking->all.items[i];
	marking->all.count = kept;
	*list = marking->all;
}

/* One that a foreign process has forked since may lose its parent, and is known by itself then. */
static int remember_foreign(const struct marking *marking)
{
	struct process_list *foreign = marking->scope->foreign, now = {0};

	if (!foreign || foreign->count == 0)
		return 0;
	for (size_t i = 0; i < marking->all.count; i++) {
		if (marking->mark[i] != FOREIGN)
			continue;

		struct process *items = array_room(now.items, now.count, sizeof(*now.items));

		if (!items) {
			process_list_free(&now);
			return -ENOMEM;
		}
		now.items = items;
		items[now.count++] = marking->all.items[i];
	}
	process_list_free(foreign);
	*foreign = now;
	return 0;
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
	marking->table = inv_table_name(marking->scope->table);
	mark_all(marking);

	int error = remember_foreign(marking);

	if (error == 0)
		collect(marking, reach, list);
	free(marks);
	return error;
}

/* All that is ours descends from a supervisor that lives. */
static int read_processes(const struct process_scope *scope, struct process_list *list)
{
	if (!process_proc_is_own())
		return -EXDEV;
	if (scope->supervisor != 0 && process_list_read_tree(scope->supervisor, list) == 0)
		return 0;
	return process_list_read(list);
}

void processes_note_foreign(struct process_list *list)
{
	siginfo_t info;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    process_list_read_tree(getpid(), list) != 0)
		process_list_read(list);
}

int processes_find(const struct process_scope *scope, enum process_reach reach,
                   struct process_list *list)
{
	struct marking marking = {.scope = scope, .all = *list};
	int error = read_processes(scope, &marking.all);

	*list = marking.all;
	if (error == 0)
		error = claims_read(&marking.claims, scope->table, scope->id);
	if (error == 0)
		error = mark_and_collect(&marking, reach, list);
	if (error != 0)
		list->count = 0;
	claims_free(&marking.claims);
	return error;
}

int process_signal(const struct process *process, int signum)
{
	struct process_identity identity = {.pid = process->pid, .start = process->start};
	int pidfd = process_open(&identity);

	if (pidfd < 0)
		return pidfd;

	int error = process_signal_pidfd(pidfd, signum);

	close(pidfd);
	return error;
}
