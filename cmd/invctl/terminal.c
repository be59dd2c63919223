/* The terminal of `invctl run`: see terminal.h. */
#include "invctl/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "invctl/signal_watch.h"

void terminal_begin(struct terminal *terminal, pid_t group)
{
	*terminal = (struct terminal){.fd = -1, .group = group};
}

/* Most commands never stop, so the terminal is opened when the first one does. */
static bool open_terminal(struct terminal *terminal)
{
	if (terminal->fd < 0)
		terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	return terminal->fd >= 0;
}

static bool in_foreground(const struct terminal *terminal, pid_t group)
{
	return group > 0 && tcgetpgrp(terminal->fd) == group;
}

static void hand_over(struct terminal *terminal)
{
	if (!terminal->handed_over)
		terminal->modes_known = tcgetattr(terminal->fd, &terminal->modes) == 0;
	terminal->handed_over = true;
	tcsetpgrp(terminal->fd, terminal->group);
}

static void continue_group(struct terminal *terminal)
{
	if (terminal->group > 0)
		kill(-terminal->group, SIGCONT);
}

/* After fg the command gets the terminal again, if it had it. After bg it is not ours to give. */
static void resume(struct terminal *terminal)
{
	if (terminal->handed_over && in_foreground(terminal, getpgrp()))
		hand_over(terminal);
	continue_group(terminal);
}

/* The shell must see a stopped job. Where no shell could continue us, we can't be stopped, and
 * the command stays stopped. */
static void stop_with_it(struct terminal *terminal, int signum)
{
	if (in_foreground(terminal, terminal->group))
		tcsetpgrp(terminal->fd, getpgrp());
	if (signal_watch_stop(signum, true))
		resume(terminal);
}

void terminal_command_stopped(struct terminal *terminal, int signum)
{
	bool for_terminal = signum == SIGTTIN || signum == SIGTTOU;

	if ((!for_terminal && !terminal->handed_over) || !open_terminal(terminal))
		return; /* stopped on purpose */
	if (for_terminal && in_foreground(terminal, getpgrp())) {
		hand_over(terminal);
		continue_group(terminal);
	} else if (for_terminal && in_foreground(terminal, terminal->group)) {
		continue_group(terminal); /* it stopped just before it was handed over */
	} else {
		stop_with_it(terminal, for_terminal ? signum : SIGTSTP);
	}
}

void terminal_suspend(struct terminal *terminal)
{
	if (terminal->group > 0)
		kill(-terminal->group, SIGTSTP);
	signal_watch_stop(SIGTSTP, false);
	resume(terminal);
}

void terminal_continued(struct terminal *terminal)
{
	if (terminal->handed_over && in_foreground(terminal, getpgrp()))
		hand_over(terminal);
}

void terminal_end(struct terminal *terminal, bool by_signal)
{
	if (terminal->handed_over && in_foreground(terminal, terminal->group))
		tcsetpgrp(terminal->fd, getpgrp());
	if (by_signal && terminal->modes_known && in_foreground(terminal, getpgrp()))
		tcsetattr(terminal->fd, TCSADRAIN, &terminal->modes);
	if (terminal->fd >= 0)
		close(terminal->fd);
	terminal_begin(terminal, 0);
}
