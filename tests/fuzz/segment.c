/*
 * Promise: whatever another process writes into a table, an attacher may be refused
 * service, but reads and writes only inside its own mapping, never hangs, and signals
 * no process that has nothing to do with the table.
 *
 * A libFuzzer target. An input is a small program: its first byte picks the scene, and
 * then come writes into the segment and calls of the library, in any order, so that
 * damage is there before the attach and comes after it as well.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/broker.h"
#include "invctl-supervisor.h"
#include "os/clock.h"
#include "os/process.h"
#include "scene.h"
#include "supervise/escalation.h"
#include "table/slot.h"

enum { STEPS_MAX = 64, ORPHANS_MAX = 512 };

struct input {
	const uint8_t *bytes;
	size_t left;
};

struct trial {
	struct scene *scene;
	inv_table *table; /* NULL: not attached yet, or refused */
	inv_invocation *orphans[ORPHANS_MAX];
	size_t orphan_count;
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What has run out reads as zeros. */
static uint64_t take(struct input *input, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count && input->left > 0; i++, input->left--)
		value |= (uint64_t)*input->bytes++ << (8 * i);
	return value;
}

static void put(struct trial *trial, size_t at, uint64_t value, size_t count)
{
	if (at + count > trial->scene->geometry.bytes ||
	    pwrite(trial->scene->fd, &value, count, (off_t)at) < 0)
		abort();
}

/* A control word that is nearly right: of a live, done or half-made slot of some owner. */
static uint64_t likely_control(struct trial *trial, uint32_t index, uint64_t value)
{
	uint64_t word = 0;

	memcpy(&word,
	       trial->scene->pristine + trial->scene->geometry.control_at + (size_t)index * 8,
	       sizeof(word));
	word = (word & ~UINT64_C(7)) | (value & 7);
	if (value & 8)
		word = (word & ~(UINT64_C(0xffff) << CONTROL_OWNER_SHIFT)) |
		       (value >> 8 & 0xffff) << CONTROL_OWNER_SHIFT;
	return word;
}

static void write_slot(struct trial *trial, struct input *input)
{
	const struct geometry *geometry = &trial->scene->geometry;
	uint32_t index = (uint32_t)take(input, 2) % geometry->slots;
	size_t field = take(input, 1) % (sizeof(struct slot) / 8);

	put(trial, geometry->slots_at + index * sizeof(struct slot) + field * 8, take(input, 8), 8);
}

static void write_owner(struct trial *trial, struct input *input)
{
	const struct geometry *geometry = &trial->scene->geometry;
	uint32_t index = (uint32_t)take(input, 1) % geometry->owners;
	size_t field = take(input, 1) % (sizeof(struct owner_entry) / 8);

	put(trial, geometry->owners_at + index * sizeof(struct owner_entry) + field * 8,
	    take(input, 8), 8);
}

/* Another place for a parent: itself, a ring, one that is not there. */
static void write_kin(struct trial *trial, struct input *input)
{
	const struct geometry *geometry = &trial->scene->geometry;
	uint32_t index = (uint32_t)take(input, 2) % geometry->slots;
	uint64_t kin = take(input, 2), generation = take(input, 1);
	size_t slot_at = geometry->slots_at + index * sizeof(struct slot);

	put(trial, geometry->parent_index_at + (size_t)index * 4, kin, 4);
	put(trial, slot_at + offsetof(struct slot, parent_ref), kin << 32 | generation, 8);
}

static void damage(struct trial *trial, struct input *input, unsigned how)
{
	const struct geometry *geometry = &trial->scene->geometry;
	uint32_t index = (uint32_t)take(input, 2) % geometry->slots;

	switch (how % 8) {
	case 0:
		put(trial, take(input, 3) % (geometry->bytes - 8), take(input, 8), 8);
		break;
	case 1:
		put(trial, geometry->control_at + (size_t)index * 8, take(input, 8), 8);
		break;
	case 2:
		put(trial, geometry->control_at + (size_t)index * 8,
		    likely_control(trial, index, take(input, 3)), 8);
		break;
	case 3:
		put(trial, geometry->event_at + (size_t)index * 8, take(input, 8), 8);
		break;
	case 4:
		write_kin(trial, input);
		break;
	case 5:
		write_owner(trial, input);
		break;
	case 6:
		/* What the broker and everybody write; before an attach the geometry as well. */
		put(trial, (trial->table ? 128 : 0) + take(input, 1) % 128, take(input, 8), 8);
		break;
	default:
		write_slot(trial, input);
		break;
	}
}

static void attach(struct trial *trial, bool by_name)
{
	if (trial->table)
		return;
	int error = by_name ? inv_open(&trial->table, trial->scene->name, 0)
	                    : table_attach_fd(trial->scene->name,
	                                      fcntl(trial->scene->fd, F_DUPFD_CLOEXEC, 0), true,
	                                      false, &trial->table);
	if (error)
		trial->table = NULL;
}

static int read_row(const struct inv_info *info, void *arg)
{
	if (!memchr(info->name, 0, sizeof(info->name)) ||
	    !memchr(info->cancel.reason, 0, sizeof(info->cancel.reason)) ||
	    !memchr(info->progress_text, 0, sizeof(info->progress_text)) ||
	    !memchr(info->cancel.command, 0, sizeof(info->cancel.command)))
		abort();
	++*(unsigned *)arg;
	return 0;
}

static int read_record(int64_t time_ns, int level, const char *text, void *arg)
{
	(void)time_ns;
	(void)level;
	*(size_t *)arg += strlen(text);
	return 0;
}

/* What is paused stops in a check until another process resumes it: there is none here. */
static void take_pauses_away(inv_table *table)
{
	for (uint32_t i = 0; i < table->geometry.slots; i++)
		atomic_fetch_and(&table->event[i], ~EVENT_PAUSED);
}

static void use_event(inv_table *table, const uint8_t *id)
{
	inv_event *event;

	if (inv_event_find(table, id, &event) != 0)
		return;
	inv_event_is_set(event);
	inv_event_wait(event, 0);
	inv_pause(table, id, INV_PAUSE_STOP_PROCESSES);
	inv_resume(table, id, 0);
	take_pauses_away(table);
	inv_event_check(event);
	inv_event_set(event, "why");
	inv_event_sleep(event, 0);
	inv_event_clear(event);
	inv_event_put(event);
}

static void use_context(inv_table *table, const uint8_t *id)
{
	inv_context *context;
	size_t length = 0;

	if (inv_context_enter(table, id, &context) != 0)
		return;
	take_pauses_away(table);
	inv_check();
	inv_shield_begin();
	inv_progress(12.5, "text");
	inv_log_text(6, "text");
	inv_shield_end();
	inv_log_read(table, id, read_record, &length);
	inv_context_leave(context);
}

static void register_and_put(inv_table *table, const uint8_t *id)
{
	inv_invocation *invocation;
	inv_event *event;

	if (inv_event_get(table, id, &event) == 0)
		inv_event_put(event);
	if (inv_invocation_begin(table, id, "again", &invocation) == 0)
		inv_invocation_end(invocation, INV_COMPLETED);
}

/* What a supervisor, or the broker in its place, makes of it. */
static void climb(inv_invocation *invocation)
{
	struct escalation_facts facts = {.now_ns = clock_monotonic_ns()};
	struct inv_run_view view;
	struct escalation escalation;
	pid_t pids[4];

	for (int step = 0; step < 4 && inv_run_view(invocation, &view) == 0; step++) {
		if (step == 0)
			escalation_begin(&escalation, &view);
		facts.nested = (int)inv_run_nested_pids(invocation, pids, 4);
		facts.command_ended = step > 1;
		switch (escalation_decide(&escalation, &view, &facts).step) {
		case STEP_REQUEST_DEADLINE:
			inv_run_request(invocation, INV_CAUSE_DEADLINE, 0, NULL);
			break;
		case STEP_DELIVER:
			inv_run_take(invocation);
			break;
		case STEP_KILL:
			inv_run_kill_nested(invocation);
			inv_run_killed(invocation);
			break;
		default:
			break;
		}
	}
}

static void run_nested(inv_table *table, const uint8_t *id)
{
	struct inv_run_options options = {.parent = id,
	                                  .name = "nested",
	                                  .signal = 15,
	                                  .deadline_ns = INV_FOREVER,
	                                  .signal_after_ns = 0,
	                                  .kill_after_ns = 0,
	                                  .nested_wait_ns = 0};
	struct inv_run_result result = {0};
	inv_invocation *invocation;

	inv_run_refused(table, id);
	if (inv_run_register(table, &options, &invocation) != 0)
		return;
	inv_run_started(invocation, getpid());
	inv_run_request(invocation, INV_CAUSE_INTERRUPT, 2, NULL);
	climb(invocation);
	inv_run_end(invocation, &result);
}

static void adopt(inv_invocation *invocation, void *arg)
{
	struct trial *trial = arg;

	climb(invocation);
	if (trial->orphan_count < ORPHANS_MAX)
		trial->orphans[trial->orphan_count++] = invocation;
	else
		abort();
}

static void end_orphans(struct trial *trial)
{
	struct inv_run_result unknown = {0};

	while (trial->orphan_count > 0)
		inv_run_end(trial->orphans[--trial->orphan_count], &unknown);
}

static void watch_owner(const struct broker_owner *owner, void *arg)
{
	int pidfd = broker_owner_pidfd(arg, owner);

	if (pidfd >= 0)
		close(pidfd);
}

static void forget(const uint8_t id[16], void *arg)
{
	(void)id;
	++*(unsigned *)arg;
}

static void be_broker(struct trial *trial, unsigned how)
{
	const uint32_t indices[] = {how, BYSTANDER_OWNER, UINT32_MAX, 0};
	struct broker_retirement pass = {0};
	inv_table *table = trial->table;
	unsigned forgotten = 0;

	if (broker_serve(table, 0) != 0)
		return;
	broker_recover(table, adopt, trial);
	broker_each_owner(table, watch_owner, table);
	broker_sweep(table, adopt, trial);
	broker_sweep_owners(table, indices, sizeof(indices) / sizeof(indices[0]), adopt, trial);
	while (broker_retire(table, &pass, how & 1 ? 0 : INT64_C(300000000000), 0, forget,
	                     &forgotten))
		;
	end_orphans(trial);
	broker_unserve(table);
}

static void operate(struct trial *trial, struct input *input, unsigned what)
{
	uint8_t argument = (uint8_t)take(input, 1);
	struct inv_table_info table_info;
	struct inv_info info;
	unsigned rows = 0;
	uint8_t id[16];

	attach(trial, argument & 128);
	inv_table *table = trial->table;
	if (!table)
		return;
	memcpy(id, scene_id(argument & 15), sizeof(id));
	switch (what % 12) {
	case 0:
		inv_list(table, read_row, &rows);
		break;
	case 1:
		if (inv_info_get(table, id, &info) == 0)
			read_row(&info, &rows);
		break;
	case 2:
		inv_table_info_get(table, &table_info);
		break;
	case 3:
		use_event(table, id);
		break;
	case 4:
		inv_cancel(table, id, (unsigned)take(input, 1) & 7, "reason");
		break;
	case 5:
		inv_cancel(table, id, INV_CANCEL_KILL, NULL);
		break;
	case 6:
		inv_cancel(table, id, INV_CANCEL_WITH_SIGNAL(10), NULL);
		break;
	case 7:
		inv_wait(table, id, 0);
		break;
	case 8:
		use_context(table, id);
		break;
	case 9:
		register_and_put(table, id);
		break;
	case 10:
		run_nested(table, id);
		break;
	default:
		be_broker(trial, (unsigned)take(input, 1));
		break;
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	scenes_make();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {.bytes = bytes, .left = size};
	struct trial *trial = calloc(1, sizeof(*trial));

	if (!trial)
		abort();
	trial->scene = scene_reset((unsigned)take(&input, 1));
	for (int step = 0; step < STEPS_MAX && input.left > 0; step++) {
		unsigned opcode = (unsigned)take(&input, 1);
		if (opcode < 128)
			damage(trial, &input, opcode);
		else
			operate(trial, &input, opcode);
	}
	inv_close(trial->table);
	free(trial);
	scene_check_bystander();
	return 0;
}
