/*
 * Serving a table: the parts are put on the loop here, and taken off it.
 *
 * One more thread does nothing but sleep on the table's news word, which no
 * descriptor stands for, and pass the news on to the loop. It pauses after each,
 * so that a busy table wakes the broker a hundred times a second at most. A teller
 * may die before it wakes that thread: lib/table/notification.c says why nothing is missed then.
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

#include "common/exit_status.h"
#include "invbroker/handover.h"
#include "invbroker/loop.h"
#include "invbroker/notify.h"
#include "invbroker/report.h"
#include "invbroker/retire.h"
#include "invbroker/segment_name.h"
#include "invbroker/state_directory.h"
#include "invbroker/takeover.h"
#include "invbroker/watch.h"

#define NEWS_PAUSE_NS 10000000

static struct loop_source news = {.fd = -1};
static struct loop_source signals = {.fd = -1};

static _Noreturn void *wait_for_news(void *arg)
{
	uint32_t seen = 0;

	for (;;) {
		broker_wait_notification(arg, &seen);
		eventfd_write(news.fd, 1);
		nanosleep(&(struct timespec){.tv_nsec = NEWS_PAUSE_NS}, NULL);
	}
}

static void news_came(struct loop_source *source)
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
		/* As the first process of a container it is left with everybody's orphans. */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
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
	/* Before there is a second thread, which must not take them either. */
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	return loop_add(&signals);
}

static int open_news(inv_table *table)
{
	pthread_t thread;

	news = (struct loop_source){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	                            .ready = news_came};
	if (news.fd < 0)
		return -errno;
	int error = loop_add(&news);
	if (error)
		return error;
	return -pthread_create(&thread, NULL, wait_for_news, table);
}

static void open_log(const struct options *options, inv_table *table)
{
	char path[4096 + 16];
	size_t room = sizeof(path) - sizeof("/broker.log");

	report_to_stderr();
	if (options->foreground || state_directory(table, path, room) != 0)
		return;
	strcat(path, "/broker.log");
	report_to_file(path);
}

static void announce(const struct options *options, const struct serving *serving)
{
	const struct inv_table_info *info = &serving->info;

	report("%s table '%s' for %u live invocations (%llu MiB), %s; %u live, %u finished",
	       serving->created ? "made" : "took over", info->name, info->capacity,
	       (unsigned long long)(info->bytes >> 20),
	       info->shared ? "shared with a group" : "private", info->live, info->finished);
	if (options->capacity && options->capacity != info->capacity)
		report("--capacity=%u is for a new table, and this one was there",
		       options->capacity);
	if (serving->listener < 0)
		report("somebody else sits on the socket name of table '%s'; it is served without, "
		       "and "
		       "can't be handed on when its name in /dev/shm is removed",
		       info->name);
}

int service_open(const struct options *options, struct serving *serving,
                 struct readiness *readiness)
{
	inv_table *table = serving->table;
	const struct inv_table_info *info = &serving->info;
	gid_t gid = info->gid;

	open_log(options, table);
	announce(options, serving);
	int error = loop_open();
	if (!error)
		error = open_signals();
	if (!error)
		error = watch_open(table, takeover_adopt, NULL);
	if (!error && serving->listener >= 0)
		error = handover_serve(serving->listener, table, info->shared ? &gid : NULL);
	if (!error) {
		takeover_open(table, info->shared);
		retire_open(table, options->retain_ns);
		broker_recover(table, takeover_adopt, NULL);
		error = open_news(table);
	}
	if (error) {
		readiness->error = -error;
		return readiness_fail(readiness, EXIT_INTERNAL, "table '%s' can't be served: %s",
		                      options->table, strerror(-error));
	}
	error = names_watch(table);
	if (error)
		report("the name of table '%s' is not watched: %s; raise "
		       "fs.inotify.max_user_instances",
		       options->table, strerror(-error));
	return 0;
}

int service_run(void)
{
	static const struct loop_step steps[] = {
	        {watch_step}, {takeover_step}, {retire_step}, {NULL}};

	notify_manager("READY=1\nSTATUS=Serving");
	int result = loop_run(steps);
	notify_manager("STOPPING=1");
	return result;
}

void service_close(const struct serving *serving, int status)
{
	inv_table *table = serving->table;
	const char *name = serving->info.name;

	/* A damaged one stays as it is, for whoever wants to know what happened. The name
	 * goes while the table is served: nobody must take it for one that only wants a
	 * broker. */
	if (!names_is_ours(table))
		report("table '%s' has no name any more, so the next broker makes a new one; what "
		       "runs in the old one goes on by itself",
		       name);
	else if (status == EXIT_DONE && names_remove(table))
		report("table '%s' is removed: nothing lives in it", name);
	else
		report("table '%s' stays for the next broker", name);
	broker_unserve(table);
}
