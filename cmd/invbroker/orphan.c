/*
 * An action whose supervisor is dead: see orphan.h.
 *
 * Any member of a shared table's group can write a pid and a uid into it, and must not make the
 * broker signal a process that has nothing to do with the invocation. So an invocation there is
 * its user's only where
 *   - the command's process lives, and the kernel says that it is that user's,
 *   - it was executed in this invocation, as its environment says, and
 *   - the run file is that user's: it goes when the table forgets an id, so that what a finished
 *     run has left is not signalled for a later row of that id.
 * In a private table the pid and its start time are enough.
 *
 * `run` may have had another state directory than the broker. The action's environment names it.
 */
#include "invbroker/orphan.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/duration.h"

enum { ENVIRONMENT_BYTES_MAX = 4 * 1024 * 1024, ENVIRONMENT_STEP = 16384 };

/* All of a file of /proc, whose size is not known before, with a NUL behind it; NULL on any
 * error. */
static char *read_all(int fd, size_t *used)
{
	char *text = NULL;
	ssize_t length = 1;

	*used = 0;
	for (size_t size = ENVIRONMENT_STEP; length > 0 && size <= ENVIRONMENT_BYTES_MAX;
	     size *= 2) {
		char *grown = realloc(text, size + 1);
		if (!grown)
			break;
		text = grown;
		while (*used < size && (length = read(fd, text + *used, size - *used)) > 0)
			*used += (size_t)length;
	}
	if (text && length == 0) {
		text[*used] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* The environment that a process of our own user was started with. */
static char *read_environment(pid_t pid, size_t *used)
{
	char path[40];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	char *text =
	        fstat(fd, &status) == 0 && status.st_uid == geteuid() ? read_all(fd, used) : NULL;
	close(fd);
	return text;
}

/* Split into strings, without the one that names the invocation. */
static char **split_environment(char *text, size_t used)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < used; i++)
		count += text[i] == '\0';
	char **strings = calloc(count + 2, sizeof(*strings));
	if (!strings)
		return NULL;
	for (char *string = text; string < text + used; string += strlen(string) + 1)
		if (strncmp(string, "INVCTL_ID=", 10) != 0)
			strings[kept++] = string;
	return strings;
}

/* true: the command's process is of our own user, and was executed in this invocation of this
 * table. The same id may be another table's, whose members have no say here. */
static bool learn_environment(inv_table *table, struct orphan *orphan)
{
	pid_t pid = orphan->command.pid;
	struct process_status status;
	uint8_t id[16];
	size_t used;

	orphan->environment_text = pid > 0 ? read_environment(pid, &used) : NULL;
	if (!orphan->environment_text)
		return false;
	orphan->own_environment = split_environment(orphan->environment_text, used);
	orphan->environment = orphan->own_environment;
	/* The pid may be another process's since it was recorded: verify after reading. */
	return process_context(pid, inv_table_name(table), id) &&
	       memcmp(id, orphan->scope.id, sizeof(id)) == 0 &&
	       process_read_status(pid, &status) == 0 && status.uid == geteuid() &&
	       process_life(&orphan->command) == PROCESS_ALIVE;
}

/* "": it is not set. */
static const char *value_of(char **environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return "";
}

/* Where `run` has put the run file, by the action's environment. A relative directory is not
 * known: it was relative to where `run` was started. */
static bool other_run_path(const struct orphan *orphan, const char *table_name, const char *id,
                           char *path, size_t size)
{
	static const struct {
		const char *variable, *below;
	} places[] = {{"INVCTL_STATE_DIR", ""},
	              {"XDG_STATE_HOME", "/invctl"},
	              {"HOME", "/.local/state/invctl"}};
	const char *directory = "";
	size_t i = 0;

	if (!orphan->environment)
		return false;
	for (; i < sizeof(places) / sizeof(places[0]) && !*directory; i++)
		directory = value_of(orphan->environment, places[i].variable);

	int length = *directory != '/' ? -1
	                               : snprintf(path, size, "%s%s/%s/%s.run", directory,
	                                          places[i - 1].below, table_name, id);

	return length > 0 && (size_t)length < size;
}

static void read_run_file(inv_table *table, const char *id, struct orphan *orphan)
{
	char *path = orphan->run_path;
	size_t size = sizeof(orphan->run_path);

	if (inv_state_path(table, orphan->scope.id, "run", path, size) == 0 &&
	    runfile_read(path, &orphan->run) == 0)
		return;
	orphan->run_elsewhere = other_run_path(orphan, inv_table_name(table), id, path, size) &&
	                        runfile_read(path, &orphan->run) == 0;
}

/* In a shared table any row may claim to have ended: our own run file names the supervisor, which
 * must have. The file is sealed once the finish command has run. */
static bool may_finish(const struct orphan *orphan, bool shared)
{
	struct process_identity supervisor = {.pid = orphan->run.supervisor,
	                                      .start = orphan->run.supervisor_start,
	                                      .namespace = process_namespace()};

	return orphan->run.finish_command &&
	       (!shared || (supervisor.pid > 0 && process_life(&supervisor) == PROCESS_DEAD));
}

/* It lies beside the run file, ID.run. -1: there is none. */
static int open_output(const struct orphan *orphan)
{
	char path[sizeof(orphan->run_path)];
	struct stat status;

	if (!orphan->run.text)
		return -1;
	snprintf(path, sizeof(path), "%.*sout", (int)strlen(orphan->run_path) - 3,
	         orphan->run_path);

	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 ||
	    (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid()))
		return fd;
	close(fd);
	return -1;
}

void orphan_open(inv_table *table, bool shared, inv_invocation *invocation,
                 const struct inv_run_view *view, struct orphan *orphan)
{
	struct inv_info row = {0};
	char id[INV_ID_TEXT_BYTES];

	*orphan = (struct orphan){.command = {.pid = view->pid, .start = view->pid_start}};
	orphan->scope = (struct process_scope){.table = table, .uid = geteuid()};
	inv_invocation_id(invocation, orphan->scope.id);
	inv_id_format(orphan->scope.id, id);
	inv_info_get(table, orphan->scope.id, &row);
	snprintf(orphan->label, sizeof(orphan->label), "%s (%.*s)", id, INV_NAME_BYTES - 1,
	         row.name);

	bool verified = learn_environment(table, orphan);

	if (verified || !shared) {
		orphan->scope.command = orphan->command.pid;
		orphan->scope.command_start = orphan->command.start;
	}
	read_run_file(table, id, orphan);
	orphan->foreign = shared ? !verified || !orphan->run.text : row.uid != geteuid();
	if (!may_finish(orphan, shared) || row.uid != geteuid())
		orphan->run.finish_command = NULL;
	orphan->finish_lost =
	        (view->flags & INV_RUN_FINISH_COMMAND) != 0 && !orphan->run.finish_command;
	if (!orphan->environment && orphan->run.finish_command)
		orphan->environment = orphan->run.environment;
	orphan->output_fd = open_output(orphan);
	kept_output_begin(&orphan->output, orphan->output_fd, orphan->run.output_limit,
	                  clock_monotonic_ns());
	orphan->stop_command_lost =
	        (view->flags & INV_RUN_STOP_COMMAND) != 0 && !orphan->run.stop_command;
}

void orphan_forget_other_run_file(const struct orphan *orphan)
{
	if (orphan->run_elsewhere)
		unlink(orphan->run_path);
}

void orphan_close(struct orphan *orphan)
{
	if (orphan->output.fd >= 0) {
		orphan->output.due_ns = 0;
		kept_output_step(&orphan->output, clock_monotonic_ns());
	}
	if (orphan->output_fd >= 0)
		close(orphan->output_fd);
	runfile_free(&orphan->run);
	free(orphan->own_environment);
	free(orphan->environment_text);
}
