/*
 * "If only `invctl run` is killed, its action goes on as it was: listed, deadline and
 * kill-after kept, cancellable; ownership passes to the broker"; "with owner and action gone it
 * ends as error, lost: while a broker runs, and at the next look without one".
 *
 * The supervisor is a child, the action another child of the test, the broker the test itself.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/broker.h"
#include "fixture.h"
#include "table/slot.h"

enum { REGISTERED, STARTED, NEWS };

struct orphan {
	uint8_t id[16];
	pid_t action, supervisor;
	bool started;
};

static int be_action(struct fixture *fixture, void *arg)
{
	(void)fixture;
	(void)arg;
	return fixture_stay();
}

static int supervise(struct fixture *fixture, void *arg)
{
	const struct orphan *orphan = arg;
	struct inv_run_options options = {.id = orphan->id,
	                                  .name = "orphan",
	                                  .deadline_ns = 3600 * SECOND,
	                                  .signal_after_ns = INV_FOREVER,
	                                  .kill_after_ns = 7 * SECOND,
	                                  .signal = SIGUSR2,
	                                  .flags = INV_RUN_STOP_COMMAND};
	inv_invocation *invocation;

	if (inv_run_register(fixture->table, &options, &invocation) != 0)
		return 1;
	if (orphan->started && inv_run_started(invocation, orphan->action) != 0)
		return 2;
	atomic_store(&fixture->counters[REGISTERED], 1);
	return fixture_stay();
}

/* Its supervisor is killed; its action lives. */
static void make_orphan(struct fixture *fixture, struct orphan *orphan, bool started)
{
	fixture_id(orphan->id);
	orphan->started = started;
	atomic_store(&fixture->counters[REGISTERED], 0);
	orphan->action = fixture_fork(fixture, be_action, NULL);
	orphan->supervisor = fixture_fork(fixture, supervise, orphan);
	EVENTUALLY(atomic_load(&fixture->counters[REGISTERED]));
	fixture_kill(fixture, orphan->supervisor);
}

static void adopt(inv_invocation *invocation, void *arg)
{
	inv_invocation **adopted = arg;

	assert_null(*adopted);
	*adopted = invocation;
}

static void without_a_broker_it_stays_and_can_be_cancelled(void **state)
{
	struct fixture *fixture = *state;
	struct orphan orphan;

	make_orphan(fixture, &orphan, true);
	struct inv_info info = fixture_info(fixture, orphan.id);
	assert_int_equal(info.status, INV_RUNNING);
	assert_int_equal(info.orphaned, 1);
	assert_int_equal(info.owner_pid, 0);
	assert_int_equal(info.pid, orphan.action);
	assert_int_equal(inv_cancel(fixture->table, orphan.id, 0, "stop"), 0);
	assert_int_equal(inv_cancel(fixture->table, orphan.id,
	                            INV_CANCEL_SIGNAL | (unsigned)SIGUSR1 << 8, NULL),
	                 0);
	/* The request waits for a broker; the action was not touched. */
	assert_int_equal(fixture_info(fixture, orphan.id).cancel.state, INV_CANCEL_REQUESTED);
	assert_int_equal(waitpid(orphan.action, NULL, WNOHANG), 0);
	fixture_kill(fixture, orphan.action);
	info = fixture_info(fixture, orphan.id);
	assert_int_equal(info.status, INV_CANCELLED);
	assert_int_equal(info.cause, INV_CAUSE_REQUESTED);
}

static int register_and_close(struct fixture *fixture, void *arg)
{
	const struct orphan *orphan = arg;
	struct inv_run_options options = {
	        .id = orphan->id, .name = "orphan", .deadline_ns = INV_FOREVER};
	inv_invocation *invocation;
	inv_table *table;

	if (inv_open(&table, fixture->name, 0) != 0 ||
	    inv_run_register(table, &options, &invocation) != 0 ||
	    inv_run_started(invocation, orphan->action) != 0)
		return 1;
	inv_close(table);
	return 0;
}

/* A supervisor that leaves is as one that was killed: its entry stays for who takes over. */
static void one_whose_supervisor_left_is_one_too(void **state)
{
	struct fixture *fixture = *state;
	struct orphan orphan;
	struct inv_table_info info;
	inv_invocation *adopted = NULL;

	fixture_id(orphan.id);
	orphan.action = fixture_fork(fixture, be_action, NULL);
	pid_t supervisor = fixture_fork(fixture, register_and_close, &orphan);
	assert_int_equal(fixture_reap(fixture, supervisor), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owners, 1);
	assert_int_equal(fixture_info(fixture, orphan.id).status, INV_RUNNING);
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	broker_recover(fixture->table, adopt, &adopted);
	assert_non_null(adopted);
	inv_run_end(adopted, &(struct inv_run_result){.wait_known = 0});
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.owners, 1); /* the broker */
	broker_unserve(fixture->table);
}

static void with_its_action_gone_too_it_is_lost_at_the_next_look(void **state)
{
	struct fixture *fixture = *state;
	struct orphan orphan;

	make_orphan(fixture, &orphan, true);
	assert_int_equal(inv_wait(fixture->table, orphan.id, 0), -ETIMEDOUT);
	fixture_kill(fixture, orphan.action);
	assert_int_equal(inv_wait(fixture->table, orphan.id, MILLISECOND), INV_ERROR);
	assert_int_equal(fixture_info(fixture, orphan.id).cause, INV_CAUSE_LOST);

	/* Killed before it had told of a process: there is none. */
	make_orphan(fixture, &orphan, false);
	assert_int_equal(inv_wait(fixture->table, orphan.id, MILLISECOND), INV_ERROR);
}

static void a_broker_takes_it_over_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct orphan orphan;
	inv_invocation *adopted = NULL;
	struct inv_run_view view;
	uint8_t id[16];

	make_orphan(fixture, &orphan, true);
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	broker_recover(fixture->table, adopt, &adopted);
	assert_non_null(adopted);
	inv_invocation_id(adopted, id);
	assert_memory_equal(id, orphan.id, 16);
	assert_int_equal(inv_run_view(adopted, &view), 0);
	assert_int_equal(view.pid, orphan.action);
	assert_int_equal(view.signal, SIGUSR2);
	assert_int_equal(view.kill_after_ns, 7 * SECOND);
	assert_int_equal(view.signal_after_ns, INV_FOREVER);
	assert_int_equal(view.flags, INV_RUN_STOP_COMMAND);
	assert_true(view.deadline_ns > 0);
	assert_int_equal(fixture_info(fixture, orphan.id).orphaned, 1);

	/* It is taken over once; it is this process's from now on. */
	inv_invocation *again = NULL;
	broker_sweep(fixture->table, adopt, &again);
	assert_null(again);
	assert_int_equal(inv_cancel(fixture->table, orphan.id, 0, NULL), 0);
	assert_int_equal(inv_run_take(adopted), 1);
	assert_int_equal(inv_run_end(adopted, &(struct inv_run_result){.wait_known = 0}), 122);
	assert_int_equal(fixture_info(fixture, orphan.id).status, INV_CANCELLED);
	broker_unserve(fixture->table);
}

static void *await_news(void *arg)
{
	struct fixture *fixture = arg;
	uint32_t seen = atomic_load(&fixture->table->header->change_counter);

	atomic_store(&fixture->counters[STARTED], 1);
	broker_wait_notification(fixture->table, &seen);
	atomic_store(&fixture->counters[NEWS], 1);
	return NULL;
}

static int cancel_from_elsewhere(struct fixture *fixture, void *id)
{
	return inv_cancel(fixture->table, id, 0, NULL) != 0;
}

static void what_is_asked_of_it_is_news_for_the_broker(void **state)
{
	struct fixture *fixture = *state;
	struct orphan orphan;
	inv_invocation *adopted = NULL;
	pthread_t waiter;

	make_orphan(fixture, &orphan, true);
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	broker_recover(fixture->table, adopt, &adopted);
	assert_non_null(adopted);
	assert_int_equal(pthread_create(&waiter, NULL, await_news, fixture), 0);
	EVENTUALLY(atomic_load(&fixture->counters[STARTED]));
	assert_int_equal(atomic_load(&fixture->counters[NEWS]), 0);
	pid_t canceller = fixture_fork(fixture, cancel_from_elsewhere, orphan.id);
	assert_int_equal(fixture_reap(fixture, canceller), 0);
	EVENTUALLY(atomic_load(&fixture->counters[NEWS]));
	pthread_join(waiter, NULL);
	assert_int_equal(inv_run_end(adopted, &(struct inv_run_result){.wait_known = 0}), 122);
	broker_unserve(fixture->table);
}

static void note_owner(const struct broker_owner *owner, void *arg)
{
	struct broker_owner *found = arg;

	if (owner->pid == found->pid)
		*found = *owner;
}

static void an_owner_is_watched_until_it_is_dead(void **state)
{
	struct fixture *fixture = *state;
	struct orphan orphan = {.started = true};
	inv_invocation *adopted = NULL;

	fixture_id(orphan.id);
	orphan.action = fixture_fork(fixture, be_action, NULL);
	orphan.supervisor = fixture_fork(fixture, supervise, &orphan);
	EVENTUALLY(atomic_load(&fixture->counters[REGISTERED]));
	struct broker_owner owner = {.pid = orphan.supervisor};
	broker_each_owner(fixture->table, note_owner, &owner);
	assert_int_not_equal(owner.index, 0);
	int pidfd = broker_owner_pidfd(fixture->table, &owner);
	assert_true(pidfd >= 0);
	close(pidfd);
	fixture_kill(fixture, orphan.supervisor);
	assert_int_equal(broker_owner_pidfd(fixture->table, &owner), -ESRCH);

	/* Looking at it alone is enough; its entry is free then, and its word another's. */
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	broker_sweep_owners(fixture->table, &owner.index, 1, adopt, &adopted);
	assert_non_null(adopted);
	assert_int_equal(broker_owner_pidfd(fixture->table, &owner), -ESRCH);
	assert_int_equal(inv_run_end(adopted, &(struct inv_run_result){.wait_known = 0}), 125);
	broker_unserve(fixture->table);
}

static void an_owner_of_another_namespace_is_not_watched(void **state)
{
	struct fixture *fixture = *state;
	struct orphan orphan = {.started = true};

	fixture_id(orphan.id);
	orphan.action = fixture_fork(fixture, be_action, NULL);
	orphan.supervisor = fixture_fork(fixture, supervise, &orphan);
	EVENTUALLY(atomic_load(&fixture->counters[REGISTERED]));
	struct broker_owner owner = {.pid = orphan.supervisor};
	broker_each_owner(fixture->table, note_owner, &owner);
	assert_int_not_equal(owner.index, 0);
	atomic_fetch_add(&fixture->table->owners[owner.index].namespace, 1);
	assert_int_equal(broker_owner_pidfd(fixture->table, &owner), -EXDEV);
	struct broker_owner same_pid = {.pid = orphan.supervisor};
	broker_each_owner(fixture->table, note_owner, &same_pid);
	assert_int_equal(same_pid.index, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(without_a_broker_it_stays_and_can_be_cancelled),
	        TABLE_TEST(one_whose_supervisor_left_is_one_too),
	        TABLE_TEST(with_its_action_gone_too_it_is_lost_at_the_next_look),
	        TABLE_TEST(a_broker_takes_it_over_as_it_was),
	        TABLE_TEST(what_is_asked_of_it_is_news_for_the_broker),
	        TABLE_TEST(an_owner_is_watched_until_it_is_dead),
	        TABLE_TEST(an_owner_of_another_namespace_is_not_watched),
	};

	return cmocka_run_group_tests_name("orphan", tests, NULL, NULL);
}
