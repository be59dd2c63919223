/* The supervisor's side of an invocation: see invctl-supervisor.h. */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cascade.h"
#include "clock.h"
#include "event_word.h"
#include "futex.h"
#include "lifecycle.h"
#include "owner.h"
#include "process.h"
#include "register.h"
#include "shield.h"
#include "uuid.h"

enum { NS_PER_MS = 1000000, SIGNUM_MASK = 0x7f };

/* 1 + milliseconds, rounded up; 0: never. */
static uint64_t pack_after(int64_t after_ns)
{
	int64_t after_ms = after_ns / NS_PER_MS + (after_ns % NS_PER_MS > 0);

	if (after_ns < 0)
		return 0;
	return after_ms < UINT32_MAX - 1 ? (uint64_t)after_ms + 1 : UINT32_MAX;
}

static int64_t unpack_after(uint64_t packed)
{
	uint32_t after = (uint32_t)packed;

	return after == 0 ? INV_FOREVER : (int64_t)(after - 1) * NS_PER_MS;
}

static void parent_of(inv_table *table, const struct inv_run_options *options,
                      struct registration *registration)
{
	uint64_t word;

	registration->parent = options->parent;
	if (options->parent && slot_find(table, options->parent, &registration->parent_ref, &word) == 0 &&
	    control_state(word) == SLOT_LIVE)
		registration->parent_known = true;
}

static void describe(const struct inv_run_options *options, struct registration *registration)
{
	int64_t deadline_ns = clock_deadline_ns(options->deadline_ns);
	uint64_t nested_wait = pack_after(options->nested_wait_ns);

	registration->id = options->id;
	registration->name = options->name;
	registration->requested_ns = clock_realtime_ns();
	registration->deadline_monotonic_ns = deadline_ns < 0 ? 0 : deadline_ns;
	registration->after_ms = pack_after(options->kill_after_ns) << 32 |
	                         pack_after(options->signal_after_ns);
	registration->flags = (uint64_t)INV_KIND_RUN | SLOT_PENDING |
	                      ((uint64_t)options->signal & SIGNUM_MASK) << SLOT_SIGNUM_SHIFT |
	                      nested_wait << SLOT_NESTED_WAIT_SHIFT;
	if (options->flags & INV_RUN_NO_KILL)
		registration->flags |= SLOT_NO_KILL;
	if (options->flags & INV_RUN_STOP_COMMAND)
		registration->flags |= SLOT_STOP_COMMAND;
}

static inv_invocation *handle_of(inv_table *table, struct slot_ref ref)
{
	inv_invocation *invocation = calloc(1, sizeof(*invocation));
	uint8_t id[16];

	if (!invocation)
		return NULL;
	for (int i = 0; i < 2; i++) {
		uint64_t half = atomic_load(&table->slots[ref.index].id[i]);
		memcpy(id + (size_t)i * sizeof(half), &half, sizeof(half));
	}
	invocation->table = table;
	invocation->ref = ref;
	invocation->event = event_handle(table, ref, id, false);
	if (invocation->event)
		return invocation;
	free(invocation);
	return NULL;
}

int inv_run_register(inv_table *table, const struct inv_run_options *options,
                     inv_invocation **out)
{
	struct registration registration = {0};
	uint8_t fresh[16];
	struct slot_ref ref;

	*out = NULL;
	int error = table_resolve(table, true, &table);
	if (error)
		return error;
	table_ensure_served(table);
	describe(options, &registration);
	parent_of(table, options, &registration);
	if (!registration.id) {
		error = uuid_fresh(fresh);
		if (error)
			return error;
		registration.id = fresh;
	}
	pthread_mutex_lock(&table->lock);
	error = register_slot(table, &registration, &ref);
	if (!error) {
		*out = handle_of(table, ref);
		if (!*out) {
			slot_release(table, ref.index, slot_word(table, ref));
			table->owned--;
			error = -ENOMEM;
		}
	}
	pthread_mutex_unlock(&table->lock);
	return error;
}

inv_invocation *run_adopt(inv_table *table, uint32_t index, uint64_t word)
{
	if (!slot_give(table, index, word, table->owner))
		return NULL;
	pthread_mutex_lock(&table->lock);
	inv_invocation *invocation = handle_of(table, slot_ref_of(index, word));
	table->owned++;
	pthread_mutex_unlock(&table->lock);
	return invocation;
}

static struct slot *slot_of(const inv_invocation *invocation)
{
	return &invocation->table->slots[invocation->ref.index];
}

/* The slot is still this supervisor's: its control word, or 0. */
static uint64_t owned_word(const inv_invocation *invocation)
{
	const inv_table *table = invocation->table;
	uint64_t word;

	if (atomic_load(&invocation->event->disowned))
		return 0;
	word = slot_word(table, invocation->ref);
	return control_state(word) == SLOT_LIVE && control_owner(word) == table->owner ? word : 0;
}

int inv_run_started(inv_invocation *invocation, pid_t pid)
{
	if (owned_word(invocation) == 0)
		return -ESTALE;
	struct slot *slot = slot_of(invocation);
	atomic_store(&slot->action_process,
	             process_start(pid) << ACTION_START_SHIFT | ((uint64_t)pid & ACTION_PID_MASK));
	atomic_store(&slot->started_ns, clock_realtime_ns());
	atomic_fetch_and(&slot->flags, ~SLOT_PENDING);
	return 0;
}

/* When the request was made: as its record says, but never in the future; where the
 * record is not readable, when it was first seen. */
static int64_t asked_ns(inv_invocation *invocation, uint64_t event_word,
                        const struct request_record *record)
{
	int64_t now_ns = clock_monotonic_ns();

	if (invocation->request_seen != event_sequence(event_word) || !invocation->request_seen_ns) {
		invocation->request_seen = event_sequence(event_word);
		invocation->request_seen_ns = now_ns;
	}
	if (record->monotonic_ns > 0 && record->monotonic_ns <= now_ns)
		return record->monotonic_ns;
	return invocation->request_seen_ns;
}

static void view_asks(const struct slot *slot, struct slot_ref ref, struct inv_run_view *view)
{
	uint64_t asks = atomic_load(&slot->asks);

	view->asks_futex = (uint32_t)asks;
	if (event_generation(asks) != ref.generation)
		return;
	view->force_kill = (asks & ASK_KILL) != 0;
	view->force_signal = (asks & ASK_SIGNAL) != 0;
	view->force_signum = (int)((asks & ASK_SIGNUM_MASK) >> ASK_SIGNUM_SHIFT);
	view->force_count = (uint32_t)asks >> 16;
}

static void view_options(const struct slot *slot, uint64_t flags, struct inv_run_view *view)
{
	uint64_t after = atomic_load(&slot->after_ms);
	uint64_t action = atomic_load(&slot->action_process);
	int64_t deadline_ns = atomic_load(&slot->deadline_monotonic_ns);

	view->signal = (int)(flags >> SLOT_SIGNUM_SHIFT & SIGNUM_MASK);
	view->asked_signal = (int)(flags >> SLOT_ASKED_SIGNUM_SHIFT & SIGNUM_MASK);
	view->flags = (flags & SLOT_NO_KILL ? INV_RUN_NO_KILL : 0u) |
	              (flags & SLOT_STOP_COMMAND ? INV_RUN_STOP_COMMAND : 0u);
	view->signal_after_ns = unpack_after(after);
	view->kill_after_ns = unpack_after(after >> 32);
	view->nested_wait_ns = unpack_after(flags >> SLOT_NESTED_WAIT_SHIFT);
	view->deadline_ns = deadline_ns > 0 ? deadline_ns : INV_FOREVER;
	view->pid = (pid_t)(action & ACTION_PID_MASK);
	view->pid_start = action >> ACTION_START_SHIFT;
	view->signalled = (flags & SLOT_SIGNALLED) != 0;
	view->killed = (flags & SLOT_KILLED) != 0;
}

int inv_run_view(inv_invocation *invocation, struct inv_run_view *view)
{
	inv_table *table = invocation->table;
	const struct slot *slot = slot_of(invocation);
	struct request_record record;

	memset(view, 0, sizeof(*view));
	if (owned_word(invocation) == 0)
		return -ESTALE;
	uint64_t word = event_word_load(table, invocation->ref);
	uint64_t flags = atomic_load(&slot->flags);
	view->event_futex = (uint32_t)word;
	view->asked = (word & EVENT_ASKED) != 0;
	view->pending = (word & EVENT_SET) != 0;
	view->cooperative = event_last_look_ns(table, invocation->ref) != 0;
	view->request = event_sequence(word);
	view_asks(slot, invocation->ref, view);
	view_options(slot, flags, view);
	if (view->asked) {
		request_read(table, invocation->ref, word, &record);
		view->cause = record.cause;
		view->asked_ns = asked_ns(invocation, word, &record);
	}
	if (view->pending)
		view->shielded = shield_holds(table, invocation->ref);
	return 0;
}

void inv_run_wait(inv_invocation *invocation, const struct inv_run_view *view,
                  const _Atomic uint32_t *word, uint32_t seen, int64_t until_ns)
{
	inv_table *table = invocation->table;
	/* A slice at most: whoever asks may be killed before the wake, and a shield
	 * that holds up a request may end with its process. */
	int64_t slice_end_ns = clock_monotonic_ns() + WAIT_SLICE_NS;
	struct futex_watch watch[] = {
		{.word = futex_low_half(&table->event[invocation->ref.index]), .seen = view->event_futex},
		{.word = futex_low_half(&slot_of(invocation)->asks), .seen = view->asks_futex},
		{.word = word, .seen = seen},
	};

	if (until_ns < 0 || until_ns > slice_end_ns)
		until_ns = slice_end_ns;
	futex_wait_any(watch, word ? 3 : 2, until_ns);
}

int inv_run_request(inv_invocation *invocation, int cause, int signum, const char *reason)
{
	struct request request = {.cause = cause, .reason = reason};
	struct slot *slot = slot_of(invocation);

	if (owned_word(invocation) == 0)
		return -ESTALE;
	uint64_t flags = atomic_load(&slot->flags);
	uint64_t mask = (uint64_t)SIGNUM_MASK << SLOT_ASKED_SIGNUM_SHIFT;
	uint64_t with_signal = ((uint64_t)signum & SIGNUM_MASK) << SLOT_ASKED_SIGNUM_SHIFT;
	bool pending = event_word_load(invocation->table, invocation->ref) & EVENT_SET;
	while (!pending &&
	       !atomic_compare_exchange_weak(&slot->flags, &flags, (flags & ~mask) | with_signal))
		;
	return cascade_request(invocation->table, invocation->ref, &request, false, 0, 0);
}

int inv_run_take(inv_invocation *invocation)
{
	if (owned_word(invocation) == 0)
		return 0;
	struct slot *slot = slot_of(invocation);
	/* The mark first: a supervisor killed in between leaves a pending request,
	 * which the broker takes again. */
	uint64_t before = atomic_fetch_or(&slot->flags, SLOT_SIGNALLED);
	int taken = event_word_consume(invocation->table, invocation->ref);
	if (taken != 1 && !(before & SLOT_SIGNALLED))
		atomic_fetch_and(&slot->flags, ~SLOT_SIGNALLED);
	return taken == 1;
}

void inv_run_killed(inv_invocation *invocation)
{
	if (owned_word(invocation) != 0)
		atomic_fetch_or(&slot_of(invocation)->flags, SLOT_KILLED);
}

struct nested_pids {
	pid_t *pids;
	size_t limit, count;
};

static void note_nested(inv_table *table, struct slot_ref ref, void *arg)
{
	struct nested_pids *nested = arg;
	uint64_t owner = atomic_load(&table->slots[ref.index].owner_process);
	uint64_t kind = atomic_load(&table->slots[ref.index].flags) & SLOT_KIND_MASK;

	if (kind != INV_KIND_RUN)
		return;
	if (nested->count < nested->limit)
		nested->pids[nested->count] = (pid_t)(uint32_t)owner;
	nested->count++;
}

size_t inv_run_nested_pids(inv_invocation *invocation, pid_t *pids, size_t limit)
{
	struct nested_pids nested = {.pids = pids, .limit = limit};

	if (owned_word(invocation) != 0)
		cascade_each(invocation->table, invocation->ref, note_nested, &nested);
	return nested.count;
}

int inv_run_nested(inv_invocation *invocation)
{
	return (int)inv_run_nested_pids(invocation, NULL, 0);
}

static void kill_nested(inv_table *table, struct slot_ref ref, void *arg)
{
	struct request request = {.cause = INV_CAUSE_PARENT};

	(void)arg;
	request_make(table, ref, &request);
	cascade_ask(table, ref, ASK_KILL, 0);
}

void inv_run_kill_nested(inv_invocation *invocation)
{
	if (owned_word(invocation) != 0)
		cascade_each(invocation->table, invocation->ref, kill_nested, NULL);
}

int inv_run_refused(inv_table *table, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;
	int error = table_resolve(table, false, &table);

	if (!error)
		error = slot_find(table, id, &ref, &word);
	if (error)
		return error;
	if (control_state(word) != SLOT_LIVE)
		return -ESTALE;
	if (!(event_word_load(table, ref) & EVENT_SET) || shield_holds(table, ref))
		return 0;
	event_note_look(table, ref);
	return 1;
}

static struct ending ending_of(const struct inv_run_result *result)
{
	if (result->not_started)
		return (struct ending){.how = ENDING_NOT_STARTED};
	if (result->exec_errno)
		return (struct ending){.how = ENDING_EXEC_FAILED, .code = result->exec_errno};
	if (!result->wait_known)
		return (struct ending){.how = ENDING_LOST};
	if (WIFSIGNALED(result->wait_status))
		return (struct ending){.how = ENDING_SIGNALLED, .code = WTERMSIG(result->wait_status)};
	return (struct ending){.how = ENDING_EXITED, .code = WEXITSTATUS(result->wait_status)};
}

int inv_run_end(inv_invocation *invocation, const struct inv_run_result *result)
{
	inv_table *table = invocation->table;
	struct ending ending = ending_of(result);
	uint64_t word = owned_word(invocation);
	struct outcome outcome;

	if (word != 0 && lifecycle_end(table, invocation->ref, word, &ending, &outcome) == 0) {
		pthread_mutex_lock(&table->lock);
		table->owned--;
		pthread_mutex_unlock(&table->lock);
	} else {
		outcome = outcome_without_request(&ending);
	}
	inv_event_put(invocation->event);
	free(invocation);
	return outcome_exit_status(&outcome);
}
