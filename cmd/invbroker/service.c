/*
 * The broker's work, from the lease to its end.
 *
 * The first thread runs the loop (loop.c). Its sources are the signals, a pidfd of each owner
 * (watch.c), a pidfd of each action that was taken over (takeover.c), the socket (handover.c), the
 * segment's inotify (segment_name.c) and an eventfd. After each wake-up the steps run: sweep after
 * dead owners, then look after actions without a supervisor, store the hold, retire what ended long
 * ago.
 *
 * The second thread sleeps on the table's change counter (table/notification.c), which no
 * descriptor can stand for, and writes the eventfd when it has changed. It pauses after each
 * change, so that a busy table wakes the broker at most a hundred times a second.
 */
#include "invbroker/service.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/duration.h"
#include "invbroker/handover.h"
#include "invbroker/loop.h"
#include "invbroker/report.h"
#include "invbroker/retire.h"
#include "invbroker/segment_name.h"
#include "invbroker/takeover.h"
#include "invbroker/watch.h"
#include "invctl-exit-status.h"

#define CHANGE_PAUSE_NS 10000000
#define STORE_AGAIN_NS NS_PER_SECOND
#define CHANGING_NS (20 * NS_PER_MS)

static struct loop_source changes = {.fd = -1};
static struct loop_source signals = {.fd = -1};
static inv_table *held_table;

/* What can't be stored, on a full disk say, is tried again. */
static int64_t hold_step(int64_t now_ns)
{
	static int64_t due_ns;
	static int reported;

	if (now_ns < due_ns)
		return due_ns;
	due_ns = 0;
	int error = broker_keep_hold(held_table);
	if (error == 0) {
		reported = 0;
		return INV_FOREVER;
	}
	if (error == -EAGAIN)
		return due_ns = now_ns + CHANGING_NS;
	if (error != reported)
		report("the hold of table '%s' as it is now can't be stored, and would not be so "
		       "after a "
		       "restart of this machine: %s",
		       inv_table_name(held_table), strerror(-error));
	reported = error;
	return due_ns = now_ns + STORE_AGAIN_NS;
}

static _Noreturn void *wait_for_changes(void *arg)
{
	uint32_t seen = 0;

	for (;;) {
		broker_wait_notification(arg, &seen);
		eventfd_write(changes.fd, 1);
		nanosleep(&(struct timespec){.tv_nsec = CHANGE_PAUSE_NS}, NULL);
	}
}

static void table_changed(struct loop_source *source)
{
	eventfd_t count;

	eventfd_read(source->fd, &count);
	watch_refresh();
	takeover_notified();
	retire_notified();
}

static void signal_came(struct loop_source *source)
{
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		/* Finish commands; the first process of a container inherits the orphans of all
		 * others, too. */
		int status;
		pid_t pid;
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			takeover_reaped(pid, status);
		return;
	}
	report("stopped by SIG%s from pid %u", sigabbrev_np((int)info.ssi_signo), info.ssi_pid);
	loop_stop(EXIT_DONE);
}

static int open_signals(void)
{
	static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaddset(&set, handled[i]);
	signals = (struct loop_source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
	                               .ready = signal_came};
	if (signals.fd < 0)
		return -errno;
	/* Before the second thread exists, which must not take them either. */
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	return loop_add(&signals);
}

static int open_changes(inv_table *table)
{
	pthread_t thread;

	changes = (struct loop_source){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	                               .ready = table_changed};
	if (changes.fd < 0)
		return -errno;
	int error = loop_add(&changes);
	if (error)
		return error;
	return -pthread_create(&thread, NULL, wait_for_changes, table);
}

static void announce(const struct options *options, const struct serving *serving)
{
	const struct inv_table_info *info = &serving->info;
	struct inv_request hold;

	report("%s table '%s' for %u live invocations (%llu MiB), %s; %u live, %u finished",
	       serving->created ? "made" : "took over", info->name, info->capacity,
	       (unsigned long long)(info->bytes >> 20),
	       info->shared ? "shared with a group" : "private", info->live, info->finished);
	if (inv_hold_get(serving->table, &hold) > 0)
		report("table '%s' is on hold: %s", info->name,
		       *hold.reason ? hold.reason : "without a note");
	if (options->capacity && options->capacity != info->capacity)
		report("--capacity=%u is for a new table; this one exists, and keeps its capacity",
		       options->capacity);
	if (serving->listener < 0)
		report("somebody else sits on the socket name of table '%s': if its name in "
		       "/dev/shm is removed, newcomers can't get it; 'ss -xlp' shows that process",
		       info->name);
}

int service_open(const struct options *options, struct serving *serving,
                 struct readiness *readiness)
{
	inv_table *table = serving->table;
	const struct inv_table_info *info = &serving->info;
	gid_t gid = info->gid;

	report_open(table, !options->foreground);
	announce(options, serving);
	int error = loop_open();
	if (!error)
		error = open_signals();
	if (!error)
		error = watch_open(table, takeover_adopt, NULL);
	if (!error && serving->listener >= 0)
		error = handover_open(serving->listener, table, info->shared ? &gid : NULL);
	if (!error) {
		takeover_open(table, info->shared);
		retire_open(table, options->retain_ns);
		held_table = table;
		broker_recover(table, takeover_adopt, NULL);
		error = open_changes(table);
	}
	if (error) {
		readiness->error = -error;
		return readiness_fail(readiness, EXIT_INTERNAL, "table '%s' can't be served: %s",
		                      options->table, strerror(-error));
	}
	error = segment_name_watch(table);
	if (error)
		report("the name of table '%s' is not watched: %s; raise "
		       "fs.inotify.max_user_instances",
		       options->table, strerror(-error));
	return 0;
}

int service_run(void)
{
	static const struct loop_step steps[] = {
	        {watch_step}, {takeover_step}, {hold_step}, {retire_step}, {NULL}};

	readiness_notify_manager("READY=1\nSTATUS=Serving");
	int result = loop_run(steps);
	readiness_notify_manager("STOPPING=1");
	return result;
}

void service_close(const struct serving *serving, int status)
{
	inv_table *table = serving->table;
	const char *name = serving->info.name;

	/* Brokers that start now wait until the lease is free, and see then whether the table has
	 * its name still. A damaged table stays, so that the damage can be examined. */
	broker_leaving(table);
	broker_keep_hold(table);
	if (!segment_name_is_ours(table))
		report("table '%s' has no name any more, so the next broker makes a new one; "
		       "actions "
		       "in the old one go on without a broker",
		       name);
	else if (status == EXIT_DONE && segment_name_remove(table))
		report("table '%s' is removed: nothing lives in it", name);
	else
		report("table '%s' stays for the next broker", name);
	broker_unserve(table);
}
