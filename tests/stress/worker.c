/*
 * A worker of the storm: worker SEED SECONDS NOTES INVCTL
 *
 * Does what programs do with the library and with `invctl run`, in an order that the
 * seed determines, until its time is over or it is SIGKILLed. What it answers for
 * are the promises that hold whoever dies: its own handles stay good while it lives,
 * what it was told is recorded stays so, and nothing hangs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "note.h"
#include "worker_runs.h"
#include <invctl.h>

#define NS_PER_MS INT64_C(1000000)

enum { NESTED_MOST = 3 };

static const char *invctl;
static inv_table *table;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool among(int answer, const int *allowed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (answer == allowed[i])
			return true;
	return false;
}

#define EXPECT(id, call, answer, ...)                                                              \
	do {                                                                                       \
		static const int allowed[] = {__VA_ARGS__};                                        \
		if (!among(answer, allowed, sizeof(allowed) / sizeof(allowed[0])))                 \
			note_bad(id, call, answer);                                                \
	} while (0)

/* One live invocation of all, each as likely as the other. */
struct pick {
	unsigned seen;
	struct inv_info info;
};

static int pick_live(const struct inv_info *info, void *arg)
{
	struct pick *pick = arg;

	if (info->status != INV_PENDING && info->status != INV_RUNNING)
		return 0;
	if (chance(++pick->seen) == 0)
		pick->info = *info;
	return 0;
}

static bool somebody(struct inv_info *info)
{
	struct pick pick = {0};

	inv_list(table, pick_live, &pick);
	*info = pick.info;
	return pick.seen > 0;
}

/* An event of its own: a set is delivered to exactly one check. */
static void own_event(void)
{
	uint8_t id[16];
	inv_event *event;

	chance_id(id);
	int error = inv_event_create(table, id, &event);
	EXPECT(id, "inv_event_create", error, 0);
	if (error)
		return;
	EXPECT(id, "inv_event_set", inv_event_set(event, "storm"), 0);
	EXPECT(id, "inv_event_check", inv_event_check(event), -ECANCELED);
	EXPECT(id, "inv_event_sleep", inv_event_sleep(event, NS_PER_MS), 0, -ECANCELED);
	inv_event_put(event);
}

static void other_event(void)
{
	struct inv_info info;
	inv_event *event;

	if (!somebody(&info))
		return;
	int error = inv_event_find(table, info.id, &event);
	EXPECT(info.id, "inv_event_find", error, 0, -ENOENT, -ESTALE);
	if (error)
		return;
	if (chance(4) == 0)
		EXPECT(info.id, "inv_event_set", inv_event_set(event, "storm"), 0, -EALREADY,
		       -ESTALE);
	int answer = inv_event_wait(event, chance(30) * NS_PER_MS);
	EXPECT(info.id, "inv_event_wait", answer, 0, 1, -ESTALE);
	inv_event_put(event);
}

static void ask_somebody(void)
{
	static const unsigned flags[] = {
	        0, 0, 0, INV_CANCEL_ONLY, INV_CANCEL_SIGNAL, INV_CANCEL_KILL};
	struct inv_info info;

	if (!somebody(&info))
		return;
	/* Programs, this one too, are killed by the judge alone. */
	unsigned chosen = flags[info.kind == INV_KIND_RUN ? chance(6) : chance(4)];
	if (chosen == INV_CANCEL_KILL)
		chosen |= INV_CANCEL_ONLY;
	if (chosen == INV_CANCEL_SIGNAL)
		chosen |= INV_CANCEL_ONLY;
	int answer = inv_cancel(table, info.id, chosen, "storm");
	EXPECT(info.id, "inv_cancel", answer, 0, -ENOENT, -EALREADY);
	if (answer == 0)
		note("asked", info.id);
}

static void wait_for_somebody(void)
{
	struct inv_info info;

	if (!somebody(&info))
		return;
	int answer = inv_wait(table, info.id, chance(60) * NS_PER_MS);
	EXPECT(info.id, "inv_wait", answer, INV_COMPLETED, INV_CANCELLED, INV_ERROR, -ETIMEDOUT,
	       -ENOENT);
	if (answer >= 0)
		note_number("seen", info.id, answer);
}

static int in_thread(void *arg)
{
	(void)arg;
	return inv_sleep(5 * NS_PER_MS);
}

static void thread_of_its_own(const uint8_t id[16])
{
	inv_thread *thread;
	uint8_t thread_id[16];
	int result;

	/* Its id is not known before it is on record: killed in between, the worker can't note it.
	 */
	note("thread", id);
	int error = inv_thread_start(&thread, table, in_thread, NULL);
	EXPECT(id, "inv_thread_start", error, 0);
	if (error)
		return;
	inv_thread_id(thread, thread_id);
	note("begun", thread_id);
	if (chance(2) == 0)
		EXPECT(thread_id, "inv_thread_cancel", inv_thread_cancel(thread), 0, -EALREADY);
	EXPECT(thread_id, "inv_thread_join", inv_thread_join(thread, &result), 0);
	EXPECT(thread_id, "the thread", result, 0, -ECANCELED);
}

/* A forked child is not the owner: every handle is stale there. */
static void fork_and_look(inv_invocation *invocation, const uint8_t id[16])
{
	pid_t pid = fork();

	if (pid == 0) {
		EXPECT(id, "inv_event_is_set in a child",
		       inv_event_is_set(inv_invocation_event(invocation)), -ESTALE);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static void nested(unsigned depth);

static void work(inv_invocation *invocation, const uint8_t id[16], unsigned depth)
{
	switch (chance(8)) {
	case 0:
		EXPECT(id, "inv_check", inv_check(), 0, -ECANCELED);
		break;
	case 1:
		EXPECT(id, "inv_shield_begin", inv_shield_begin(), 0);
		EXPECT(id, "inv_check in a shield", inv_check(), 0);
		EXPECT(id, "inv_shield_end", inv_shield_end(), 0);
		break;
	case 2:
		EXPECT(id, "inv_progress", inv_progress(chance(101), "storm"), 0);
		EXPECT(id, "inv_log", inv_log(6, "a line at depth %u", depth), 0);
		break;
	case 3:
		thread_of_its_own(id);
		break;
	case 4:
		fork_and_look(invocation, id);
		break;
	case 5:
		worker_run(invctl);
		break;
	case 6:
		ask_somebody();
		break;
	default:
		EXPECT(id, "inv_sleep", inv_sleep(chance(20) * NS_PER_MS), 0, -ECANCELED);
		break;
	}
	if (depth < NESTED_MOST && chance(2) == 0)
		nested(depth + 1);
}

static void nested(unsigned depth)
{
	inv_invocation *invocation;
	uint8_t id[16];
	int outcome = (int)chance(3);

	chance_id(id);
	note("perhaps", id);
	int error = inv_invocation_begin(table, id, "storm", &invocation);
	EXPECT(id, "inv_invocation_begin", error, 0);
	if (error)
		return;
	note("begun", id);
	work(invocation, id, depth);
	error = inv_invocation_end(invocation, outcome);
	EXPECT(id, "inv_invocation_end", error, 0);
	if (error == 0)
		note_number("ended", id, outcome);
}

static void one_thing(void)
{
	switch (chance(8)) {
	case 0:
		own_event();
		break;
	case 1:
		other_event();
		break;
	case 2:
		ask_somebody();
		break;
	case 3:
		wait_for_somebody();
		break;
	case 4:
	case 5:
		nested(1);
		break;
	default:
		worker_run(invctl);
		break;
	}
}

int main(int argc, char **argv)
{
	if (argc != 5 || note_open(argv[3]) != 0)
		return 2;
	chance_seed(strtoull(argv[1], NULL, 10));
	invctl = argv[4];

	int64_t until_ns = now_ns() + (int64_t)(strtod(argv[2], NULL) * 1e9);
	int error = inv_open(&table, NULL, INV_OPEN_AUTOSTART);

	if (error) {
		fprintf(stderr, "worker: %s\n", inv_strerror(error));
		return 1;
	}
	while (now_ns() < until_ns) {
		one_thing();
		inv_sleep(chance(8) * NS_PER_MS);
	}
	inv_close(table);
	return 0;
}
