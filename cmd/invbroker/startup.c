/*
 * From a name to a table that this process serves, alone.
 *
 * The socket's name keeps a second broker away from the moment it is bound; the
 * kernel frees it with the process. It is not all that does: broker_serve takes a
 * lock on the table itself, for those of another network namespace, who don't see
 * this socket, and for the case that another user sits on the name, who must not
 * be able to keep a table from being served.
 *
 * A broker that has bound but not yet listens is starting, or has failed and is
 * about to end; who comes second waits for which it is, so that whoever started
 * it finds the table served, or starts it after all.
 */
#include "invbroker/startup.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/exit_status.h"
#include "invbroker/handover.h"
#include "invbroker/refusal.h"
#include "invbroker/segment_name.h"

enum { PATIENCE_MS = 5000, RETRY_MS = 5, LOCK_RETRIES = 100 };

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* For a program that wants the table served it is as good as done. */
static int already_served(const struct options *options, pid_t pid, struct readiness *readiness)
{
	if (options->ready_fd >= 0)
		return readiness_fail(readiness, EXIT_DONE, "already served by pid %d", (int)pid);
	return readiness_fail(readiness, EXIT_DENIED, "table '%s' is served by pid %d",
	                      options->table, (int)pid);
}

/* Take the socket. 0: *listener is it, or -1 where nobody's broker has it; -1: refused. */
static int exclude_others(const struct options *options, int *listener, struct readiness *readiness)
{
	int64_t until_ns = monotonic_ns() + PATIENCE_MS * NS_PER_MS;
	pid_t pid = 0;
	uid_t uid = 0;

	for (;;) {
		*listener = handover_bind(options->table);
		if (*listener >= 0)
			return 0;
		if (*listener == -EINVAL)
			return refusal_explain(options, -EINVAL, readiness);
		int64_t left_ms = (until_ns - monotonic_ns()) / NS_PER_MS;
		int error = *listener != -EADDRINUSE
		                    ? *listener
		                    : handover_ask(options->table, left_ms > 0 ? (int)left_ms : 0,
		                                   &pid, &uid);
		*listener = -1;
		/* A broker that is stopped serves still: nobody needs its answer to go on. */
		if (error == 0 || (error == -ETIMEDOUT && pid != 0))
			return already_served(options, pid, readiness);
		if (error == -EPERM || left_ms <= 0)
			return 0;
		pause_ms(RETRY_MS);
	}
}

/* A table that is there stays as it was made. */
static int check_wishes(const struct options *options, const struct inv_table_info *info,
                        struct readiness *readiness)
{
	if (options->shared && (!info->shared || info->gid != options->gid))
		return readiness_fail(
		        readiness, EXIT_DENIED,
		        "table '%s' is there already, and is not shared with group %u; stop "
		        "its actions and its broker, remove it with 'rm /dev/shm/%s', and "
		        "start again",
		        options->table, (unsigned)options->gid, options->table);
	return 0;
}

/* A broker that was just killed may hold the lock for a moment longer than the socket. */
static int serve_patiently(inv_table *table, int64_t retain_ns)
{
	int error = broker_serve(table, retain_ns);

	for (int i = 0; error == -EBUSY && i < LOCK_RETRIES; i++) {
		pause_ms(RETRY_MS);
		error = broker_serve(table, retain_ns);
	}
	return error;
}

static int serve_table(const struct options *options, struct serving *serving,
                       struct readiness *readiness)
{
	struct broker_create create = {.name = options->table,
	                               .capacity = options->capacity,
	                               .shared = options->shared,
	                               .gid = options->gid};
	int error = broker_open(&create, &serving->table, &serving->created);

	if (error)
		return refusal_explain(options, error, readiness);
	error = inv_table_info_get(serving->table, &serving->info);
	if (error)
		return refusal_explain(options, error, readiness);
	if (!serving->created && check_wishes(options, &serving->info, readiness) != 0)
		return -1;
	error = serve_patiently(serving->table, options->retain_ns);
	if (error == -EBUSY)
		return already_served(options, serving->info.broker_pid, readiness);
	if (error) {
		readiness->error = -error;
		return readiness_fail(readiness, EXIT_INTERNAL, "table '%s' can't be served: %s",
		                      options->table, inv_strerror(error));
	}
	return 0;
}

int startup_serve(const struct options *options, struct serving *serving,
                  struct readiness *readiness)
{
	*serving = (struct serving){.listener = -1};
	if (exclude_others(options, &serving->listener, readiness) != 0)
		return -1;
	return serve_table(options, serving, readiness);
}

void startup_withdraw(struct serving *serving)
{
	/* While the socket keeps others from taking it for one that only wants a broker. */
	if (serving->created && serving->table)
		names_remove(serving->table);
	inv_close(serving->table);
	if (serving->listener >= 0)
		close(serving->listener);
	*serving = (struct serving){.listener = -1};
}
