/*
 * "No signal ever goes to a process that is not of the invocation": a program that is itself an
 * action is signalled in a private table, where it is the caller's own and uses the table; in a
 * shared one, which any member of its group can write, never.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "api/broker.h"
#include "os/process.h"
#include "table/slot.h"

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

static struct owner_entry *owner_of(struct fixture *fixture, const uint8_t id[16])
{
	struct slot_ref ref;
	uint64_t word;

	assert_int_equal(slot_find(fixture->table, id, &ref, &word), 0);
	return &fixture->table->owners[control_owner(word)];
}

static int stay(struct fixture *fixture, void *arg)
{
	(void)arg;
	inv_close(fixture->table);
	atomic_store(&fixture->counters[GO], 1);
	return fixture_stay();
}

/* Damage has put another process's pid into the owner's entry. */
static void a_process_that_does_not_use_the_table_is_not_signalled(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t owner = start_program(fixture, id);
	pid_t bystander = fixture_fork(fixture, stay, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[GO]));
	struct owner_entry *entry = owner_of(fixture, id);
	uint64_t word = atomic_load(&entry->word);
	atomic_store(&entry->word, (word & ~UINT64_C(0xfffffc)) | (uint64_t)bystander << 2);
	atomic_store(&entry->start, process_start(bystander));
	atomic_store(&entry->pidfs, 0);
	atomic_store(&entry->image, 0);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EPERM);
	assert_lives(bystander);
	assert_lives(owner);
}

/* Contract 7: --signal and --kill of a program without a supervisor are refused there. */
static void in_a_shared_table_no_program_is_signalled(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	pid_t pid = start_program(fixture, id);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_KILL, NULL), -EPERM);
	assert_int_equal(inv_cancel(fixture->table, id, INV_CANCEL_SIGNAL, NULL), -EPERM);
	assert_lives(pid);
	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.cancel.state, INV_CANCEL_REQUESTED);
}

static int begin_as_another_user(struct fixture *fixture, void *arg)
{
	inv_invocation *invocation;

	/* The kernel hides a process that changes its user from the former one. */
	if (seteuid(FOREIGN_UID) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0 ||
	    inv_invocation_begin(fixture->table, arg, "program", &invocation) != 0)
		return 2;
	atomic_fetch_add(&fixture->counters[READY], 1);
	return fixture_stay();
}

/* Root could: it has the table mapped, but is not the caller's own. */
static void another_users_program_is_not_signalled(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_need_root();
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

/* SIGSTOP can be seen of each of them. */
static void a_signal_reaches_a_family_to_its_last(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(a_program_is_killed_and_signalled_by_its_user),
	        TABLE_TEST(a_process_that_does_not_use_the_table_is_not_signalled),
	        TABLE_TEST(another_users_program_is_not_signalled),
	        TABLE_TEST(a_signal_reaches_a_family_to_its_last),
	        SHARED_TABLE_TEST(in_a_shared_table_no_program_is_signalled),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
