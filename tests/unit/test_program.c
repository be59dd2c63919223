/*
 * "No signal ever goes to a process that is not of the invocation", whatever a member of a
 * shared table's group writes into it: a program that is itself an action is signalled
 * only if it bears out that it is.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/broker.h"
#include "os/process.h"
#include "supervise/process_table.h"
#include "table/index.h"
#include "table/slot.h"
#include "table/text.h"

#define SHARED_TABLE_TEST(function)                                                                \
	cmocka_unit_test_setup_teardown(function, set_up, fixture_tear_down)

enum { READY = 0, GO = 1, PIDS = 8, KILLED_BY = 256, FOREIGN_UID = 54321 };

static int make_shared(struct fixture *fixture)
{
	struct broker_create create = {
	        .name = fixture->name, .capacity = 100, .shared = true, .gid = getegid()};
	bool created;

	return broker_open(&create, &fixture->table, &created);
}

static int set_up(void **state)
{
	return fixture_set_up_without_table(state) != 0 || make_shared(*state) != 0 ? -1 : 0;
}

/* Attaches, and begins what it is told to; then it stays. */
static int begin_and_stay(struct fixture *fixture, void *arg)
{
	inv_invocation *invocation;
	inv_table *table;

	if (inv_open(&table, fixture->name, 0) != 0 ||
	    inv_invocation_begin(table, arg, "program", &invocation) != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[READY], 1);
	return fixture_stay();
}

static pid_t start_program(struct fixture *fixture, const uint8_t id[16])
{
	int before = atomic_load(&fixture->counters[READY]);
	pid_t pid = fixture_fork(fixture, begin_and_stay, (void *)(uintptr_t)id);

	EVENTUALLY(atomic_load(&fixture->counters[READY]) == before + 1);
	return pid;
}

static struct slot_ref slot_of(struct fixture *fixture, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;

	assert_int_equal(slot_find(fixture->table, id, &ref, &word), 0);
	return ref;
}

/* As a member of the group could: what one owns is said to be the other's. */
static void give_to(struct fixture *fixture, const uint8_t id[16], const uint8_t owner[16])
{
	struct slot_ref ref = slot_of(fixture, id), to = slot_of(fixture, owner);
	uint64_t word = slot_word(fixture->table, ref);

	assert_true(slot_adopt(fixture->table, ref.index, word,
	                       control_owner(slot_word(fixture->table, to))));
}

static void nest(struct fixture *fixture, const uint8_t child[16], const uint8_t parent[16])
{
	struct slot_ref ref = slot_of(fixture, child), to = slot_of(fixture, parent);
	struct slot *slot = &fixture->table->slots[ref.index];

	words_store(slot->parent, 2, parent);
	atomic_store(&slot->parent_ref, ((uint64_t)to.index + 1) << 32 | to.generation);
	atomic_store(&fixture->table->parent_index[ref.index], to.index + 1);
	atomic_fetch_or(&fixture->table->slots[to.index].flags, SLOT_HAS_CHILDREN);
}

static void assert_lives(pid_t pid)
{
	assert_int_equal(kill(pid, 0), 0);
	struct process_identity identity = {.pid = pid, .start = process_start(pid)};
	assert_int_equal(process_life(&identity), PROCESS_ALIVE);
}

static void a_program_is_killed_and_signalled_by_its_user(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t pid = start_program(fixture, id);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(fixture_reap(fixture, pid), KILLED_BY + SIGKILL);
	fixture_id(id);
	pid = start_program(fixture, id);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_WITH_SIGNAL(SIGUSR1), NULL), 0);
	assert_int_equal(fixture_reap(fixture, pid), KILLED_BY + SIGUSR1);
}

/* It uses the table, and owns an invocation: another one. */
static void a_row_that_names_another_process_of_the_user_does_not_kill_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t victims[16], bait[16];

	fixture_id(victims);
	fixture_id(bait);
	pid_t victim = start_program(fixture, victims);
	pid_t other = start_program(fixture, bait);
	give_to(fixture, bait, victims);
	assert_int_equal(inv_cancel(fixture->table, bait, INV_CANCEL_KILL, NULL), -EPERM);
	assert_int_equal(inv_cancel(fixture->table, bait, INV_CANCEL_SIGNAL, NULL), -EPERM);
	assert_lives(victim);
	assert_lives(other);
	/* In good order again, so is the kill. */
	assert_int_equal(inv_cancel(fixture->table, victims, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(fixture_reap(fixture, victim), KILLED_BY + SIGKILL);
}

/* The victim's own row, with the id that the other is called by. */
static void a_row_that_changes_its_id_does_not_get_its_process_killed(void **state)
{
	struct fixture *fixture = *state;
	uint8_t victims[16], bait[16];

	fixture_id(victims);
	pid_t victim = start_program(fixture, victims);
	struct slot_ref ref = slot_of(fixture, victims);
	/* Another id that is looked for in the same place. */
	struct search here, there;
	index_search(fixture->table, victims, 1, &here);
	do {
		fixture_id(bait);
		index_search(fixture->table, bait, 1, &there);
	} while (there.tag != here.tag);
	words_store(fixture->table->ids[ref.index].half, 2, bait);
	assert_int_equal(inv_cancel(fixture->table, bait, INV_CANCEL_KILL, NULL), -EPERM);
	assert_lives(victim);
	words_store(fixture->table->ids[ref.index].half, 2, victims);
	assert_int_equal(inv_cancel(fixture->table, victims, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(fixture_reap(fixture, victim), KILLED_BY + SIGKILL);
}

static int begin_end_and_stay(struct fixture *fixture, void *arg)
{
	inv_invocation *invocation;
	inv_table *table;

	if (inv_open(&table, fixture->name, 0) != 0 ||
	    inv_invocation_begin(table, arg, "program", &invocation) != 0)
		return 1;
	atomic_fetch_add(&fixture->counters[READY], 1);
	AWAIT(atomic_load(&fixture->counters[GO]));
	inv_invocation_end(invocation, INV_COMPLETED);
	atomic_fetch_add(&fixture->counters[READY], 1);
	return fixture_stay();
}

static void what_has_ended_does_not_get_its_process_killed(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t pid = fixture_fork(fixture, begin_end_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 1);
	struct slot_ref ref = slot_of(fixture, id);
	uint64_t live = slot_word(fixture->table, ref);
	uint64_t event = atomic_load(&fixture->table->event[ref.index]);
	atomic_store(&fixture->counters[GO], 1);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 2);
	/* Brought to life again, by whoever may write. */
	atomic_store(&fixture->table->control[ref.index], live);
	atomic_store(&fixture->table->event[ref.index], event);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EPERM);
	assert_lives(pid);
}

static int fork_and_stay(struct fixture *fixture, void *arg)
{
	inv_invocation *invocation;
	inv_table *table;

	if (inv_open(&table, fixture->name, 0) != 0 ||
	    inv_invocation_begin(table, arg, "program", &invocation) != 0)
		return 1;
	pid_t child = fork();
	if (child != 0)
		atomic_store(&fixture->counters[GO], child);
	AWAIT(atomic_load(&fixture->counters[GO]) == (child ? child : getpid()));
	if (child)
		atomic_store(&fixture->counters[READY], 1);
	return child ? fixture_stay() : pause();
}

/* It has the descriptor of its parent's ledger, which is about its parent. */
static void a_forked_child_is_not_taken_for_the_owner(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = fixture_fork(fixture, fork_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 1);
	pid_t child = atomic_load(&fixture->counters[GO]);
	struct slot_ref ref = slot_of(fixture, id);
	struct owner_entry *entry =
	        &fixture->table->owners[control_owner(slot_word(fixture->table, ref))];
	uint64_t word = atomic_load(&entry->word);
	atomic_store(&entry->word, (word & ~UINT64_C(0xfffffc)) | (uint64_t)child << 2);
	atomic_store(&entry->start, process_start(child));
	atomic_store(&entry->pidfs, 0);
	atomic_store(&entry->image, 0);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EPERM);
	assert_lives(child);
	kill(child, SIGKILL);
	fixture_kill(fixture, owner);
}

static void forged_kinship_does_not_pass_a_kill_on(void **state)
{
	struct fixture *fixture = *state;
	uint8_t victims[16], asked[16];

	fixture_id(victims);
	fixture_id(asked);
	pid_t victim = start_program(fixture, victims);
	pid_t other = start_program(fixture, asked);
	nest(fixture, victims, asked);
	assert_int_equal(inv_cancel(fixture->table, asked, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(fixture_reap(fixture, other), KILLED_BY + SIGKILL);
	assert_lives(victim);
	/* It was asked, as a member may ask anybody. */
	assert_int_equal(fixture_info(fixture, victims).cancel_cause, INV_CAUSE_PARENT);
}

static pid_t start_below(struct fixture *fixture, const uint8_t id[16], const uint8_t parent[16])
{
	fixture_environment(parent);
	pid_t pid = start_program(fixture, id);
	fixture_environment(NULL);
	return pid;
}

static void kill_and_reap(struct fixture *fixture, const uint8_t id[16], pid_t pid)
{
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), 0);
	assert_int_equal(fixture_reap(fixture, pid), KILLED_BY + SIGKILL);
}

/* Whichever link of a chain is forged, what hangs on it is not killed. */
static void a_forged_link_anywhere_ends_the_chain(void **state)
{
	struct fixture *fixture = *state;
	uint8_t asked[16], middle[16], leaf[16];

	fixture_id(asked);
	fixture_id(middle);
	fixture_id(leaf);
	/* between the middle and what is asked */
	pid_t asked_pid = start_program(fixture, asked);
	pid_t middle_pid = start_program(fixture, middle);
	pid_t leaf_pid = start_below(fixture, leaf, middle);
	nest(fixture, middle, asked);
	kill_and_reap(fixture, asked, asked_pid);
	assert_lives(middle_pid);
	assert_lives(leaf_pid);

	/* between the leaf and the middle */
	fixture_id(asked);
	fixture_id(middle);
	fixture_id(leaf);
	asked_pid = start_program(fixture, asked);
	middle_pid = start_below(fixture, middle, asked);
	leaf_pid = start_program(fixture, leaf);
	nest(fixture, leaf, middle);
	kill_and_reap(fixture, asked, asked_pid);
	assert_int_equal(fixture_reap(fixture, middle_pid), KILLED_BY + SIGKILL);
	assert_lives(leaf_pid);

	/* the leaf's own id */
	fixture_id(asked);
	fixture_id(leaf);
	asked_pid = start_program(fixture, asked);
	leaf_pid = start_below(fixture, leaf, asked);
	uint32_t index = slot_of(fixture, leaf).index;
	fixture_id(leaf);
	words_store(fixture->table->ids[index].half, 2, leaf);
	kill_and_reap(fixture, asked, asked_pid);
	assert_lives(leaf_pid);
}

static int begin_with_small_files(struct fixture *fixture, void *arg)
{
	struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};

	return setrlimit(RLIMIT_FSIZE, &limit) != 0 ? 2 : begin_and_stay(fixture, arg);
}

static void who_is_between_bears_it_out_or_is_supervised(void **state)
{
	struct fixture *fixture = *state;
	uint8_t asked[16], middle[16], leaf[16];

	/* a program that keeps no ledger */
	fixture_id(asked);
	fixture_id(middle);
	fixture_id(leaf);
	pid_t asked_pid = start_program(fixture, asked);
	fixture_environment(asked);
	int before = atomic_load(&fixture->counters[READY]);
	pid_t middle_pid = fixture_fork(fixture, begin_with_small_files, middle);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == before + 1);
	pid_t leaf_pid = start_below(fixture, leaf, middle);
	kill_and_reap(fixture, asked, asked_pid);
	assert_lives(middle_pid);
	assert_lives(leaf_pid);

	/* a run: its supervisor is told, and what is nested in it is killed */
	fixture_id(asked);
	fixture_id(middle);
	fixture_id(leaf);
	struct inv_run_options options = {
	        .id = middle, .parent = asked, .name = "run", .deadline_ns = INV_FOREVER};
	inv_invocation *run;
	asked_pid = start_program(fixture, asked);
	assert_int_equal(inv_run_register(fixture->table, &options, &run), 0);
	leaf_pid = start_below(fixture, leaf, middle);
	kill_and_reap(fixture, asked, asked_pid);
	assert_int_equal(fixture_reap(fixture, leaf_pid), KILLED_BY + SIGKILL);
	inv_run_end(run, &(struct inv_run_result){.not_started = 1});
}

static int begin_as_another_user(struct fixture *fixture, void *arg)
{
	/* Whoever changes user is hidden by the kernel from its former one. */
	if (seteuid(FOREIGN_UID) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0)
		return 2;
	return begin_and_stay(fixture, arg);
}

/* Root could, and a member of the group could have it done by root's hand. */
static void another_users_program_is_not_signalled(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	if (geteuid() != 0)
		skip();
	fixture_id(id);
	pid_t pid = fixture_fork(fixture, begin_as_another_user, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 1);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EPERM);
	assert_lives(pid);
}

struct family {
	uint8_t ids[3][16];
	int next;
};

/* Begins one, starts the next below it, and stays. */
static int member_main(struct fixture *fixture, void *arg)
{
	struct family *family = arg;
	int own = family->next++;
	inv_invocation *invocation;
	inv_table *table;

	if (inv_open(&table, fixture->name, 0) != 0 ||
	    inv_invocation_begin(table, family->ids[own], "program", &invocation) != 0)
		return 1;
	atomic_store(&fixture->counters[PIDS + own], getpid());
	fixture_environment(family->ids[own]);
	if (family->next < 3)
		fixture_fork(fixture, member_main, family);
	atomic_fetch_add(&fixture->counters[READY], 1);
	return fixture_stay();
}

static bool is_stopped(pid_t pid)
{
	struct process process;

	return process_read(pid, &process) == 0 && process.state == 'T';
}

/* Each bears out what it is nested in; with SIGSTOP it can be seen of all of them. */
static void a_signal_reaches_an_honest_family_to_its_last(void **state)
{
	struct fixture *fixture = *state;
	struct family family = {0};

	for (int i = 0; i < 3; i++)
		fixture_id(family.ids[i]);
	pid_t first = fixture_fork(fixture, member_main, &family);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 3);
	unsigned stop = INV_CANCEL_WITH_SIGNAL(SIGSTOP);
	assert_int_equal(inv_cancel(fixture->table, family.ids[0], stop, NULL), 0);
	for (int i = 0; i < 3; i++)
		EVENTUALLY(is_stopped(atomic_load(&fixture->counters[PIDS + i])));
	/* The others end with their parents. */
	fixture_kill(fixture, first);
}

/* Nor does the want of a ledger harm it: a limit on files would be told by a signal. */
static void a_program_that_can_bear_out_nothing_is_not_signalled(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t pid = fixture_fork(fixture, begin_with_small_files, id);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == 1);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EPERM);
	assert_lives(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SHARED_TABLE_TEST(a_program_is_killed_and_signalled_by_its_user),
	        SHARED_TABLE_TEST(a_row_that_names_another_process_of_the_user_does_not_kill_it),
	        SHARED_TABLE_TEST(a_row_that_changes_its_id_does_not_get_its_process_killed),
	        SHARED_TABLE_TEST(what_has_ended_does_not_get_its_process_killed),
	        SHARED_TABLE_TEST(a_forked_child_is_not_taken_for_the_owner),
	        SHARED_TABLE_TEST(forged_kinship_does_not_pass_a_kill_on),
	        SHARED_TABLE_TEST(a_forged_link_anywhere_ends_the_chain),
	        SHARED_TABLE_TEST(who_is_between_bears_it_out_or_is_supervised),
	        SHARED_TABLE_TEST(another_users_program_is_not_signalled),
	        SHARED_TABLE_TEST(a_signal_reaches_an_honest_family_to_its_last),
	        SHARED_TABLE_TEST(a_program_that_can_bear_out_nothing_is_not_signalled),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
