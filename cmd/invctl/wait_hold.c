/*
 * `run --wait-hold`: waiting until a hold is released, before the invocation is registered.
 *
 * Nothing is registered meanwhile, so what ends the wait leaves no record. A caller of a detached
 * run that has gone does not get the id any more, and what it believed to have stopped must not
 * start in the night: then the wait ends too.
 */
#include "invctl/wait_hold.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "common/attach.h"
#include "common/hold_text.h"
#include "common/message.h"
#include "invctl-exit-status.h"
#include "invctl/signal_watch.h"
#include "os/clock.h"

enum { CALLER_CHECKED_MS = 200 };

static void say_once(const struct globals *globals, inv_table *table, const char *name,
                     struct hold_wait *wait)
{
	struct inv_request hold;
	char text[HOLD_TEXT_BYTES];

	if (wait->said || inv_hold_get(table, &hold) <= 0)
		return;
	wait->said = true;
	hold_describe(&hold, text);
	message("'%s' waits until the hold of table '%s' is released: %s", name,
	        attach_name(globals), text);
}

static bool caller_has_gone(int report_fd)
{
	struct pollfd report = {.fd = report_fd};

	return report_fd >= 0 && poll(&report, 1, 0) == 1 && report.revents & (POLLERR | POLLHUP);
}

/* A signal that has come and is a request, as an exit status; 0: none. Ctrl-Z stops this process.
 */
static int requested(const char *name)
{
	struct signals_arrived arrived;

	signal_watch_take(SIGNAL_BIT(SIGTSTP), &arrived);
	if (arrived.set != 0)
		signal_watch_stop(SIGTSTP, false);
	signal_watch_take(SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGTERM) |
	                          SIGNAL_BIT(SIGHUP),
	                  &arrived);
	if (arrived.set == 0)
		return 0;
	message("'%s' was requested to stop while it waited for the hold, and was not started",
	        name);
	if (signal_arrived(arrived.from_terminal, SIGINT))
		signal_watch_die(SIGINT);
	return EXIT_CANCELLED;
}

static bool time_is_over(int64_t until_ns)
{
	return until_ns != INV_FOREVER && clock_monotonic_ns() >= until_ns;
}

/* The part of the wait until the next check of the caller and the time. */
static int64_t slice_ns(const struct hold_wait *wait)
{
	int64_t slice = CALLER_CHECKED_MS * NS_PER_MS;
	int64_t left =
	        wait->until_ns == INV_FOREVER ? slice : wait->until_ns - clock_monotonic_ns();

	return left > slice ? slice : left > 0 ? left : 0;
}

int wait_hold(const struct globals *globals, inv_table *table, const char *name,
              struct hold_wait *wait)
{
	int error, status;

	do {
		say_once(globals, table, name, wait);
		error = inv_hold_wait(table, slice_ns(wait));
		status = requested(name);
		if (status)
			return status;
		if (caller_has_gone(wait->report_fd))
			return EXIT_CANCELLED;
		if (error != 0 && time_is_over(wait->until_ns)) {
			message("'%s' was not started: its --timeout ran out while it waited for "
			        "the "
			        "hold",
			        name);
			return EXIT_DEADLINE;
		}
	} while (error == -ETIMEDOUT || error == -EINTR);
	if (error == 0 || error == -ESTALE)
		return error;
	return attach_failure(globals, error);
}
