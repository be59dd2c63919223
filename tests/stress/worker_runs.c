/*
 * What a worker does with `invctl run`: see worker_runs.h.
 *
 * Every command ends by itself within half a second, so that the storm can settle.
 */
#include "worker_runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chance.h"
#include "note.h"
#include <invctl.h>

enum { ARGUMENTS_MAX = 16, OPTIONS_MAX = 4 };

/* INVCTL and INNER stand for the program and for a second id. */
static const char INVCTL[] = "INVCTL", INNER[] = "INNER";

struct kind {
	bool detached, nested;
	const char *arguments[ARGUMENTS_MAX];
};

static const struct kind kinds[] = {
        {.arguments = {"--", "sleep", "0.04"}},
        {.arguments = {"--", "sh", "-c", "exit 3"}},
        {.arguments = {"--", "sh", "-c", "for i in 1 2 3 4 5; do \"$0\" sleep 0.02 || exit; done",
                       INVCTL}},
        {.arguments = {"--", "sh", "-c", "\"$0\" check --peek; \"$0\" sleep 0.05; exit 0", INVCTL}},
        {.nested = true, .arguments = {"--", INVCTL, "run", INNER, "--", "sleep", "0.05"}},
        {.nested = true,
         .arguments = {"--timeout=40ms", "--", "sh", "-c", "\"$0\" run \"$1\" -- sleep 0.3", INVCTL,
                       INNER}},
        {.detached = true, .arguments = {"--detach", "--", "sleep", "0.15"}},
        {.detached = true,
         .arguments = {"--detach", "--timeout=50ms", "--", "sh", "-c", "echo begun; sleep 0.4"}},
        {.arguments = {"--timeout=20ms", "--kill-after=30ms", "--", "sh", "-c",
                       "trap '' TERM; sleep 0.4"}},
        {.arguments = {"--", "sh", "-c", "setsid sleep 0.1 & exec sleep 0.02"}},
};

static void in_child(char **arguments)
{
	int null = open("/dev/null", O_RDWR);
	uint8_t current[16];
	char text[37];

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (inv_current_id(current) == 0) {
		inv_id_format(current, text);
		setenv("INVCTL_ID", text, 1);
	}
	execv(arguments[0], arguments);
	_exit(127);
}

static void run_and_note(const struct kind *kind, char **arguments, const uint8_t id[16])
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		in_child(arguments);
	if (pid < 0) {
		note_bad(id, "fork", -errno);
		return;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status))
		return;
	if (!kind->detached)
		note_number("exited", id, WEXITSTATUS(status));
	else if (WEXITSTATUS(status) == 0)
		note("begun", id);
}

static void id_option(char option[48], const uint8_t id[16])
{
	strcpy(option, "--id=");
	inv_id_format(id, option + strlen(option));
}

void worker_run(const char *invctl)
{
	const struct kind *kind = &kinds[chance(sizeof(kinds) / sizeof(kinds[0]))];
	char *arguments[ARGUMENTS_MAX + OPTIONS_MAX] = {(char *)invctl, (char *)"run"};
	char outer_option[48], inner_option[48];
	uint8_t outer[16], inner[16];

	chance_id(outer);
	chance_id(inner);
	id_option(outer_option, outer);
	id_option(inner_option, inner);
	arguments[2] = outer_option;
	for (size_t i = 0; kind->arguments[i]; i++) {
		const char *argument = kind->arguments[i];
		arguments[3 + i] = argument == INVCTL  ? (char *)invctl
		                   : argument == INNER ? inner_option
		                                       : (char *)argument;
	}
	note("perhaps", outer);
	if (kind->nested)
		note("perhaps", inner);
	run_and_note(kind, arguments, outer);
}
