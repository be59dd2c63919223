/*
 * The supervisor's side of an invocation: see invctl-supervisor.h. It registers, starts, views,
 * waits and delivers; how it ends stands in run_end.c.
 */
#include "api/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/event_create.h"
#include "api/handle.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/process.h"
#include "os/uuid.h"
#include "protocol/cascade.h"
#include "protocol/finish.h"
#include "protocol/log.h"
#include "protocol/pause.h"
#include "protocol/shield.h"
#include "table/event_word.h"
#include "table/last_check.h"
#include "table/lease.h"
#include "table/text.h"

enum { RUN_SIGNUM_MASK = 0x7f, RUN_SIGNUM_MAX = 64 };

#define AFTER_SECONDS (UINT32_C(1) << 31)

/*
 * A time in 32 bits: 1 + milliseconds; from 24 days on AFTER_SECONDS and seconds. Rounded up, as no
 * time may be over early. 0: never, as is what exceeds 68 years.
 */
static uint64_t pack_after(int64_t after_ns)
{
	if (after_ns < 0)
		return 0;
	int64_t after_ms = after_ns / NS_PER_MS + (after_ns % NS_PER_MS > 0);
	if (after_ms < AFTER_SECONDS - 1)
		return (uint64_t)after_ms + 1;
	int64_t after_s = after_ms / 1000 + (after_ms % 1000 > 0);
	return after_s < AFTER_SECONDS ? AFTER_SECONDS | (uint64_t)after_s : 0;
}

static int64_t unpack_after(uint64_t packed)
{
	uint32_t after = (uint32_t)packed;

	if (after & AFTER_SECONDS)
		return (int64_t)(after & ~AFTER_SECONDS) * 1000 * NS_PER_MS;
	return after == 0 ? INV_FOREVER : (int64_t)(after - 1) * NS_PER_MS;
}

static void parent_of(inv_table *table, const struct inv_run_options *options,
                      struct registration *registration)
{
	uint64_t word;

	registration->parent = options->parent;
	if (options->parent &&
	    slot_find(table, options->parent, &registration->parent_ref, &word) == 0 &&
	    control_state(word) == SLOT_LIVE)
		registration->parent_known = true;
}

static const struct {
	unsigned option;
	uint64_t flag;
} option_flags[] = {
        {INV_RUN_NO_KILL, SLOT_NO_KILL},
        {INV_RUN_STOP_COMMAND, SLOT_STOP_COMMAND},
        {INV_RUN_FINISH_COMMAND, SLOT_FINISH_COMMAND},
        {INV_RUN_COOPERATIVE, SLOT_COOPERATIVE},
        {INV_RUN_SIGNAL_COMMAND, SLOT_SIGNAL_COMMAND},
};

static void describe(const struct inv_run_options *options, struct registration *registration)
{
	int64_t deadline_ns = clock_deadline_ns(options->deadline_ns);
	uint64_t nested_wait = pack_after(options->nested_wait_ns);

	registration->id = options->id;
	registration->name = options->name;
	registration->requested_ns = clock_realtime_ns();
	registration->deadline_monotonic_ns = deadline_ns < 0 ? 0 : deadline_ns;
	registration->after_ms =
	        pack_after(options->kill_after_ns) << 32 | pack_after(options->signal_after_ns);
	registration->flags = (uint64_t)INV_KIND_RUN | SLOT_PENDING |
	                      ((uint64_t)options->signal & RUN_SIGNUM_MASK) << SLOT_SIGNUM_SHIFT |
	                      nested_wait << SLOT_NESTED_WAIT_SHIFT;
	for (size_t i = 0; i < sizeof(option_flags) / sizeof(option_flags[0]); i++)
		if (options->flags & option_flags[i].option)
			registration->flags |= option_flags[i].flag;
}

/* As if it had never been registered. */
static void take_back(inv_invocation *invocation)
{
	inv_table *table = invocation->table;

	pthread_mutex_lock(&table->lock);
	if (slot_release(table, invocation->ref.index, slot_word(table, invocation->ref)))
		table->owned--;
	pthread_mutex_unlock(&table->lock);
	inv_event_put(invocation->event);
	free(invocation);
}

int inv_run_register(inv_table *table, const struct inv_run_options *options, inv_invocation **out)
{
	struct registration registration = {0};
	uint8_t fresh[16];

	*out = NULL;
	int error = table_resolve(table, true, &table);
	if (error)
		return error;
	table_ensure_broker(table);
	describe(options, &registration);
	parent_of(table, options, &registration);
	if (!registration.id) {
		error = uuid_fresh(fresh);
		if (error)
			return error;
		registration.id = fresh;
	}
	inv_invocation *invocation = calloc(1, sizeof(*invocation));
	if (!invocation)
		return -ENOMEM;
	error = event_register_as(table, &registration, false, &invocation->event);
	if (error) {
		free(invocation);
		return error;
	}
	invocation->table = table;
	invocation->ref = invocation->event->ref;
	/* A broker that ended in between, as it saw no owner, has removed the name. */
	if (table_abandoned(table)) {
		take_back(invocation);
		return -ESTALE;
	}
	*out = invocation;
	return 0;
}

/* Of what another process has registered. Under table->lock. */
static inv_invocation *handle_of(inv_table *table, struct slot_ref ref)
{
	inv_invocation *invocation = calloc(1, sizeof(*invocation));
	uint8_t id[16];

	if (!invocation)
		return NULL;
	words_load(table->ids[ref.index].half, 2, id);
	invocation->table = table;
	invocation->ref = ref;
	invocation->event = event_handle(table, ref, id, false);
	if (invocation->event)
		return invocation;
	free(invocation);
	return NULL;
}

inv_invocation *run_adopt(inv_table *table, uint32_t index, uint64_t word)
{
	pthread_mutex_lock(&table->lock);
	/* The handle first: what is adopted must be supervised. */
	inv_invocation *invocation = handle_of(table, slot_ref_of(index, word));
	bool adopted = invocation && slot_adopt(table, index, word, table->owner);
	if (adopted)
		table->owned++;
	pthread_mutex_unlock(&table->lock);
	if (adopted || !invocation)
		return invocation;
	inv_event_put(invocation->event);
	free(invocation);
	return NULL;
}

int inv_run_started(inv_invocation *invocation, pid_t pid)
{
	if (run_owned_word(invocation) == 0)
		return -ESTALE;
	struct slot *slot = run_slot(invocation);
	atomic_store(&slot->action_process, action_word(pid, process_start(pid)));
	atomic_store(&slot->started_ns, clock_realtime_ns());
	atomic_fetch_and(&slot->flags, ~SLOT_PENDING);
	return 0;
}

int inv_run_request(inv_invocation *invocation, int cause, int signum, const char *reason)
{
	struct request request = {
	        .cause = cause, .reason = reason, .call = request_call(), .by_signal = signum != 0};
	const struct escalation_steps nothing = {0};
	struct slot *slot = run_slot(invocation);

	if (run_owned_word(invocation) == 0)
		return -ESTALE;
	uint64_t flags = atomic_load(&slot->flags);
	uint64_t mask = (uint64_t)RUN_SIGNUM_MASK << SLOT_REQUEST_SIGNUM_SHIFT;
	uint64_t with_signal = ((uint64_t)signum & RUN_SIGNUM_MASK) << SLOT_REQUEST_SIGNUM_SHIFT;
	bool pending = event_word_load(invocation->table, invocation->ref) & EVENT_SET;
	while (!pending &&
	       !atomic_compare_exchange_weak(&slot->flags, &flags, (flags & ~mask) | with_signal))
		;
	int result, error = cascade_request(invocation->table, &invocation->ref, 1, &request, false,
	                                    &nothing, &result);
	return result ? result : error;
}

#define SIGNALLED_MARKS (SLOT_SIGNALLED | SLOT_SIGNALLED_ODD)

/* Set the marks of delivery by signal. The flags before. */
static uint64_t mark_signalled(struct slot *slot, uint64_t marks)
{
	uint64_t flags = atomic_load(&slot->flags);

	while (!atomic_compare_exchange_weak(&slot->flags, &flags,
	                                     (flags & ~SIGNALLED_MARKS) | marks))
		;
	return flags;
}

int inv_run_take(inv_invocation *invocation)
{
	if (run_owned_word(invocation) == 0)
		return 0;
	struct slot *slot = run_slot(invocation);
	uint64_t odd = event_sequence(event_word_load(invocation->table, invocation->ref)) % 2
	                       ? SLOT_SIGNALLED_ODD
	                       : 0;
	/* The mark first: a supervisor killed in between leaves a pending request,
	 * which the broker takes again. */
	uint64_t before = mark_signalled(slot, SLOT_SIGNALLED | odd);
	int taken = event_word_consume(invocation->table, invocation->ref);
	if (taken != 1)
		mark_signalled(slot, before & SIGNALLED_MARKS);
	return taken == 1;
}

/* `cancel --kill`: SIGKILL delivers the request that came with it. kill-after belongs to the first
 * request, and leaves a later one as it is. */
void inv_run_killed(inv_invocation *invocation)
{
	inv_table *table = invocation->table;

	/* What is killed after the command's end did not stop the action. */
	if (run_owned_word(invocation) == 0 ||
	    event_word_load(table, invocation->ref) & EVENT_FINISHING)
		return;
	uint64_t escalation = atomic_load(&run_slot(invocation)->escalation);
	atomic_fetch_or(&run_slot(invocation)->flags, SLOT_KILLED);
	if (event_generation(escalation) == invocation->ref.generation &&
	    escalation & ESCALATE_KILL)
		event_word_consume(table, invocation->ref);
}

int inv_run_log(inv_invocation *invocation, int level, const char *text)
{
	return run_owned_word(invocation) == 0 ? -ESTALE
	                                       : log_append(invocation->table, invocation->ref,
	                                                    invocation->event->id, level, text);
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

	if (run_owned_word(invocation) != 0)
		cascade_each(invocation->table, invocation->ref, note_nested, &nested);
	return nested.count;
}

int inv_run_nested(inv_invocation *invocation)
{
	return (int)inv_run_nested_pids(invocation, NULL, 0);
}

static void kill_nested(inv_table *table, struct slot_ref ref, void *arg)
{
	const struct escalation_steps kill = {.steps = ESCALATE_KILL};
	int result;

	if (event_word_load(table, ref) & EVENT_FINISHING)
		return;
	cascade_request(table, &ref, 1, arg, true, &kill, &result);
}

/* It is repeated until they have ended, but is one request of each. */
void inv_run_kill_nested(inv_invocation *invocation)
{
	uint64_t word = event_word_load(invocation->table, invocation->ref);
	struct request request = {
	        .cause = INV_CAUSE_PARENT,
	        .call = request_call_of(invocation->table, invocation->ref, word)};

	if (run_owned_word(invocation) != 0)
		cascade_each(invocation->table, invocation->ref, kill_nested, &request);
}

int inv_run_refused(inv_table *table, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;
	int error = table_find(&table, id, &ref, &word);

	if (error)
		return error;
	if (control_state(word) != SLOT_LIVE)
		return -ESTALE;
	if (!(event_word_load(table, ref) & EVENT_SET) || shield_holds(table, ref))
		return 0;
	last_check_note(table, ref);
	return 1;
}

/* When the request was made: as its record says, but never in the future; where the
 * record is not readable, when it was first seen. */
static int64_t requested_at_ns(inv_invocation *invocation, uint64_t event_word, int64_t made_ns)
{
	int64_t now_ns = clock_monotonic_ns();

	if (invocation->request_seen != event_sequence(event_word) ||
	    !invocation->request_seen_ns) {
		invocation->request_seen = event_sequence(event_word);
		invocation->request_seen_ns = now_ns;
	}
	if (made_ns > 0 && made_ns <= now_ns)
		return made_ns;
	return invocation->request_seen_ns;
}

/* A number that is no signal's is none. */
static int signal_number(uint64_t bits)
{
	unsigned number = (unsigned)(bits & RUN_SIGNUM_MASK);

	return number <= RUN_SIGNUM_MAX ? (int)number : 0;
}

static void view_escalation(const struct slot *slot, struct slot_ref ref, struct inv_run_view *view)
{
	uint64_t escalation = atomic_load(&slot->escalation);

	view->escalation_futex = (uint32_t)escalation;
	if (event_generation(escalation) != ref.generation)
		return;
	view->force_kill = (escalation & ESCALATE_KILL) != 0;
	view->force_signal = (escalation & ESCALATE_SIGNAL) != 0;
	view->force_signum = signal_number(escalation >> ESCALATE_SIGNUM_SHIFT);
	view->force_count = (uint32_t)escalation >> ESCALATE_COUNT_SHIFT;
	view->stop = (escalation & ESCALATE_STOP) != 0;
	view->newest = (int)((escalation & ESCALATE_NEWEST_MASK) >> ESCALATE_NEWEST_SHIFT);
}

static void view_finish(const inv_table *table, struct slot_ref ref, struct inv_run_view *view)
{
	static const int states[] = {
	        [FINISH_NONE] = INV_FINISH_PENDING,
	        [FINISH_DECIDED] = INV_FINISH_PENDING,
	        [FINISH_RUNNING] = INV_FINISH_RUNNING,
	        [FINISH_ENDED] = INV_FINISH_ENDED,
	};
	struct finish finish = finish_load(table, ref);

	view->decided = finish.state != FINISH_NONE;
	view->finish =
	        view->flags & INV_RUN_FINISH_COMMAND ? states[finish.state] : INV_FINISH_NONE;
	if (view->decided)
		view->outcome = run_outcome(&finish.outcome);
}

static void view_options(const struct slot *slot, uint64_t flags, struct inv_run_view *view)
{
	uint64_t after = atomic_load(&slot->after_ms);
	uint64_t action = atomic_load(&slot->action_process);
	int64_t deadline_ns = atomic_load(&slot->deadline_monotonic_ns);

	view->signal = signal_number(flags >> SLOT_SIGNUM_SHIFT);
	view->request_signal = signal_number(flags >> SLOT_REQUEST_SIGNUM_SHIFT);
	for (size_t i = 0; i < sizeof(option_flags) / sizeof(option_flags[0]); i++)
		if (flags & option_flags[i].flag)
			view->flags |= option_flags[i].option;
	view->signal_after_ns = unpack_after(after);
	view->kill_after_ns = unpack_after(after >> 32);
	view->nested_wait_ns = unpack_after(flags >> SLOT_NESTED_WAIT_SHIFT);
	view->deadline_ns = deadline_ns > 0 ? deadline_ns : INV_FOREVER;
	view->pid = action_pid(action);
	view->pid_start = action_start(action);
	view->signalled = (flags & SLOT_SIGNALLED) != 0;
	view->killed = (flags & SLOT_KILLED) != 0;
	view->had_nested = (flags & SLOT_HAS_CHILDREN) != 0;
}

static void view_shield(const inv_table *table, struct slot_ref ref, struct inv_run_view *view)
{
	struct shield shield;

	view->shielded = shield_find(table, ref, &shield);
	view->shield_ran_out = shield.ran_out;
	view->shield_pid = shield.pid;
	view->shield_limit_ns = shield.limit_ns;
}

int inv_run_view(inv_invocation *invocation, struct inv_run_view *view)
{
	inv_table *table = invocation->table;
	const struct slot *slot = run_slot(invocation);
	struct inv_request request;
	int64_t made_ns;

	memset(view, 0, sizeof(*view));
	if (run_owned_word(invocation) == 0)
		return -ESTALE;
	uint64_t word = event_word_load(table, invocation->ref);
	/* Cut short behind the control words. */
	if (word == 0)
		return -ESTALE;
	uint64_t flags = atomic_load(&slot->flags);
	view->event_futex = (uint32_t)word;
	view->requested = event_requested(word);
	view->pending = (word & EVENT_SET) != 0;
	view->paused = (word & EVENT_PAUSED) != 0;
	view->delivered = (word & EVENT_DELIVERED) != 0;
	view->cooperative = action_is_cooperative(table, invocation->ref);
	view->request = event_sequence(word);
	view_escalation(slot, invocation->ref, view);
	view_options(slot, flags, view);
	view_finish(table, invocation->ref, view);
	if (view->requested) {
		if (!request_read_later(table, invocation->ref, word, &request, &made_ns))
			request_read(table, invocation->ref, word, &request, &made_ns);
		view->cause = request.cause;
		view->requested_at_ns = requested_at_ns(invocation, word, made_ns);
	}
	if (view->requested || view->paused)
		view_shield(table, invocation->ref, view);
	view->shield_ran_out = view->shield_ran_out && view->requested;
	return 0;
}

void inv_run_continued(inv_invocation *invocation)
{
	if (run_owned_word(invocation) != 0)
		pause_continued(invocation->table, invocation->ref);
}

void inv_run_wait(inv_invocation *invocation, const struct inv_run_view *view,
                  const _Atomic uint32_t *word, uint32_t seen, int64_t until_ns)
{
	inv_table *table = invocation->table;
	/* A slice at most: a requester may be killed before its wake, and a shield
	 * that holds back a request may end with its process. */
	int64_t slice_end_ns = clock_monotonic_ns() + WAIT_SLICE_NS;
	struct futex_watch watch[] = {
	        {.word = futex_low_half(&table->event[invocation->ref.index]),
	         .seen = view->event_futex},
	        {.word = futex_low_half(&run_slot(invocation)->escalation),
	         .seen = view->escalation_futex},
	        {.word = word, .seen = seen},
	};

	if (until_ns < 0 || until_ns > slice_end_ns)
		until_ns = slice_end_ns;
	futex_wait_any(watch, word ? 3 : 2, until_ns);
}
