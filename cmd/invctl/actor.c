/*
 * Who makes the requests of this command: see actor.h.
 *
 * The process itself has ended when the record is read, so what helps a person is where it came
 * from: the terminal, and the script in which it stood. That is the calling process's: a shell or
 * another interpreter with a file as its first argument that is no option, or a script that the
 * kernel started by its first line.
 */
#include "invctl/actor.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "invctl-supervisor.h"

enum { LINE_BYTES = 4096 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Of the first standard file that is one; "" where none is. */
static void find_terminal(char terminal[INV_TERMINAL_BYTES])
{
	static const char prefix[] = "/dev/";

	terminal[0] = '\0';
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		char path[64];
		if (!isatty(fd) || ttyname_r(fd, path, sizeof(path)) != 0)
			continue;
		snprintf(terminal, INV_TERMINAL_BYTES, "%.15s",
		         strncmp(path, prefix, strlen(prefix)) == 0 ? path + strlen(prefix) : path);
		return;
	}
}

/* The words of a process, each with its NUL. Their length; 0: not known. */
static size_t read_words(pid_t pid, char words[LINE_BYTES])
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, words, LINE_BYTES - 1);
	if (fd >= 0)
		close(fd);
	words[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}

static bool is_interpreter(const char *program)
{
	static const char *const names[] = {"sh",   "bash", "dash", "zsh",    "ksh",
	                                    "fish", "perl", "ruby", "Rscript"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(program, names[i]) == 0)
			return true;
	return strncmp(program, "python", strlen("python")) == 0;
}

/* The first word that is no option. A command in an option (sh -c) is no script. */
static void find_script(char script[INV_SCRIPT_BYTES])
{
	char words[LINE_BYTES];
	size_t length = read_words(getppid(), words);
	const char *word = words + strlen(words) + 1;

	script[0] = '\0';
	if (length == 0 || !is_interpreter(base_name(words)))
		return;
	for (; word < words + length; word += strlen(word) + 1) {
		if (word[0] == '-' && strchr(word, 'c') && word[1] != '-')
			return;
		if (word[0] != '-')
			break;
	}
	if (word < words + length)
		snprintf(script, INV_SCRIPT_BYTES, "%s", base_name(word));
}

void actor_find(void)
{
	char terminal[INV_TERMINAL_BYTES], script[INV_SCRIPT_BYTES];

	find_terminal(terminal);
	find_script(script);
	inv_actor_set(&(struct inv_actor){.terminal = terminal, .script = script});
}
