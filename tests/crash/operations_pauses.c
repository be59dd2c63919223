/*
 * Operations on pauses, and what they must leave behind.
 *
 * The promises held to: a pauser, a resumer and a requester may be killed at any instruction, and
 * what is stopped in a check goes on once the pause has ended; a second pause or resume reaches
 * all; what is nested is never left paused by a parent that is not.
 */
#include "crash.h"

#include <errno.h>

#include "protocol/pause.h"
#include "table/last_check.h"

static inv_invocation *run_nested(struct scene *scene, int id, const uint8_t *parent)
{
	struct inv_run_options options = {.id = scene->ids[id],
	                                  .parent = parent,
	                                  .name = "an action",
	                                  .deadline_ns = INV_FOREVER};
	inv_invocation *run = NULL;

	inv_run_register(scene->table, &options, &run);
	return run;
}

static bool find(struct scene *scene, int id, struct slot_ref *ref)
{
	uint64_t word;

	return slot_find(scene->table, scene->ids[id], ref, &word) == 0;
}

/* The first and second are cooperative, the third is not. */
static void harness_has_family(struct scene *scene)
{
	struct slot_ref ref;

	for (int i = 0; i < IDS; i++) {
		scene->runs[i] = run_nested(scene, i, i == 0 ? NULL : scene->ids[0]);
		if (i < 2 && find(scene, i, &ref))
			last_check_note(scene->table, ref);
	}
}

static int pause_all(struct scene *scene)
{
	return inv_pause(scene->table, scene->ids[0], INV_PAUSE_STOP_PROCESSES);
}

static int resume_all(struct scene *scene)
{
	return inv_resume(scene->table, scene->ids[0], 0);
}

static int request(struct scene *scene)
{
	return inv_cancel(scene->table, scene->ids[0], 0, "requested by the victim");
}

static void harness_has_paused_family(struct scene *scene)
{
	harness_has_family(scene);
	expect(scene, pause_all(scene) == 0, "the harness can't pause");
}

static void harness_has_paused_parent(struct scene *scene)
{
	struct slot_ref ref;

	scene->runs[0] = run_nested(scene, 1, NULL);
	if (find(scene, 1, &ref))
		last_check_note(scene->table, ref);
	expect(scene, inv_pause(scene->table, scene->ids[1], 0) == 0, "the harness can't pause");
}

static int register_nested(struct scene *scene)
{
	scene->invocation = run_nested(scene, 0, scene->ids[1]);
	return scene->invocation ? 0 : -EEXIST;
}

static bool paused(struct scene *scene, int id)
{
	struct inv_info info;

	return inv_info_get(scene->table, scene->ids[id], &info) == 0 && info.paused;
}

/* Its processes are to be stopped while it is paused. */
static bool marked(struct scene *scene, int id)
{
	struct slot_ref ref;

	return find(scene, id, &ref) &&
	       atomic_load(&scene->table->slots[ref.index].escalation) & ESCALATE_STOP;
}

static void judge_resume(struct scene *scene)
{
	expect(scene, resume_all(scene) == 0, "it can't be resumed any more");
	expect(scene, !paused(scene, 0) && !paused(scene, 1) && !paused(scene, 2),
	       "a second resume does not reach all");
	expect(scene, marked(scene, 2), "a supervisor is not to continue the processes");
	expect(scene, waiters_return(scene, WAITER_CHECK), "a check hangs after a resume");
}

static void judge_pause(struct scene *scene)
{
	expect(scene, paused(scene, 0) || (!paused(scene, 1) && !paused(scene, 2)),
	       "a child was paused before its parent");
	expect(scene, pause_all(scene) == 0, "it can't be paused any more");
	expect(scene, paused(scene, 0) && paused(scene, 1) && paused(scene, 2),
	       "a second pause does not reach all");
	expect(scene, marked(scene, 2), "a supervisor is not to stop the processes");
	judge_resume(scene);
}

static void judge_request(struct scene *scene)
{
	expect(scene, request(scene) == 0, "it can't be cancelled any more");
	expect(scene, !paused(scene, 0) && !paused(scene, 1) && !paused(scene, 2),
	       "what is to stop is paused");
	expect(scene, marked(scene, 2), "a supervisor is not to continue the processes");
	expect(scene, waiters_return(scene, WAITER_CHECK), "a check hangs after a request");
}

const struct operation operations_of_pauses[] = {
        {.name = "pause",
         .owner = OWNER_HARNESS,
         .arrange = harness_has_family,
         .act = pause_all,
         .judge = judge_pause},
        {.name = "resume",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_CHECK,
         .arrange = harness_has_paused_family,
         .act = resume_all,
         .judge = judge_resume,
         .tells = WAITER_CHECK},
        {.name = "cancel-paused",
         .owner = OWNER_HARNESS,
         .waiters = WAITER_CHECK,
         .arrange = harness_has_paused_family,
         .act = request,
         .judge = judge_request,
         .tells = WAITER_CHECK},
        {.name = "register-paused",
         .orphan = true,
         .arrange = harness_has_paused_parent,
         .act = register_nested},
        {0},
};
