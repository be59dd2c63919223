/*
 * Looking at the table from outside: inv_info_get, inv_list, inv_table_info_get.
 *
 * A row is copied between two reads of the slot's control word, so that it is of
 * one registration and of one state.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "api/handle.h"
#include "os/clock.h"
#include "protocol/finish.h"
#include "protocol/lifecycle.h"
#include "protocol/progress.h"
#include "protocol/request.h"
#include "protocol/shield.h"
#include "protocol/sweep.h"
#include "table/event_word.h"
#include "table/index.h"
#include "table/last_check.h"
#include "table/lease.h"
#include "table/owner.h"
#include "table/text.h"

enum { ROW_TRIES = 1000 };

static void fill_outcome(uint64_t word, struct inv_info *info)
{
	struct outcome outcome = outcome_unpack(control_owner(word));

	info->status = outcome.status <= INV_ERROR ? (int32_t)outcome.status : INV_ERROR;
	info->cause = (int32_t)outcome.cause;
	info->wait_status = outcome_exit_status(&outcome);
	if (outcome.by_signal)
		info->term_signal = (int32_t)outcome.code;
	else if (outcome.cause != INV_CAUSE_LOST)
		info->exit_status = (int32_t)outcome.code;
}

/* What is known of its command's end while something follows it, and of its finish command. */
static void fill_finish(const inv_table *table, struct slot_ref ref, uint64_t flags, bool done,
                        struct inv_info *info)
{
	struct finish finish = finish_load(table, ref);

	info->finishing = finish.state != FINISH_NONE && !done;
	info->finish_exit_status = -1;
	if (info->finishing && finish.outcome.by_signal)
		info->term_signal = (int32_t)finish.outcome.code;
	else if (info->finishing && finish.outcome.cause != INV_CAUSE_LOST)
		info->exit_status = (int32_t)finish.outcome.code;
	if (!(flags & SLOT_FINISH_COMMAND))
		return;
	info->finish = finish.state == FINISH_RUNNING ? INV_FINISH_RUNNING
	               : finish.state == FINISH_ENDED ? INV_FINISH_ENDED
	               : done                         ? INV_FINISH_SKIPPED
	                                              : INV_FINISH_PENDING;
	if (finish.state != FINISH_ENDED)
		return;
	if (finish.by_signal)
		info->finish_signal = (int32_t)finish.code;
	else
		info->finish_exit_status = (int32_t)finish.code;
}

/* What the table says may be any number: backwards, or out of range, is 0. */
static int64_t time_between_ns(int64_t from_ns, int64_t to_ns)
{
	int64_t between_ns;

	return __builtin_sub_overflow(to_ns, from_ns, &between_ns) || between_ns < 0 ? 0
	                                                                             : between_ns;
}

static int64_t age_of(int64_t made_ns)
{
	return made_ns ? time_between_ns(made_ns, clock_monotonic_ns()) : 0;
}

static void fill_requests(const inv_table *table, struct slot_ref ref, uint64_t flags,
                          struct inv_info *info)
{
	uint64_t word = event_word_load(table, ref);
	int64_t made_ns;

	info->paused = (word & EVENT_PAUSED) != 0;
	if (!request_read(table, ref, word, &info->cancel, &made_ns))
		return;
	bool delivered = word & EVENT_DELIVERED;
	info->cancel.state = flags & SLOT_KILLED              ? INV_CANCEL_KILLED
	                     : !delivered                     ? INV_CANCEL_REQUESTED
	                     : request_by_signal(word, flags) ? INV_CANCEL_SIGNALLED
	                                                      : INV_CANCEL_DELIVERED;
	info->cancel.age_ns = age_of(made_ns);
	if (request_read_later(table, ref, word, &info->later, &made_ns)) {
		info->later.state = INV_CANCEL_REQUESTED;
		info->later.age_ns = age_of(made_ns);
	}
}

static void fill_shield(const inv_table *table, struct slot_ref ref, struct inv_info *info)
{
	struct shield shield;

	info->shielded = shield_find(table, ref, &shield);
	info->shield_ran_out = shield.ran_out;
	info->shield_pid = shield.pid;
	info->shield_age_ns = shield.age_ns;
	info->shield_limit_ns = shield.limit_ns;
}

static void fill_times(const inv_table *table, struct slot_ref ref, bool done,
                       struct inv_info *info)
{
	const struct slot *slot = &table->slots[ref.index];
	int64_t now_ns = clock_realtime_ns();
	int64_t deadline_ns = atomic_load(&slot->deadline_monotonic_ns);

	info->requested_ns = atomic_load(&slot->requested_ns);
	info->started_ns = atomic_load(&slot->started_ns);
	info->completed_ns = done ? atomic_load(&slot->completed_ns) : 0;
	info->age_ns = time_between_ns(info->requested_ns, done ? info->completed_ns : now_ns);
	if (deadline_ns > 0 &&
	    __builtin_add_overflow(deadline_ns, now_ns - clock_monotonic_ns(), &info->deadline_ns))
		info->deadline_ns = INT64_MAX;
	info->last_check_ns = last_check_time_ns(table, ref);
	info->cooperative = action_is_cooperative(table, ref);
}

static bool orphaned(const inv_table *table, uint64_t word, uint64_t flags, bool has_broker)
{
	uint64_t owner_word;

	if ((flags & SLOT_KIND_MASK) != INV_KIND_RUN || control_state(word) != SLOT_LIVE)
		return false;
	/* What a dead broker left in the header counts for nothing. */
	if (has_broker)
		return control_owner(word) == atomic_load(&table->header->broker_owner);
	return owner_life(table, control_owner(word), &owner_word) == PROCESS_DEAD;
}

static void fill(const inv_table *table, struct slot_ref ref, uint64_t word, bool has_broker,
                 struct inv_info *info)
{
	const struct slot *slot = &table->slots[ref.index];
	uint64_t flags = atomic_load(&slot->flags);
	uint64_t owner = atomic_load(&slot->owner_process);
	uint64_t action = atomic_load(&slot->action_process);
	bool done = control_state(word) == SLOT_DONE;

	memset(info, 0, sizeof(*info));
	words_load(table->ids[ref.index].half, 2, info->id);
	words_load(slot->parent, 2, info->parent);
	info->kind = (int32_t)(flags & SLOT_KIND_MASK);
	info->exit_status = -1;
	info->wait_status = -1;
	info->uid = (uint32_t)(owner >> 32);
	info->orphaned = orphaned(table, word, flags, has_broker);
	info->owner_pid = done || info->orphaned ? 0 : (int32_t)(uint32_t)owner;
	info->pid = info->kind == INV_KIND_RUN ? action_pid(action) : (int32_t)(uint32_t)owner;
	info->no_kill = (flags & SLOT_NO_KILL) != 0;
	info->log_lost = atomic_load(&slot->log_lost);
	info->status = flags & SLOT_PENDING ? INV_PENDING : INV_RUNNING;
	fill_times(table, ref, done, info);
	fill_requests(table, ref, flags, info);
	fill_finish(table, ref, flags, done, info);
	info->progress_percent = progress_load(table, ref, info->progress_text);
	text_load(slot->name, INV_NAME_BYTES / 8, info->name);
	if (done)
		fill_outcome(word, info);
	else
		fill_shield(table, ref, info);
	if (info->status == INV_PENDING)
		info->started_ns = 0;
}

/* 0, or -ENOENT where it is over. */
static int consistent_row(const inv_table *table, uint32_t index, bool has_broker,
                          struct inv_info *info)
{
	/* A slot changes a few times in its life; one that never rests is damage. */
	for (int tries = 0; tries < ROW_TRIES; tries++) {
		uint64_t word = atomic_load_explicit(&table->control[index], memory_order_acquire);
		if (!slot_visible(word))
			return -ENOENT;
		fill(table, slot_ref_of(index, word), word, has_broker, info);
		if (atomic_load_explicit(&table->control[index], memory_order_acquire) == word)
			return 0;
	}
	return -ENOENT;
}

int inv_info_get(inv_table *table, const uint8_t id[16], struct inv_info *info)
{
	struct slot_ref ref;
	uint64_t word;
	int error = table_find(&table, id, &ref, &word);

	if (error)
		return error;
	bool has_broker = table_has_broker(table) == 1;
	if (control_state(word) == SLOT_LIVE)
		sweep_before_answer(table, ref.index, has_broker && table_broker_can_watch(table));
	error = consistent_row(table, ref.index, has_broker, info);
	return !error && memcmp(info->id, id, 16) != 0 ? -ENOENT : error;
}

enum { ROWS_FETCHED = 512 };

/* The pages of the next rows, if there are several, fetched by one call instead of a fault
 * each. A kernel that can't (before 5.14) leaves them to the faults. */
static void fetch_rows(const inv_table *table, uint32_t first, uint32_t extent)
{
	enum { WORTH_A_CALL = 3 };
	uint32_t behind = extent - first < ROWS_FETCHED ? extent : first + ROWS_FETCHED;
	uint32_t rows = 0;

	for (uint32_t i = first; i < behind; i++)
		rows += slot_visible(
		        atomic_load_explicit(&table->control[i], memory_order_relaxed));
	if (rows < WORTH_A_CALL)
		return;
	uintptr_t from = (uintptr_t)&table->slots[first] / LAYOUT_PAGE * LAYOUT_PAGE;
	madvise((void *)from, (uintptr_t)&table->slots[behind] - from, MADV_POPULATE_READ);
}

int inv_list(inv_table *table, int (*each)(const struct inv_info *info, void *arg), void *arg)
{
	struct inv_info info;
	int result = table_resolve(table, false, &table);

	if (result)
		return result;
	bool has_broker = table_has_broker(table) == 1;
	if (!has_broker || !table_broker_can_watch(table))
		sweep_dead(table, NULL, NULL);
	for (uint32_t i = 0, extent = index_extent(table); i < extent && result == 0; i++) {
		if (i % ROWS_FETCHED == 0)
			fetch_rows(table, i, extent);
		uint64_t word = atomic_load_explicit(&table->control[i], memory_order_relaxed);
		if (slot_visible(word) && consistent_row(table, i, has_broker, &info) == 0)
			result = each(&info, arg);
	}
	return result;
}

static void count(const inv_table *table, struct inv_table_info *info)
{
	struct process_identity identity, broker = {0};

	owner_read(table, (uint32_t)atomic_load(&table->header->broker_owner), &broker);
	for (uint32_t i = 0, extent = index_extent(table); i < extent; i++) {
		uint64_t word = atomic_load_explicit(&table->control[i], memory_order_relaxed);
		info->live += control_state(word) == SLOT_LIVE;
		info->finished += control_state(word) == SLOT_DONE;
	}
	for (uint32_t i = 1, last = owner_last(table); i <= last; i++) {
		if (owner_read(table, i, &identity) == 0)
			continue;
		info->owners++;
		info->unseen_owners += owner_unseen(table, i, process_namespace()) &&
		                       (!info->serving || owner_unseen(table, i, broker.namespace));
	}
}

int inv_table_info_get(inv_table *table, struct inv_table_info *info)
{
	struct stat status;
	int error = table_resolve(table, false, &table);

	if (error)
		return error;
	memset(info, 0, sizeof(*info));
	info->serving = table_has_broker(table) == 1;
	if (!info->serving || !table_broker_can_watch(table))
		sweep_dead(table, NULL, NULL);
	snprintf(info->name, sizeof(info->name), "%s", table->name);
	info->epoch = table->epoch;
	info->capacity = table->geometry.capacity;
	info->owner_limit = table->geometry.owners - 1;
	info->bytes = table->geometry.bytes;
	info->uid = table->uid;
	if (fstat(table->fd, &status) == 0) {
		info->gid = status.st_gid;
		info->shared = (status.st_mode & 0060) != 0;
		info->unlinked = status.st_nlink == 0;
	}
	info->retain_ns = atomic_load(&table->header->retain_ns);
	if (info->serving) {
		info->broker_pid = (int32_t)atomic_load(&table->header->broker_pid);
		info->broker_since_ns = atomic_load(&table->header->broker_since_ns);
		text_load(table->header->broker_version, 2, info->broker_version);
	}
	count(table, info);
	return 0;
}
