/*
 * epoll over the sources, and one timer for the earliest time that a step has returned.
 *
 * One event is taken at a time, so that the function of one source may remove another, which
 * is never called after that. The steps run when no event is left, so that one sweep follows
 * many deaths; but after BATCH events at the latest, so that a flood of events can't delay
 * them.
 */
#include "invbroker/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/duration.h"
#include "invctl.h"

enum { BATCH = 256 };

static int poller = -1;
static struct loop_source timer = {.fd = -1};
static int64_t armed_ns = INV_FOREVER;
static bool stopping;
static int stop_result;

int64_t loop_earlier(int64_t one_ns, int64_t other_ns)
{
	if (one_ns < 0 || (other_ns >= 0 && other_ns < one_ns))
		return other_ns;
	return one_ns;
}

int loop_add(struct loop_source *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return epoll_ctl(poller, EPOLL_CTL_ADD, source->fd, &event) == 0 ? 0 : -errno;
}

void loop_remove(struct loop_source *source)
{
	epoll_ctl(poller, EPOLL_CTL_DEL, source->fd, NULL);
}

static void timer_ready(struct loop_source *source)
{
	uint64_t expirations;
	ssize_t length = read(source->fd, &expirations, sizeof(expirations));

	(void)length; /* the steps read the clock */
	armed_ns = INV_FOREVER;
}

int loop_open(void)
{
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0)
		return -errno;
	timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer.fd < 0)
		return -errno;
	timer.ready = timer_ready;
	return loop_add(&timer);
}

static void arm(int64_t due_ns)
{
	struct itimerspec when = {0};

	if (due_ns == armed_ns)
		return;
	if (due_ns >= 0) {
		when.it_value.tv_sec = (time_t)(due_ns / NS_PER_SECOND);
		/* All zero would disarm it. */
		when.it_value.tv_nsec = due_ns > 0 ? (long)(due_ns % NS_PER_SECOND) : 1;
	}
	if (timerfd_settime(timer.fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
		armed_ns = due_ns;
}

static void dispatch_ready(void)
{
	struct epoll_event event;
	int timeout = -1; /* sleep for the first one only */

	for (int taken = 0; taken < BATCH; taken++) {
		if (epoll_wait(poller, &event, 1, timeout) != 1)
			return;
		struct loop_source *source = event.data.ptr;
		source->ready(source);
		timeout = 0;
	}
}

int loop_run(const struct loop_step *steps)
{
	for (;;) {
		int64_t due_ns = INV_FOREVER;

		for (const struct loop_step *step = steps; step->run; step++)
			due_ns = loop_earlier(due_ns, step->run(clock_monotonic_ns()));
		if (stopping)
			return stop_result;
		arm(due_ns);
		dispatch_ready();
	}
}

void loop_stop(int result)
{
	stopping = true;
	stop_result = result;
}
