/*
 * One operation, in two tiers.
 *
 * States: the victim is stepped through the operation once, and whatever the segment
 * held after one of its instructions is kept. The victim is killed. Each of the states
 * is then put back, with fresh waiters on it, and recovered from; and each state that
 * this recovery passes through is recovered from in turn.
 *
 * Kills: a fresh victim is killed after each instruction, or each k-th of a long
 * operation, with waiters and a rival beside it. That also has what a copy of the segment
 * has not: the kernel's side, and processes that act while the victim stands still.
 *
 * Before that, nobody is killed and a waiter's slice is endless: the wake must come.
 */
#include "crash.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

enum { BRIEFLY_NS = 1000000, KERNELS_CODE_BYTES = 8192, FAILURES_MAX = 3 };

/* Who recovers. */
enum recovery { BY_SWEEP, BY_RECOVER, BY_NOBODY, BY_BROKER, RECOVERIES };

static void begin(struct scene *scene)
{
	struct board *board = scene->board;

	scene_restore(scene, scene->pristine);
	memset(board, 0, sizeof(*board));
	if (scene->operation->arrange)
		scene->operation->arrange(scene);
}

static void recover(struct scene *scene, enum recovery by)
{
	if (scene->operation->orphan && !scene->served)
		by = BY_BROKER;
	if (by == BY_SWEEP)
		broker_sweep(scene->table, NULL, NULL);
	else if (by == BY_BROKER)
		broker_recover(scene->table, scene_adopt, scene);
	else
		broker_recover(scene->table, NULL, NULL);
}

static void check_stale(struct scene *scene)
{
	inv_event *event = scene->stale;

	if (!event)
		return;
	expect(scene, inv_event_is_set(event) == -ESTALE, "is_set of the dead is not stale");
	expect(scene, inv_event_check(event) == -ESTALE, "check of the dead is not stale");
	expect(scene, inv_event_set(event, NULL) == -ESTALE, "set of the dead is not stale");
	expect(scene, inv_event_clear(event) == -ESTALE, "clear of the dead is not stale");
	expect(scene, inv_event_wait(event, BRIEFLY_NS) == -ESTALE,
	       "wait of the dead is not stale");
	expect(scene, inv_event_sleep(event, BRIEFLY_NS) == -ESTALE,
	       "sleep of the dead is not stale");
}

static void check_next(struct scene *scene, const uint8_t id[16])
{
	inv_event *tenant = NULL;

	expect(scene, inv_event_create(scene->table, id, &tenant) == 0,
	       "nothing can be registered");
	check_stale(scene);
	expect(scene, tenant && inv_event_is_set(tenant) == 0, "the next tenant was asked");
	inv_event_put(tenant);
}

/* A handle of the dead stays stale when its slot has a new tenant, who is left alone,
 * under another id and under the same. */
static void check_tenant(struct scene *scene)
{
	static const uint8_t other[16] = "the next tenant";
	enum slot_state state;

	check_stale(scene);
	check_next(scene, other);
	if (!scene_visible(scene, scene->ids[0], &state))
		check_next(scene, scene->ids[0]);
}

/* A waiter was told how it ended: so says the table. */
static void check_told(struct scene *scene)
{
	struct inv_info info;
	int told = atomic_load(&scene->board->returned[1]);

	if (!(scene->operation->waiters & WAITER_END) || told < 0 || told == NOT_YET)
		return;
	int error = inv_info_get(scene->table, scene->ids[0], &info);
	expect(scene, error == 0 && info.status == told, "a waiter was told %s, the table says %s",
	       inv_status_name(told), error ? "nothing" : inv_status_name(info.status));
}

/* The rival had it, or has it now, or the id has a record. */
static void check_rival(struct scene *scene, int first_answer)
{
	enum slot_state state = SLOT_FREE;

	if (first_answer == 0)
		return;
	int answer = rival_tries(scene, 2);
	/* What had been registered may have been taken over. */
	bool kept = scene_visible(scene, scene->ids[0], &state) &&
	            (state == SLOT_DONE || scene->operation->orphan);
	expect(scene, answer == 0 || (answer == -EEXIST && kept),
	       "the rival was told %s, and then %s", inv_strerror(first_answer),
	       inv_strerror(answer));
}

/* The victim is dead. rival: its first answer, or NOT_YET. */
static void aftermath(struct scene *scene, enum recovery by, int rival)
{
	const struct operation *operation = scene->operation;
	bool owned_by_dead = operation->owner == OWNER_VICTIM && !operation->orphan;

	outcomes_note(scene);
	if (by == BY_NOBODY && owned_by_dead)
		expect(scene, waiters_return(scene, WAITER_ANY),
		       "a waiter hangs, without a broker");
	if (by == BY_NOBODY && rival != NOT_YET)
		check_rival(scene, rival);
	recover(scene, by);
	if (by != BY_NOBODY && rival != NOT_YET)
		check_rival(scene, rival);
	invariants_check(scene);
	outcomes_check(scene);
	if (owned_by_dead)
		expect(scene, waiters_return(scene, WAITER_ANY), "a waiter hangs");
	if (operation->judge)
		operation->judge(scene);
	inv_event *stale = scene->stale;
	scene->stale = NULL;
	scene_let_go(scene);
	expect(scene, waiters_return(scene, WAITER_ANY), "a waiter hangs after the end");
	check_told(scene);
	rival_leaves(scene);
	scene->stale = stale;
	check_tenant(scene);
	scene_let_go(scene);
	registrable_check(scene);
	invariants_check(scene);
	waiters_end(scene);
	scene_end_process(&scene->helper);
}

static void look_at_victims(struct scene *scene)
{
	if (scene->operation->owner == OWNER_VICTIM && !scene->stale)
		inv_event_find(scene->table, scene->ids[0], &scene->stale);
}

/* Every state that a recovery from this one passes through. */
static void check_nested(struct scene *scene)
{
	stores_of_recovery(scene);
	for (size_t i = 0; i < scene->passed.count; i++) {
		scene_restore(scene, scene->passed.contents + i * scene->passed.bytes);
		atomic_store(&scene->board->acted, 0);
		scene_hold(scene);
		look_at_victims(scene);
		aftermath(scene, i % RECOVERIES, NOT_YET);
	}
	scene->states += scene->passed.count;
}

static void check_states(struct scene *scene, const struct states *states)
{
	for (size_t i = 0; i < states->count; i++) {
		const unsigned char *contents = states->contents + i * states->bytes;
		scene->place = i;
		scene->stage = "state";
		scene_restore(scene, contents);
		atomic_store(&scene->board->acted, 0);
		scene_hold(scene);
		look_at_victims(scene);
		waiters_start(scene);
		aftermath(scene, i % RECOVERIES, NOT_YET);
		scene->stage = "recovery of state";
		scene_restore(scene, contents);
		check_nested(scene);
	}
	scene->states += states->count;
}

static bool step_through(struct scene *scene, struct path *path, struct states *states)
{
	scene->stage = "steps";
	begin(scene);
	pid_t victim = victim_start(scene);
	if (!scene->operation->late_waiters)
		waiters_start(scene);
	helper_start(scene);
	bool whole = victim_step_through(scene, victim, path, states);
	expect(scene, whole, "it can't be stepped through");
	victim_kill(victim);
	victim_reap(victim);
	waiters_end(scene);
	scene_end_process(&scene->helper);
	scene_let_go(scene);
	return whole;
}

static void check_wake(struct scene *scene)
{
	scene->stage = "without a kill";
	begin(scene);
	crash_slice_ns = SLICE_ENDLESS_NS;
	pid_t victim = victim_start(scene);
	waiters_start(scene);
	crash_slice_ns = SLICE_SHORT_NS;
	helper_start(scene);
	expect(scene, victim_carry_on(scene, victim), "it does not come to its end");
	expect(scene, waiters_return(scene, scene->operation->tells), "a waiter is not woken");
	victim_kill(victim);
	victim_reap(victim);
	waiters_end(scene);
	scene_end_process(&scene->helper);
	scene_let_go(scene);
}

static void kill_at(struct scene *scene, const struct path *path, size_t place)
{
	const struct operation *operation = scene->operation;
	/* Most turns kill it; in some the rival acts in the middle, and both go on. */
	size_t turn = scene->turn++;
	bool carry_on = operation->rival && turn % 5 == 4;
	int rival = NOT_YET;

	scene->stage = "kill";
	scene->place = place;
	scene->address = path->address[place];
	begin(scene);
	pid_t victim = victim_start(scene);
	if (!operation->late_waiters)
		waiters_start(scene);
	look_at_victims(scene);
	helper_start(scene);
	watcher_start(scene);
	bool reached = victim_run_to(scene, victim, path, place);
	if (operation->rival)
		rival = rival_tries(scene, 1);
	if (carry_on && victim_carry_on(scene, victim))
		expect(scene, (rival == 0) != (atomic_load(&scene->board->result) == 0),
		       "the rival was told %s, and the other %s", inv_strerror(rival),
		       inv_strerror(atomic_load(&scene->board->result)));
	victim_kill(victim);
	if (turn % 3 != 0)
		victim_reap(victim);
	watcher_sees_to_it(scene);
	if (operation->late_waiters)
		waiters_start(scene);
	aftermath(scene, turn % RECOVERIES, rival);
	if (turn % 3 == 0)
		victim_reap(victim);
	*(reached ? &scene->kills : &scene->missed) += 1;
}

/* The instructions around a change of the segment are all tried. Reading a clock takes
 * another turn of its loop when the kernel has updated it meanwhile: those turns, in the
 * kernel's code in the process, are not found again. */
static bool worth_a_kill(const struct path *path, size_t place, size_t every)
{
	uint64_t kernels_code = getauxval(AT_SYSINFO_EHDR);

	if (path->address[place] >= kernels_code &&
	    path->address[place] < kernels_code + KERNELS_CODE_BYTES)
		for (size_t i = 0; i < place; i++)
			if (path->address[i] == path->address[place])
				return false;
	return place % every == 0 || path->changed[place] ||
	       (place + 1 < path->count && path->changed[place + 1]);
}

void trial(struct scene *scene, size_t kills_max)
{
	struct states states = {.bytes = scene->table->geometry.bytes};
	struct path path = {0};

	scene->instructions = scene->kills = scene->missed = scene->states = scene->failures = 0;
	scene->address = scene->turn = 0;
	/* Shared, so that the many forks need not copy it. */
	states.contents = scene_shared_memory(states.bytes * STATES_MAX);
	path.address = scene_shared_memory(PATH_MAX_INSTRUCTIONS * sizeof(*path.address));
	path.changed = scene_shared_memory((PATH_MAX_INSTRUCTIONS + 1) * sizeof(*path.changed));
	if (states.contents && path.address && path.changed &&
	    step_through(scene, &path, &states)) {
		scene->instructions = path.count;
		if (scene->operation->tells)
			check_wake(scene);
		check_states(scene, &states);
		size_t every = (path.count + kills_max - 1) / kills_max;
		for (size_t place = 0; place < path.count && scene->failures < FAILURES_MAX;
		     place++)
			if (worth_a_kill(&path, place, every))
				kill_at(scene, &path, place);
	}
	munmap(path.changed, (PATH_MAX_INSTRUCTIONS + 1) * sizeof(*path.changed));
	munmap(path.address, PATH_MAX_INSTRUCTIONS * sizeof(*path.address));
	munmap(states.contents, states.bytes * STATES_MAX);
}
