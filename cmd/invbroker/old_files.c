/*
 * Removing the files of invocations that ended long ago.
 *
 * How old a file is, only the wall clock shows, and that may jump: at its setting after a start
 * with an empty battery, what was written a minute before looks 50 years old. So where the clock
 * has jumped since the last search, or no invocation's file is of the last 30 days, nothing is
 * removed for 30 days, and the file "kept-until" keeps that time, as its own time of change. After
 * that, what looks old is old.
 */
#include "invbroker/old_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "invbroker/report.h"
#include "os/state_directory.h"

#define KEPT_UNTIL "kept-until"

enum { KEEP_S = 30 * 24 * 3600, JUMP_S = 3600, ID_TEXT = 36 };

/* An invocation's file, as far as its name shows: its id. */
static bool parse_name(const char *name, uint8_t id[16])
{
	static const char *const suffixes[] = {".log", ".log.1", ".out", ".run"};
	char text[ID_TEXT + 1];

	if (strlen(name) <= ID_TEXT)
		return false;
	memcpy(text, name, ID_TEXT);
	text[ID_TEXT] = '\0';
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(name + ID_TEXT, suffixes[i]) == 0)
			return inv_id_parse(text, id) == 0;
	return false;
}

/* Seconds since it was written; false: it is no file of an invocation. */
static bool age_of(DIR *directory, const char *name, time_t now, uint8_t id[16], time_t *age_s)
{
	struct stat status;

	if (!parse_name(name, id) ||
	    fstatat(dirfd(directory), name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(status.st_mode))
		return false;
	*age_s = now - status.st_mtime;
	return true;
}

/* The wall clock was set since the last call. */
static bool clock_has_jumped(time_t now)
{
	static bool known;
	static time_t last_offset_s;
	struct timespec since_boot;

	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	time_t offset_s = now - since_boot.tv_sec;
	bool jumped = known && labs(offset_s - last_offset_s) > JUMP_S;
	known = true;
	last_offset_s = offset_s;
	return jumped;
}

/* Whether any file of an invocation looks old, and whether any is of the last 30 days. */
static void find_ages(DIR *directory, time_t now, bool *old, bool *recent)
{
	uint8_t id[16];
	time_t age_s;

	*old = *recent = false;
	for (struct dirent *entry; (entry = readdir(directory));)
		if (age_of(directory, entry->d_name, now, id, &age_s)) {
			*old |= age_s > KEEP_S;
			*recent |= age_s >= -JUMP_S && age_s <= KEEP_S;
		}
	rewinddir(directory);
}

static void keep_until(DIR *directory, time_t until)
{
	const struct timespec times[2] = {{.tv_sec = until}, {.tv_sec = until}};
	int fd = openat(dirfd(directory), KEPT_UNTIL, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	                0600);

	if (fd < 0)
		return;
	futimens(fd, times);
	close(fd);
}

/* There are files that look old, and the clock is trusted in that. */
static bool any_is_old(DIR *directory, time_t now)
{
	struct stat kept;
	bool jumped = clock_has_jumped(now), old, recent;

	find_ages(directory, now, &old, &recent);
	if (!old)
		return false;
	bool known = fstatat(dirfd(directory), KEPT_UNTIL, &kept, AT_SYMLINK_NOFOLLOW) == 0;

	/* One that lies further ahead was made before the clock was set back. */
	if (jumped || (known && kept.st_mtime > now + KEEP_S) || (!known && !recent)) {
		keep_until(directory, now + KEEP_S);
		return false;
	}
	if (known && now < kept.st_mtime)
		return false;
	unlinkat(dirfd(directory), KEPT_UNTIL, 0);
	return true;
}

static DIR *open_directory(inv_table *table)
{
	int place = state_directory_open(inv_table_name(table));
	int fd = place < 0 ? place : openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (place >= 0)
		close(place);
	if (fd >= 0 && !directory)
		close(fd);
	return directory;
}

void old_files_remove(inv_table *table)
{
	DIR *directory = open_directory(table);
	time_t now = time(NULL), age_s;
	struct inv_info info;
	size_t removed = 0;
	uint8_t id[16];

	if (!directory)
		return;
	if (any_is_old(directory, now))
		for (struct dirent *entry; (entry = readdir(directory));)
			if (age_of(directory, entry->d_name, now, id, &age_s) && age_s > KEEP_S &&
			    inv_info_get(table, id, &info) == -ENOENT &&
			    unlinkat(dirfd(directory), entry->d_name, 0) == 0)
				removed++;
	closedir(directory);
	if (removed > 0)
		report("removed %zu files of invocations that ended more than 30 days ago",
		       removed);
}
