/* cancel --wait: see cancel_wait.h. */
#include "invctl/cancel_wait.h"

#include "common/duration.h"
#include "common/message.h"
#include "invctl-exit-status.h"
#include "invctl/await.h"
#include "invctl/next_step.h"
#include "invctl/stopped_supervisor.h"
#include "supervise/waiting.h"

/* How often -v sees what has become of the requests. */
#define STORY_SLICE_NS (20 * NS_PER_MS)

/* 0 or an exit status once it has ended; AWAIT_TIMED_OUT. */
static int await_with_story(inv_table *table, const uint8_t id[16], int64_t until_ns,
                            struct story *story)
{
	int status;

	do {
		int64_t slice_ns = clock_monotonic_ns() + STORY_SLICE_NS;

		if (!story || (until_ns != INV_FOREVER && until_ns < slice_ns))
			slice_ns = until_ns;
		status = await_end(table, id, slice_ns);
		if (story)
			story_go_on(story);
	} while (status == AWAIT_TIMED_OUT &&
	         (until_ns == INV_FOREVER || clock_monotonic_ns() < until_ns));
	return status;
}

static void say_still_runs(inv_table *table, const struct inv_info *info, const char *id_text,
                           const char *step)
{
	char waiting[WAITING_TEXT_BYTES];
	struct process_list list = {0};

	if (!info->finishing) {
		message("invocation %s still runs; %s", id_text, step);
		return;
	}
	waiting_for(table, info, &list);
	waiting_format(info, &list, waiting);
	message("invocation %s still runs: %s; %s", id_text, waiting, step);
	process_list_free(&list);
}

static int wait_for_end(inv_table *table, const uint8_t id[16], int64_t until_ns, unsigned flags,
                        struct story *story)
{
	char id_text[INV_ID_TEXT_BYTES], step[NEXT_STEP_BYTES];
	struct inv_info info;

	int status = await_with_story(table, id, until_ns, story);

	if (status != AWAIT_TIMED_OUT)
		return status == AWAIT_UNKNOWN ? EXIT_NO_TABLE : 0;
	inv_id_format(id, id_text);
	pid_t broker = inv_info_get(table, id, &info) == 0 ? stopped_broker_of(table, &info) : 0;
	if (broker) {
		message("invocation %s still runs: its supervisor is dead, and the broker that "
		        "acts "
		        "in its place is stopped; 'kill -CONT %d' lets it go on",
		        id_text, (int)broker);
		return EXIT_TIMED_OUT;
	}
	/* It may have ended just now. */
	if (inv_info_get(table, id, &info) != 0 || info.completed_ns != 0)
		return wait_for_end(table, id, INV_FOREVER, flags, story);
	next_step(table, &info, flags, step);
	say_still_runs(table, &info, id_text, step);
	return EXIT_TIMED_OUT;
}

int cancel_wait(inv_table *table, const struct targets *targets, int64_t timeout_ns, unsigned flags,
                struct story *story)
{
	int64_t until_ns = await_until(timeout_ns);
	int failure = 0;

	for (size_t i = 0; i < targets->count; i++) {
		if (targets->list[i].failure != 0)
			continue;
		int status = wait_for_end(table, targets->list[i].id, until_ns, flags, story);
		failure = failure != 0 ? failure : status;
	}
	return failure;
}
