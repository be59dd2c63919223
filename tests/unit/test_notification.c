/*
 * What the broker learns although whoever told it was killed before the wake: the
 * tellers here do a step of the library by hand and go no further. Nothing else is told,
 * and the broker sleeps without an end.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/broker.h"
#include "table/event_word.h"
#include "table/notification.h"
#include "table/owner.h"
#include "table/slot.h"

enum { STEP, PID, ENTERING = 1 /* the state of an entry that is claimed */ };

static int set_up(void **state)
{
	/* What is orphaned, a broker included, comes to this test. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return fixture_set_up(state);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fixture_end_broker(fixture->table, SIGKILL);
	return fixture_tear_down(state);
}

static int be_broker(struct fixture *fixture, void *arg)
{
	char table[INV_TABLE_NAME_BYTES + 16];

	(void)arg;
	snprintf(table, sizeof(table), "--table=%s", fixture->name);
	execlp("invbroker", "invbroker", table, "--foreground", "--retain=50ms", (char *)NULL);
	return 1;
}

/* It has passed on what was told, and sleeps until it is woken. */
static bool broker_rests(const struct fixture *fixture)
{
	return atomic_load(&fixture->table->header->wake_wanted) != 0;
}

static void start_broker(struct fixture *fixture)
{
	fixture_use_built_broker();
	pid_t broker = fixture_fork(fixture, be_broker, NULL);
	EVENTUALLY(fixture_broker(fixture->table) == broker);
}

static uint32_t entry_of(struct fixture *fixture, pid_t pid)
{
	struct process_identity identity;

	for (uint32_t i = 1; i < fixture->table->geometry.owners; i++)
		if (owner_read(fixture->table, i, &identity) != 0 && identity.pid == pid)
			return i;
	return 0;
}

/* As in owner_enter, up to the wake; then the process stands still, or is killed. */
static int claim_and_tell(struct fixture *fixture, void *arg)
{
	struct owner_entry *entry = &fixture->table->owners[7];
	uint64_t word = atomic_load(&entry->word);
	uint64_t namespace = process_namespace() & 0x7fff;

	(void)arg;
	atomic_store(&entry->word, word | namespace << 24 | (uint64_t)getpid() << 2 | ENTERING);
	notify_broker(fixture->table);
	atomic_store(&fixture->counters[STEP], 1);
	return fixture_stay();
}

static void whoever_enters_is_watched_from_its_first_step_on(void **state)
{
	struct fixture *fixture = *state;

	start_broker(fixture);
	pid_t owner = fixture_fork(fixture, claim_and_tell, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[STEP]));
	assert_int_equal(entry_of(fixture, owner), 7);
	fixture_kill(fixture, owner);
	EVENTUALLY(entry_of(fixture, owner) == 0);
}

/* Ends its invocation as lifecycle_end does, counts the news, and does not wake. */
static int end_and_count(struct fixture *fixture, void *id)
{
	struct outcome outcome = {.status = INV_COMPLETED, .cause = INV_CAUSE_EXIT};
	inv_invocation *invocation;
	struct slot_ref ref;
	uint64_t word;

	if (inv_invocation_begin(fixture->table, id, NULL, &invocation) != 0 ||
	    slot_find(fixture->table, id, &ref, &word) != 0)
		return 1;
	atomic_store(&fixture->counters[STEP], 1);
	AWAIT(atomic_load(&fixture->counters[STEP]) == 2);
	event_word_close(fixture->table, ref);
	if (!slot_finish(fixture->table, ref, word, &outcome))
		return 1;
	atomic_fetch_add(&fixture->table->header->change_counter, 1);
	atomic_store(&fixture->counters[STEP], 3);
	return fixture_stay();
}

static bool retired(struct fixture *fixture, const uint8_t id[16])
{
	struct inv_info info;

	return inv_info_get(fixture->table, id, &info) == -ENOENT;
}

static void what_has_ended_is_retired_though_its_owner_told_nobody(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	fixture_id(id);
	start_broker(fixture);
	pid_t owner = fixture_fork(fixture, end_and_count, id);
	EVENTUALLY(atomic_load(&fixture->counters[STEP]) == 1);
	EVENTUALLY(broker_rests(fixture));
	atomic_store(&fixture->counters[STEP], 2);
	EVENTUALLY(atomic_load(&fixture->counters[STEP]) == 3);
	fixture_kill(fixture, owner);
	EVENTUALLY(retired(fixture, id));
}

static int supervise_and_stay(struct fixture *fixture, void *id)
{
	struct inv_run_options options = {
	        .id = id,
	        .name = "an action",
	        .deadline_ns = INV_FOREVER,
	        .signal_after_ns = INV_FOREVER,
	        .kill_after_ns = INV_FOREVER,
	        .signal = SIGTERM,
	};
	inv_invocation *invocation;

	if (inv_run_register(fixture->table, &options, &invocation) != 0)
		return 1;
	pid_t action = fork();
	if (action == 0)
		fixture_stay();
	inv_run_started(invocation, action);
	atomic_store(&fixture->counters[PID], action);
	return fixture_stay();
}

static void an_orphan_hears_of_a_request_that_nobody_told(void **state)
{
	struct fixture *fixture = *state;
	struct slot_ref ref;
	uint64_t word;
	uint8_t id[16];

	fixture_id(id);
	start_broker(fixture);
	pid_t supervisor = fixture_fork(fixture, supervise_and_stay, id);
	EVENTUALLY(atomic_load(&fixture->counters[PID]));
	pid_t action = atomic_load(&fixture->counters[PID]);
	fixture_kill(fixture, supervisor);
	EVENTUALLY(fixture_info(fixture, id).orphaned);
	EVENTUALLY(broker_rests(fixture));
	assert_int_equal(slot_find(fixture->table, id, &ref, &word), 0);
	assert_true(event_word_set(fixture->table, ref, event_word_load(fixture->table, ref)));
	int status = 0;
	EVENTUALLY(waitpid(action, &status, WNOHANG) == action);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(whoever_enters_is_watched_from_its_first_step_on,
	                                        set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                what_has_ended_is_retired_though_its_owner_told_nobody, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(an_orphan_hears_of_a_request_that_nobody_told,
	                                        set_up, tear_down),
	};

	return cmocka_run_group_tests_name("news", tests, NULL, NULL);
}
