/*
 * The name of the table's segment in /dev/shm.
 *
 * inotify watches the segment itself, not /dev/shm, so that only what concerns it wakes the
 * broker. A table whose name was removed lives on in the processes that have it mapped;
 * newcomers get it through the broker's socket. A truncated segment is lost: its contents read
 * as zeros (the SIGBUS guard), so the broker says so and ends.
 */
#include "invbroker/segment_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invbroker/loop.h"
#include "invbroker/readiness.h"
#include "invbroker/report.h"
#include "invctl-exit-status.h"

#define DIRECTORY "/dev/shm/"

static struct loop_source source = {.fd = -1};
static inv_table *watched;
static off_t size;
static bool removal_reported;

static bool is_ours(inv_table *table, const char *path)
{
	struct stat own, named;

	return fstat(broker_table_fd(table), &own) == 0 && lstat(path, &named) == 0 &&
	       own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

bool segment_name_exists(const char *table_name)
{
	char path[sizeof(DIRECTORY) + INV_TABLE_NAME_BYTES];
	struct stat status;

	snprintf(path, sizeof(path), DIRECTORY "%s", table_name);
	return lstat(path, &status) == 0;
}

bool segment_name_is_ours(inv_table *table)
{
	char path[sizeof(DIRECTORY) + INV_TABLE_NAME_BYTES];

	snprintf(path, sizeof(path), DIRECTORY "%s", inv_table_name(table));
	return is_ours(table, path);
}

static void report_removal(void)
{
	if (removal_reported)
		return;
	removal_reported = true;
	report("the name /dev/shm/%s was removed while the table is in use; nothing is lost: "
	       "running "
	       "actions go on, and newcomers get the table from this broker. systemd does that at "
	       "a "
	       "user's last logout: 'loginctl enable-linger %u' or RemoveIPC=no in "
	       "/etc/systemd/logind.conf prevents it",
	       inv_table_name(watched), (unsigned)geteuid());
	readiness_notify_manager(
	        "STATUS=The table's name was removed; newcomers get it through the socket");
}

static void check_segment(void)
{
	struct stat status;

	if (fstat(broker_table_fd(watched), &status) == 0 && status.st_size != size) {
		report("the segment of table '%s' was changed in size by somebody, and is lost; "
		       "end its actions by their pids, remove it with 'rm /dev/shm/%s', and start "
		       "them anew",
		       inv_table_name(watched), inv_table_name(watched));
		loop_stop(EXIT_NO_TABLE);
	} else if (!segment_name_is_ours(watched)) {
		report_removal();
	}
}

static void segment_changed(struct loop_source *changed)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(changed->fd, events, sizeof(events)) > 0)
		;
	check_segment();
}

int segment_name_watch(inv_table *table)
{
	char path[40];
	struct stat status;

	watched = table;
	if (fstat(broker_table_fd(table), &status) != 0)
		return -errno;
	size = status.st_size;
	source = (struct loop_source){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
	                              .ready = segment_changed};
	if (source.fd < 0)
		return -errno;
	/* Through the descriptor: the name may be gone by now, or another file's. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", broker_table_fd(table));
	if (inotify_add_watch(source.fd, path,
	                      IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_MODIFY) < 0) {
		int error = -errno;
		close(source.fd);
		return error;
	}
	/* What happened before the watch. */
	check_segment();
	return loop_add(&source);
}

static void count_owner(const struct broker_owner *owner, void *arg)
{
	(void)owner;
	++*(uint32_t *)arg;
}

static bool in_use(inv_table *table)
{
	struct inv_table_info info;
	uint32_t others = 0;

	/* A process that died while it entered may not have notified the broker. */
	broker_sweep(table, NULL, NULL);
	broker_each_owner(table, count_owner, &others);
	return inv_table_info_get(table, &info) != 0 || info.live > 0 || info.finished > 0 ||
	       others > 0 || broker_hold_needs_table(table);
}

bool segment_name_remove(inv_table *table)
{
	char path[sizeof(DIRECTORY) + INV_TABLE_NAME_BYTES];
	char aside[sizeof(path) + 16];

	snprintf(path, sizeof(path), DIRECTORY "%s", inv_table_name(table));
	snprintf(aside, sizeof(aside), DIRECTORY ".%s.%d", inv_table_name(table), (int)getpid());
	/* A name that was moved can be put back, one that was unlinked can't. */
	if (in_use(table) || !segment_name_is_ours(table) || rename(path, aside) != 0)
		return false;
	/* A file that was put there in between stays. */
	if (!is_ours(table, aside) || in_use(table)) {
		renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_NOREPLACE);
		return false;
	}
	unlink(aside);
	return true;
}
