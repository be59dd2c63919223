/* The runs of a table of another version: see other_version.h. */
#include "common/other_version.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/runfile.h"
#include "os/process.h"
#include "os/state_directory.h"

#define SUFFIX ".run"

enum { ID_DIGITS = INV_ID_TEXT_BYTES - 1 };

/* ID.run */
static bool parse_name(const char *name, uint8_t id[16])
{
	char text[INV_ID_TEXT_BYTES];

	if (strlen(name) != ID_DIGITS + strlen(SUFFIX) || strcmp(name + ID_DIGITS, SUFFIX) != 0)
		return false;
	snprintf(text, sizeof(text), "%.36s", name);
	return inv_id_parse(text, id) == 0;
}

static bool read_run(const char *table, struct supervised *run)
{
	char path[PATH_MAX];
	struct runfile file;

	if (state_path(table, run->id, "run", path, sizeof(path)) != 0 ||
	    runfile_read(path, &file) != 0)
		return false;
	snprintf(run->name, sizeof(run->name), "%s", file.name ? file.name : "");
	run->supervisor = file.supervisor;
	run->supervisor_start = file.supervisor_start;
	runfile_free(&file);

	struct process_identity identity = {.pid = run->supervisor, .start = run->supervisor_start};

	return run->supervisor > 0 && run->supervisor_start != 0 &&
	       process_life(&identity) == PROCESS_ALIVE;
}

int other_version_each(const char *table, int (*each)(const struct supervised *run, void *arg),
                       void *arg)
{
	static const uint8_t any_id[16];
	char path[PATH_MAX];
	struct dirent *entry;
	int result = 0;

	if (state_path(table, any_id, "run", path, sizeof(path)) != 0)
		return 0;
	*strrchr(path, '/') = '\0';
	DIR *directory = opendir(path);
	if (!directory)
		return 0;
	while (result == 0 && (entry = readdir(directory))) {
		struct supervised run = {0};
		if (parse_name(entry->d_name, run.id) && read_run(table, &run))
			result = each(&run, arg);
	}
	closedir(directory);
	return result;
}

int supervised_request(const struct supervised *run)
{
	struct process_identity identity = {.pid = run->supervisor, .start = run->supervisor_start};
	int pidfd = process_open(&identity);
	int error = pidfd < 0 ? pidfd : process_signal_pidfd(pidfd, SIGTERM);

	if (error == 0)
		return pidfd;
	if (pidfd >= 0)
		close(pidfd);
	return error;
}
