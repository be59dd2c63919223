/* What is wrong with a table and around it, each with its remedy. */
#include "invctl-view/problems.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/logind.h"
#include "invctl-supervisor.h"
#include "os/process.h"

#define SHM_DIRECTORY "/dev/shm"

enum {
	FULL_PERCENT = 90,
	HOLD_STORED_NS = 500000000,
	SENTENCE_BYTES = 2 * PATH_MAX + 256,
};

struct search {
	inv_table *table;
	const struct inv_table_info *info;
	void (*found)(const char *sentence, void *arg);
	void *arg;
};

static void problem(const struct search *search, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static void problem(const struct search *search, const char *format, ...)
{
	char sentence[SENTENCE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	search->found(sentence, search->arg);
}

/* The pid is as the table tells, which others may write: no advice to kill anything else. */
static const char *ending(const struct inv_table_info *info, char *how, size_t size)
{
	struct process process;

	*how = '\0';
	if (process_read(info->broker_pid, &process) == 0 && strcmp(process.name, "invbroker") == 0)
		snprintf(how, size, " with 'kill %d'", info->broker_pid);
	return how;
}

static void look_at_broker(const struct search *search)
{
	const struct inv_table_info *info = search->info;
	char how[40];

	if (!info->serving)
		problem(search,
		        "no broker serves the table, so deadlines of orphaned actions wait and "
		        "nothing is retired: start 'invbroker --table=%s'",
		        info->name);
	else if (strcmp(info->broker_version, inv_version()) != 0)
		problem(search,
		        "the broker is version %s and this is %s: end it%s, the next one takes the "
		        "table over",
		        info->broker_version, inv_version(), ending(info, how, sizeof(how)));
}

/* Nobody here can tell whether they live, and so nobody ends what they leave. */
static void look_at_owners(const struct search *search)
{
	const struct inv_table_info *info = search->info;

	if (info->unseen_owners > 0)
		problem(search,
		        "%u of %u processes in the table are of another PID namespace, in which it "
		        "was made, and can't be seen from here, nor by a broker: only there is it "
		        "noticed when they die; let a command of invctl run there, or share the "
		        "namespace ('docker run --pid=host')",
		        info->unseen_owners, info->owners);
}

static bool nearly_full(uint32_t used, uint32_t limit)
{
	return (uint64_t)used * 100 > (uint64_t)limit * FULL_PERCENT;
}

static void look_at_use(const struct search *search)
{
	const struct inv_table_info *info = search->info;

	if (nearly_full(info->live, info->capacity))
		problem(search,
		        "%u of %u live invocations: the table is nearly full; end some, or make "
		        "it anew with 'invbroker --capacity'",
		        info->live, info->capacity);
	if (nearly_full(info->owners, info->owner_limit))
		problem(search,
		        "%u of %u processes have entered the table: it is nearly full; make it "
		        "anew with 'invbroker --capacity'",
		        info->owners, info->owner_limit);
}

static void look_at_name(const struct search *search)
{
	const struct inv_table_info *info = search->info;

	if (info->unlinked)
		problem(search,
		        "the table's name " SHM_DIRECTORY "/%s was removed; running actions go "
		        "on, and newcomers get it from the broker. If systemd-logind did it at "
		        "logout, " LOGIND_REMEDY,
		        info->name);
	else if (logind_removes_shm(info->uid))
		problem(search,
		        "systemd-logind will remove the table's name when user %u, whose it is, "
		        "logs out: " LOGIND_REMEDY,
		        info->uid);
}

static void look_at_shm(const struct search *search)
{
	struct statvfs space;

	if (statvfs(SHM_DIRECTORY, &space) < 0) {
		problem(search, SHM_DIRECTORY " can't be looked at: mount a tmpfs there");
		return;
	}

	uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;

	/* A size of 0 is that of a file system without a limit. */
	if (space.f_blocks > 0 && free_bytes < search->info->bytes)
		problem(search,
		        SHM_DIRECTORY
		        " has only %llu KiB left, and another table like this one takes %llu: "
		        "remove files from it, make it larger ('docker run --shm-size=256m', "
		        "'mount "
		        "-o remount,size=...'), or make tables with 'invbroker --capacity'",
		        (unsigned long long)free_bytes / 1024,
		        (unsigned long long)search->info->bytes / 1024);
}

/* Others who can write there could plant a stop command for a dead supervisor's action. */
static void look_at_directory(const struct search *search, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0 || access(path, W_OK | X_OK) < 0)
		problem(search,
		        "%s can't be written to, so logs and records are lost: make it, or set "
		        "INVCTL_STATE_DIR",
		        path);
	else if (status.st_uid != geteuid())
		problem(search,
		        "%s is another user's: set INVCTL_STATE_DIR to a directory of yours", path);
	else if (status.st_mode & (S_IWGRP | S_IWOTH))
		problem(search, "%s can be written to by others: 'chmod go-w %s'", path, path);
}

/* The state directory, and the one in it that is the table's. */
static void look_at_state_directory(const struct search *search)
{
	static const uint8_t none[16];
	char path[PATH_MAX];

	if (inv_state_path(search->table, none, "run", path, sizeof(path)) < 0) {
		problem(search,
		        "there is no directory for logs and records: set INVCTL_STATE_DIR to "
		        "the absolute path of one that you can write to");
		return;
	}
	for (int i = 0; i < 2; i++) {
		*strrchr(path, '/') = '\0';
		look_at_directory(search, path);
	}
}

/* The broker stores it at once, if it can: a moment is enough. */
static void look_at_hold(const struct search *search)
{
	const struct inv_table_info *info = search->info;
	struct inv_request hold;

	if (inv_hold_get(search->table, &hold) > 0 && hold.pid == 0)
		problem(search,
		        "nothing starts, and who put the table on hold is not known%s%s: find out "
		        "why, then 'invctl release'",
		        hold.reason[0] ? ", as " : "", hold.reason);
	if (inv_hold_await_stored(search->table, HOLD_STORED_NS) != -ETIMEDOUT || !info->serving)
		return;
	if (process_state(info->broker_pid) == 'T')
		problem(search,
		        "the broker is stopped, so the hold as it is now would not survive a "
		        "restart "
		        "of this machine: 'kill -CONT %d'",
		        info->broker_pid);
	else
		problem(search,
		        "the broker can't store the hold as it is now, which would not survive a "
		        "restart of this machine: see that its state directory has room and can be "
		        "written to, and broker.log in it");
}

/* In a shared table the broker takes over the runs of its own user only. */
struct unsupervised {
	uint32_t broker_uid;
	unsigned count;
	char first[INV_ID_TEXT_BYTES];
	uint32_t uid;
};

static int add_unsupervised(const struct inv_info *info, void *arg)
{
	struct unsupervised *unsupervised = arg;

	if (!info->orphaned || info->completed_ns != 0 || info->uid == unsupervised->broker_uid)
		return 0;
	if (unsupervised->count++ == 0) {
		inv_id_format(info->id, unsupervised->first);
		unsupervised->uid = info->uid;
	}
	return 0;
}

static void look_at_unsupervised(const struct search *search)
{
	const struct inv_table_info *info = search->info;
	struct unsupervised unsupervised = {.count = 0};
	struct process_status broker;

	if (!info->shared || !info->serving || process_read_status(info->broker_pid, &broker) != 0)
		return;
	unsupervised.broker_uid = broker.uid;
	inv_list(search->table, add_unsupervised, &unsupervised);
	if (unsupervised.count > 0)
		problem(search,
		        "%u runs have lost their supervisor, and are not the broker's user's, so "
		        "nothing signals or finishes them; the first is %s of user %u: that user, "
		        "or root, can end its processes",
		        unsupervised.count, unsupervised.first, unsupervised.uid);
}

struct loss {
	unsigned records, invocations;
};

static int add_loss(const struct inv_info *info, void *arg)
{
	struct loss *loss = arg;

	loss->records += info->log_lost;
	loss->invocations += info->log_lost > 0;
	return 0;
}

static void look_at_logs(const struct search *search)
{
	struct loss loss = {0};

	inv_list(search->table, add_loss, &loss);
	if (loss.records > 0)
		problem(search,
		        "%u log records of %u invocations could not be written ('invctl list --all "
		        "--json' tells whose): see that INVCTL_STATE_DIR has room and is yours",
		        loss.records, loss.invocations);
}

void problems_find(inv_table *table, const struct inv_table_info *info,
                   void (*found)(const char *sentence, void *arg), void *arg)
{
	const struct search search = {.table = table, .info = info, .found = found, .arg = arg};

	look_at_broker(&search);
	look_at_owners(&search);
	look_at_use(&search);
	look_at_name(&search);
	look_at_shm(&search);
	look_at_state_directory(&search);
	look_at_hold(&search);
	look_at_unsupervised(&search);
	look_at_logs(&search);
}
