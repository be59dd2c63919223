/*
 * Operations on a whole table: entering it, sweeping, serving it, making it.
 *
 * The promises held to: a sweeper may be killed like anybody else, and the next one
 * finishes its work; a new broker adopts the live table, and each orphan once; news
 * reaches the broker; a table is visible whole or not at all, and leaves nothing.
 */
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/hold.h"
#include "protocol/hold_copy.h"
#include "table/notification.h"
#include "table/owner.h"
#include "table/text.h"

static int enter(struct scene *scene)
{
	return owner_enter(scene->table);
}

static int leave(struct scene *scene)
{
	inv_close(scene->table);
	return 0;
}

static void victim_enters(struct scene *scene)
{
	owner_enter(scene->table);
}

/* A process that owns one of each kind, and dies with its shield up. */
static void deceased_main(struct scene *scene)
{
	struct inv_run_options options = {
	        .id = scene->ids[1],
	        .name = "an action",
	        .deadline_ns = INV_FOREVER,
	        .signal_after_ns = INV_FOREVER,
	        .kill_after_ns = INV_FOREVER,
	};
	inv_event *event;
	inv_invocation *run, *call;

	inv_event_create(scene->table, scene->ids[0], &event);
	if (inv_run_register(scene->table, &options, &run) == 0 && scene->operation->orphan)
		inv_run_started(run, scene->action);
	inv_invocation_begin(scene->table, scene->ids[2], "a call", &call);
	inv_shield_begin();
	_exit(0);
}

static void somebody_has_died(struct scene *scene)
{
	int status = 0;
	pid_t pid = scene_fork();

	if (pid == 0)
		deceased_main(scene);
	waitpid(pid, &status, 0);
	expect(scene, WIFEXITED(status) && WEXITSTATUS(status) == 0, "nobody has died");
}

static int sweep(struct scene *scene)
{
	broker_sweep(scene->table, NULL, NULL);
	return 0;
}

static int recover_table(struct scene *scene)
{
	broker_recover(scene->table, NULL, NULL);
	return 0;
}

static void ignore_orphan(inv_invocation *orphan, void *arg)
{
	(void)orphan;
	(void)arg;
}

/* As a broker starts: it serves, and takes over what it finds. */
static int serve(struct scene *scene)
{
	int error = broker_serve(scene->table, 0);

	if (!error)
		broker_recover(scene->table, ignore_orphan, NULL);
	return error;
}

static void judge_swept(struct scene *scene)
{
	enum slot_state state = SLOT_FREE;
	struct inv_info info;

	expect(scene, !scene_visible(scene, scene->ids[0], &state), "an event of the dead is left");
	/* A run may have been taken over, by a recovery that can. */
	for (int i = scene->runs[0] ? 2 : 1; i < IDS; i++)
		expect(scene,
		       inv_info_get(scene->table, scene->ids[i], &info) == 0 &&
		               info.status == INV_ERROR && info.cause == INV_CAUSE_LOST,
		       "what the dead had begun is not lost");
}

/* The next broker can serve, and has the orphan, once. */
static void judge_adopted(struct scene *scene)
{
	struct inv_run_view view;

	expect(scene, broker_serve(scene->table, 0) == 0, "a dead broker's lease holds");
	scene->served = true;
	expect(scene, scene->runs[0] && !scene->runs[1], "the orphan is not taken over once");
	if (scene->runs[0])
		expect(scene, inv_run_view(scene->runs[0], &view) == 0 && view.pid == scene->action,
		       "the orphan is not the one that was left");
}

/* The broker learns of what is told after a teller's death. */
static void judge_news(struct scene *scene)
{
	notify_broker(scene->table);
	expect(scene, waiters_return(scene, WAITER_NOTICE), "the broker does not hear any news");
}

static int put_hold(struct scene *scene)
{
	return inv_hold(scene->table, "whole");
}

static void hold_stands_already(struct scene *scene)
{
	inv_hold(scene->table, "former");
}

static int release_hold(struct scene *scene)
{
	return inv_release(scene->table);
}

/* It stands whole, or as it was before; and it can be put up and released. */
static void judge_hold(struct scene *scene, bool stands_after, const char *note)
{
	struct inv_request hold;
	bool acted = atomic_load(&scene->board->acted);

	bool stands = inv_hold_get(scene->table, &hold) == 1;
	expect(scene, !acted || stands == stands_after, "what was done to the hold is undone");
	expect(scene, !stands || hold.reason[0] == '\0' || strcmp(hold.reason, note) == 0,
	       "the note is '%s'", hold.reason);
	expect(scene, inv_hold(scene->table, "next") == 0, "no other hold can be put up");
	expect(scene, inv_hold_get(scene->table, &hold) == 1 && strcmp(hold.reason, "next") == 0,
	       "the next hold is not that one");
	inv_release(scene->table);
	expect(scene, inv_hold_get(scene->table, &hold) == 0, "it can't be released");
}

static void judge_put(struct scene *scene)
{
	judge_hold(scene, true, "whole");
}

static void judge_released(struct scene *scene)
{
	judge_hold(scene, false, "former");
}

/* What the next table begins with: none, or one of the two, whole. */
static enum hold_copy copy_of(struct scene *scene, char note[INV_REASON_BYTES])
{
	struct request_record record;
	enum hold_copy copy = hold_copy_read(scene->name, &record);

	note[0] = '\0';
	if (copy != HOLD_COPY_NONE)
		text_load(record.reason, INV_REASON_BYTES / 8, note);
	return copy;
}

static void former_is_stored(struct scene *scene)
{
	inv_hold(scene->table, "former");
	hold_copy_keep(scene->table);
	inv_hold(scene->table, "whole");
}

static void former_is_stored_and_released(struct scene *scene)
{
	inv_hold(scene->table, "former");
	hold_copy_keep(scene->table);
	inv_release(scene->table);
}

static int store_hold(struct scene *scene)
{
	return broker_keep_hold(scene->table);
}

/* The next broker finishes it, from whatever was left. */
static void judge_stored(struct scene *scene)
{
	bool stands = hold_stands(scene->table);
	char note[INV_REASON_BYTES];

	expect(scene, copy_of(scene, note) != HOLD_COPY_UNUSABLE, "the copy is damaged");
	expect(scene, note[0] == '\0' || strcmp(note, "former") == 0 || strcmp(note, "whole") == 0,
	       "the copy's note is '%s'", note);
	expect(scene, broker_keep_hold(scene->table) == 0, "it can't be stored again");
	expect(scene, inv_hold_await_stored(scene->table, 0) == 0, "it does not count as stored");
	/* In a state of the table that was put back, the file is that of its end. */
	if (strcmp(scene->stage, "kill") == 0)
		expect(scene, (copy_of(scene, note) != HOLD_COPY_NONE) == stands,
		       "the copy does not show the hold");
	expect(scene, !stands || strcmp(note, "whole") == 0 || strcmp(scene->stage, "kill") != 0,
	       "the copy's note is '%s' in the end", note);
}

static void other_name(const struct scene *scene, struct broker_create *create,
                       char name[INV_TABLE_NAME_BYTES])
{
	snprintf(name, INV_TABLE_NAME_BYTES, "%.50s-made", scene->name);
	*create = (struct broker_create){.name = name, .capacity = CAPACITY};
}

static int make_table(struct scene *scene)
{
	char name[INV_TABLE_NAME_BYTES];
	struct broker_create create;
	inv_table *table;
	bool created;

	other_name(scene, &create, name);
	return broker_open(&create, &table, &created);
}

/* Whole, or not there; and then it can be made. */
static void judge_made(struct scene *scene)
{
	char name[INV_TABLE_NAME_BYTES], path[INV_TABLE_NAME_BYTES + 16];
	struct broker_create create;
	inv_table *table = NULL;
	inv_event *event = NULL;
	bool created;

	other_name(scene, &create, name);
	int error = inv_open(&table, name, 0);
	expect(scene, error == 0 || error == -ENOENT, "half a table is visible: %s",
	       inv_strerror(error));
	expect(scene, error == 0 || !atomic_load(&scene->board->acted),
	       "a table that was made is gone");
	inv_close(table);
	expect(scene, broker_open(&create, &table, &created) == 0 && created == (error != 0),
	       "it can't be made any more");
	expect(scene, inv_event_create(table, scene->ids[0], &event) == 0, "it can't be used");
	inv_event_put(event);
	inv_close(table);
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	expect(scene, unlink(path) == 0, "it has no name");
}

const struct operation operations_of_tables[] = {
        {.name = "sweep",
         .late_waiters = true,
         .waiters = WAITER_EVENT | WAITER_END,
         .arrange = somebody_has_died,
         .act = sweep,
         .judge = judge_swept},
        {.name = "recover",
         .late_waiters = true,
         .waiters = WAITER_EVENT | WAITER_END,
         .arrange = somebody_has_died,
         .act = recover_table,
         .judge = judge_swept},
        {.name = "serve-and-adopt",
         .orphan = true,
         .arrange = somebody_has_died,
         .act = serve,
         .judge = judge_adopted},
        {.name = "owner-enter",
         .waiters = WAITER_NOTICE,
         .act = enter,
         .judge = judge_news,
         .tells = WAITER_NOTICE},
        {.name = "owner-leave", .prepare = victim_enters, .act = leave},
        {.name = "hold", .act = put_hold, .judge = judge_put},
        {.name = "release-hold",
         .arrange = hold_stands_already,
         .act = release_hold,
         .judge = judge_released},
        {.name = "store-hold",
         .arrange = former_is_stored,
         .act = store_hold,
         .judge = judge_stored},
        {.name = "store-release",
         .arrange = former_is_stored_and_released,
         .act = store_hold,
         .judge = judge_stored},
        {.name = "make-table", .act = make_table, .judge = judge_made},
        {0},
};
