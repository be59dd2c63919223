/*
 * Removing what has ended, once it was kept for the retention time.
 *
 * No timer runs while nothing that has ended is kept. Many invocations end together, and each
 * pass goes through the whole table, so a pass is put off a little: what has ended may be kept
 * up to a sixteenth of the retention time longer, at most 5 s. A pass is cut into turns of a few
 * milliseconds, so that the loop sees the death of an owner meanwhile.
 */
#include "invbroker/retire.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/duration.h"
#include "invbroker/loop.h"
#include "invbroker/old_files.h"

#define SLACK_MAX_NS (5 * NS_PER_SECOND)
#define SLACK_MIN_NS (20 * NS_PER_MS)
#define TURN_NS (2 * NS_PER_MS)
#define OLD_FILES_EVERY_NS (NS_PER_SECOND * 24 * 3600)

static inv_table *table;
static int64_t retain_ns;
static struct broker_retirement pass;
static int64_t due_ns;       /* the first pass is at once */
static int64_t old_files_ns; /* the last search for old files, by CLOCK_BOOTTIME */

static int64_t boot_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* The run file is kept as long as the table's row; logs and output have a time of their own. */
static void forget_run_file(const uint8_t id[16], void *arg)
{
	char path[4096];

	(void)arg;
	if (inv_state_path(table, id, "run", path, sizeof(path)) == 0)
		unlink(path);
}

void retire_open(inv_table *retired_table, int64_t retain)
{
	table = retired_table;
	retain_ns = retain;
	old_files_ns = boot_time_ns();
	old_files_remove(table);
}

static int64_t slack_ns(void)
{
	int64_t slack = retain_ns / 16;

	return slack < SLACK_MIN_NS ? SLACK_MIN_NS : slack > SLACK_MAX_NS ? SLACK_MAX_NS : slack;
}

void retire_notified(void)
{
	/* A pass finds out whether anything has, and when it is due. While a pass is due, what has
	 * ended since is due later. */
	if (due_ns == INV_FOREVER)
		due_ns = 0;
}

int64_t retire_step(int64_t now_ns)
{
	/* Only when the broker is awake anyway. */
	if (boot_time_ns() - old_files_ns >= OLD_FILES_EVERY_NS) {
		old_files_ns = boot_time_ns();
		old_files_remove(table);
	}
	if (retain_ns < 0)
		return INV_FOREVER;
	if (due_ns == INV_FOREVER || now_ns < due_ns)
		return due_ns;
	if (broker_retire(table, &pass, retain_ns, clock_monotonic_ns() + TURN_NS, forget_run_file,
	                  NULL))
		return now_ns;
	/* What has live descendants stays, and may be overdue already. */
	due_ns = pass.next_ns;
	if (due_ns != INV_FOREVER)
		due_ns = (due_ns > now_ns ? due_ns : now_ns) + slack_ns();
	return due_ns;
}
