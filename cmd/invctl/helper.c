/*
 * Executing the programs that have some of the subcommands: see helper.h. A program with
 * raised privileges (AT_SECURE) executes only what is installed.
 */
#include "invctl/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/helper_version.h"
#include "common/message.h"
#include "invctl-exit-status.h"
#include "invctl-supervisor.h"

static bool executable_in(const char *directory, size_t length, const char *program,
                          char path[PATH_MAX])
{
	int written = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, directory, program);
	struct stat status;

	return written > 0 && written < PATH_MAX && stat(path, &status) == 0 &&
	       S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool beside_invctl(const char *program, char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length <= 0)
		return false;
	self[length] = '\0';
	return executable_in(self, (size_t)(strrchr(self, '/') - self), program, path);
}

/* None with raised privileges. A relative directory of PATH counts for nothing: it is another one
 * in every directory. */
static bool in_search_path(const char *program, char path[PATH_MAX])
{
	const char *directory = secure_getenv("PATH");

	while (directory && *directory) {
		size_t length = strcspn(directory, ":");

		if (*directory == '/' && executable_in(directory, length, program, path))
			return true;
		directory += length + (directory[length] == ':');
	}
	return false;
}

static bool find_helper(const char *program, char path[PATH_MAX])
{
	return (!getauxval(AT_SECURE) && beside_invctl(program, path)) ||
	       executable_in(INV_LIBEXECDIR, strlen(INV_LIBEXECDIR), program, path) ||
	       in_search_path(program, path);
}

/* The helper's words: its name, the version, --table, the subcommand, and what stood behind it. */
static char **helper_words(char *program, const char *subcommand, int argc, char **argv,
                           const struct globals *globals)
{
	static char version[] = "--" HELPER_VERSION_OPTION "=" INV_VERSION;
	char **words = calloc((size_t)argc + 5, sizeof(*words));
	int count = 0;

	if (!words)
		return NULL;
	words[count++] = program;
	words[count++] = version;
	if (globals->table && asprintf(&words[count++], "--table=%s", globals->table) < 0)
		return NULL;
	words[count++] = (char *)subcommand;
	memcpy(words + count, argv + 1, (size_t)argc * sizeof(*words)); /* and the NULL */
	return words;
}

/* Without a descriptor its libraries can't be loaded, and the dynamic linker would exit with 127.
 */
static bool descriptor_is_left(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || (errno != EMFILE && errno != ENFILE);
}

int helper_exec(const char *program, const char *subcommand, int argc, char **argv,
                const struct globals *globals)
{
	char path[PATH_MAX];

	if (!find_helper(program, path)) {
		message("%s, which '%s' needs, is missing: it is neither beside invctl nor in "
		        "%s; install it",
		        program, subcommand, INV_LIBEXECDIR);
		return EXIT_INTERNAL;
	}
	if (!descriptor_is_left()) {
		message("no descriptor is left to execute %s; raise 'ulimit -n'", path);
		return EXIT_INTERNAL;
	}

	char **words = helper_words(path, subcommand, argc, argv, globals);

	if (words)
		execv(path, words);
	message("%s can't be executed: %s", path, strerror(errno));
	return EXIT_INTERNAL;
}

/* Under another --table the context of INVCTL_ID is none. */
static void hand_on_table(const struct globals *globals)
{
	char context_table[INV_TABLE_NAME_BYTES];

	if (!globals->table)
		return;
	if (inv_default_table_name(context_table) < 0 || strcmp(globals->table, context_table) != 0)
		unsetenv("INVCTL_ID");
	setenv("INVCTL_TABLE", globals->table, 1);
}

void extension_exec(const char *name, char **argv, const struct globals *globals)
{
	char program[NAME_MAX + 1], path[PATH_MAX];
	int written = snprintf(program, sizeof(program), "invctl-%s", name);

	if (written < 0 || written >= (int)sizeof(program) || !*name || strchr(name, '/') ||
	    !in_search_path(program, path))
		return;
	hand_on_table(globals);
	argv[0] = path;
	execv(path, argv);
	message("%s can't be executed: %s", path, strerror(errno));
	exit(EXIT_INTERNAL);
}
