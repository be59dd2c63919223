/*
 * The terminal of `invctl run`. The command has a process group of its own, so that
 * Ctrl-C reaches `run` alone, which makes a request of it. When the command first stops
 * because it is not in the foreground (SIGTTIN, SIGTTOU), it gets the foreground. From
 * then on keys go to the command, Ctrl-Z stops it and `run` with it, and the shell's fg
 * continues both.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
	int fd;      /* -1: none, or not opened yet */
	pid_t group; /* the command's; 0: it has ended */
	bool handed_over;
	bool modes_known;
	struct termios modes; /* as they were before the command could change them */
};

void terminal_begin(struct terminal *terminal, pid_t group);

/* The command was stopped by that signal. */
void terminal_command_stopped(struct terminal *terminal, int signum);

/* Ctrl-Z at `run`: stop the command's group and this process; returns when it continues. */
void terminal_suspend(struct terminal *terminal);

/* This process continues after a stop that came from outside. */
void terminal_continued(struct terminal *terminal);

/* The command has ended: take the terminal back, with its modes where a signal ended it. */
void terminal_end(struct terminal *terminal, bool by_signal);

#endif
