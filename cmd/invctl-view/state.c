/* The state of an invocation at a glance: see state.h. */
#include "invctl-view/state.h"

#include <stdio.h>

#include "common/duration.h"
#include "common/signals.h"
#include "os/process.h"

#define OVERDUE_NS (10 * NS_PER_SECOND)

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"

static const struct {
	const char *name;
	const char *color;
} states[] = {
        [STATE_PENDING] = {"pending", NULL},
        [STATE_RUNNING] = {"running", NULL},
        [STATE_REQUESTED] = {"requested", NULL},
        [STATE_STOPPING] = {"stopping", YELLOW},
        [STATE_OVERDUE] = {"overdue", RED},
        [STATE_PAUSED] = {"paused", NULL},
        [STATE_STOPPED] = {"stopped", NULL},
        [STATE_SHIELDED] = {"shielded", NULL},
        [STATE_FINISHING] = {"finishing", NULL},
        [STATE_DONE] = {"done", DIM},
        [STATE_CANCELLED] = {"cancelled", DIM},
        [STATE_FAILED] = {"failed", RED},
        [STATE_LOST] = {"lost", RED},
};

static enum state end_state(const struct inv_info *info)
{
	if (info->status == INV_COMPLETED)
		return STATE_DONE;
	if (info->status == INV_CANCELLED)
		return STATE_CANCELLED;
	return info->cause == INV_CAUSE_LOST ? STATE_LOST : STATE_FAILED;
}

enum state state_of(const struct inv_info *info, bool stopped)
{
	if (info->status == INV_PENDING)
		return STATE_PENDING;
	if (info->status != INV_RUNNING)
		return end_state(info);
	if (info->finishing)
		return STATE_FINISHING;
	if (info->cancel.state == INV_CANCEL_REQUESTED)
		return info->cancel.age_ns > OVERDUE_NS ? STATE_OVERDUE : STATE_REQUESTED;
	if (info->cancel.state != INV_CANCEL_NONE)
		return STATE_STOPPING;
	/* What has never checked goes on, unless its processes are stopped. */
	if (info->paused && (info->cooperative || stopped))
		return STATE_PAUSED;
	if (stopped)
		return STATE_STOPPED;
	return info->shielded ? STATE_SHIELDED : STATE_RUNNING;
}

const char *state_name(enum state state)
{
	return states[state].name;
}

const char *state_color(enum state state)
{
	return states[state].color;
}

void state_format(const struct inv_info *info, enum state state, char *text, size_t size)
{
	char signal_text[SIGNAL_NAME_BYTES];

	if (state == STATE_FAILED && info->term_signal != 0) {
		signal_format(info->term_signal, signal_text);
		snprintf(text, size, "failed SIG%s", signal_text);
	} else if (state == STATE_FAILED && info->wait_status > 0 && info->kind == INV_KIND_RUN) {
		snprintf(text, size, "failed %d", info->wait_status);
	} else {
		snprintf(text, size, "%s", state_name(state));
	}
}

const char *finish_state_name(int state)
{
	static const char *const names[] = {
	        [INV_FINISH_NONE] = "none",       [INV_FINISH_PENDING] = "pending",
	        [INV_FINISH_RUNNING] = "running", [INV_FINISH_ENDED] = "ended",
	        [INV_FINISH_SKIPPED] = "skipped",
	};

	return state >= 0 && state <= INV_FINISH_SKIPPED ? names[state] : "unknown";
}

bool process_is_stopped(const struct inv_info *info)
{
	struct process process;

	return info->kind == INV_KIND_RUN && info->status == INV_RUNNING && info->pid > 0 &&
	       process_read(info->pid, &process) == 0 &&
	       (process.state == 'T' || (info->paused && process.state == 'D'));
}
