/*
 * From a name to a table whose lease this process holds.
 *
 * The lease decides which broker has the table: a lock on the table itself, which the
 * kernel frees with its holder, and which only those who may open the table can take. A broker
 * that finds it held waits only while the holder's pid is not in the header: then that one is
 * starting or ending.
 *
 * The socket (handover.c) does what the lease can't: of those that start at once it lets one
 * make the table, and it tells of a table whose name was removed. A broker listens from the
 * start, so that the kernel names its user to those that connect. A socket of another user, or one
 * without a listener, is not a broker's, and is not waited for.
 */
#include "invbroker/startup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/segment.h"
#include "invbroker/handover.h"
#include "invbroker/segment_name.h"
#include "invctl-exit-status.h"

enum { PATIENCE_MS = 5000, RETRY_MS = 5, AGAIN = 1 };
enum { SILENT_MOST = 5 }; /* between bind(2) and listen(2) a broker is silent for a moment */
enum { BYTES_PER_INVOCATION = 768, CAPACITY_USUAL = 16384, MIB = 1024 * 1024 };

static int explain_space(const struct options *options, int error, struct readiness *readiness)
{
	struct statvfs system;
	uint32_t capacity = options->capacity ? options->capacity : CAPACITY_USUAL;
	unsigned long free_mib = 0;

	if (statvfs("/dev/shm", &system) == 0)
		free_mib = (unsigned long)(system.f_bavail * system.f_frsize / MIB);
	readiness->error = -error;
	return readiness_fail(
	        readiness, EXIT_NO_TABLE,
	        "there is no room for table '%s': it takes up to %u MiB, and /dev/shm has %lu "
	        "MiB free (%s); make /dev/shm larger (docker run --shm-size=256m) or start "
	        "invbroker with a smaller --capacity than %u",
	        options->table, (unsigned)((uint64_t)capacity * BYTES_PER_INVOCATION / MIB + 1),
	        free_mib, inv_strerror(error), capacity);
}

/* Why the table can't be made or opened. Returns -1. */
static int explain(const struct options *options, int error, struct readiness *readiness)
{
	char sentence[SEGMENT_SENTENCE_BYTES];
	bool denied = error == -EPERM || error == -EACCES;

	if (error == -EINVAL)
		return readiness_fail(
		        readiness, EXIT_USAGE,
		        "'%s' is no table name; a name is 1 to 64 of A-Z a-z 0-9 . _ -",
		        options->table);
	if (error == -ENOSPC || error == -ENOMEM)
		return explain_space(options, error, readiness);
	if (error == -EBADMSG || error == -EPROTO ||
	    (denied && segment_name_exists(options->table)))
		return readiness_fail(readiness, segment_explain(options->table, error, sentence),
		                      "%s", sentence);
	if (error == -EPERM && options->shared)
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "table '%s' can't be given to group %u: you are not a member of it",
		        options->table, (unsigned)options->gid);
	return readiness_fail(readiness, denied ? EXIT_DENIED : EXIT_NO_TABLE,
	                      "table '%s' can't be made or opened in /dev/shm: %s", options->table,
	                      inv_strerror(error));
}

/* For a program that needs a broker this is a success. */
static int already_served(const struct options *options, pid_t pid, struct readiness *readiness)
{
	if (options->ready_fd >= 0)
		return readiness_fail(readiness, EXIT_DONE, "already served by pid %d", (int)pid);
	return readiness_fail(readiness, EXIT_DENIED, "table '%s' is served by pid %d",
	                      options->table, (int)pid);
}

/* An existing table stays as it was made. */
static int check_sharing(const struct options *options, const struct inv_table_info *info,
                         struct readiness *readiness)
{
	if (options->shared && (!info->shared || info->gid != options->gid))
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "table '%s' exists and is not shared with group %u; let its actions end, "
		        "stop its broker, which removes it then, and start again",
		        options->table, (unsigned)options->gid);
	return 0;
}

/* The pid of the broker that holds the lease of the table under that name, stopped or not; 0. */
static pid_t holder_of(const char *name)
{
	struct inv_table_info info = {0};
	inv_table *table;

	if (!segment_name_exists(name) || inv_open(&table, name, INV_OPEN_GUARD) != 0)
		return 0;
	inv_table_info_get(table, &info);
	inv_close(table);
	return info.serving ? info.broker_pid : 0;
}

/* A broker of this user has the socket. -1 it has the table as well; AGAIN it has ended. */
static int await_broker(const struct options *options, int connection, pid_t pid,
                        struct readiness *readiness)
{
	int error = -ETIMEDOUT;

	for (int waited_ms = 0; error == -ETIMEDOUT && waited_ms < PATIENCE_MS;
	     waited_ms += RETRY_MS) {
		error = handover_answer(connection, RETRY_MS);
		if (error == -ETIMEDOUT && holder_of(options->table) != 0)
			break;
	}
	close(connection);
	return error == -ECONNRESET ? AGAIN : already_served(options, pid, readiness);
}

/* Take the socket. 0: the listener is it, or -1 where no broker of this user has it. */
static int take_socket(const struct options *options, int *silent, struct serving *serving,
                       struct readiness *readiness)
{
	pid_t pid;

	serving->listener = handover_bind(options->table);
	if (serving->listener >= 0)
		return 0;
	int connection = serving->listener == -EADDRINUSE ? handover_connect(options->table, &pid)
	                                                  : serving->listener;
	serving->listener = -1;
	if (connection >= 0)
		return await_broker(options, connection, pid, readiness);
	return connection == -ECONNREFUSED && ++*silent < SILENT_MOST ? AGAIN : 0;
}

static int open_table(const struct options *options, struct serving *serving,
                      struct readiness *readiness)
{
	struct broker_create create = {.name = options->table,
	                               .capacity = options->capacity,
	                               .shared = options->shared,
	                               .gid = options->gid};
	int error = broker_open(&create, &serving->table, &serving->created);

	if (!error)
		error = inv_table_info_get(serving->table, &serving->info);
	/* Another broker may be making it with the room that this one lacks. */
	if (error == -ENOSPC && segment_name_exists(options->table))
		return AGAIN;
	if (error)
		return explain(options, error, readiness);
	return serving->created ? 0 : check_sharing(options, &serving->info, readiness);
}

/* 0; -1 refused; AGAIN the table's broker is starting or ending. */
static int take_lease(const struct options *options, struct serving *serving,
                      struct readiness *readiness)
{
	int error = broker_serve(serving->table, options->retain_ns);

	if (error == -EBUSY) {
		serving->created = false; /* it is the other broker's now */
		return serving->info.broker_pid
		               ? already_served(options, serving->info.broker_pid, readiness)
		               : AGAIN;
	}
	if (error) {
		readiness->error = -error;
		return readiness_fail(readiness, EXIT_INTERNAL, "table '%s' can't be served: %s",
		                      options->table, inv_strerror(error));
	}
	/* Its former broker may have removed the name just before. */
	if (segment_name_is_ours(serving->table))
		return 0;
	broker_unserve(serving->table);
	return AGAIN;
}

static void give_back(struct serving *serving)
{
	inv_close(serving->table);
	if (serving->listener >= 0)
		close(serving->listener);
	*serving = (struct serving){.listener = -1};
}

int startup_serve(const struct options *options, struct serving *serving,
                  struct readiness *readiness)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;
	int silent = 0;

	*serving = (struct serving){.listener = -1};
	for (;;) {
		int result = take_socket(options, &silent, serving, readiness);
		if (!result)
			result = open_table(options, serving, readiness);
		if (!result)
			result = take_lease(options, serving, readiness);
		if (result != AGAIN)
			return result;
		give_back(serving);
		if (clock_monotonic_ns() >= until_ns)
			return already_served(options, 0, readiness);
		nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * NS_PER_MS}, NULL);
	}
}

void startup_withdraw(struct serving *serving)
{
	/* While the lease is held: another broker must not take the table over meanwhile. */
	if (serving->created && serving->table)
		segment_name_remove(serving->table);
	give_back(serving);
}
