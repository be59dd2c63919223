/*
 * A table that is truncated, unlinked or abandoned under its users: an error, no SIGBUS
 * where the guard was asked for, and nobody waits for ever.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/broker.h"

enum { TOUCHED = 42 };

static int ignore_row(const struct inv_info *info, void *arg)
{
	(void)info;
	(void)arg;
	return 0;
}

static void *wait_main(void *event)
{
	return (void *)(intptr_t)inv_event_wait(event, INV_FOREVER);
}

/* Returns the number of the first expectation that does not hold. */
static int use_truncated(struct fixture *fixture, void *arg)
{
	off_t size = *(const off_t *)arg;
	uint8_t id[16] = {1}, fresh[16] = {2};
	struct inv_info info;
	struct inv_table_info table_info;
	char path[128];
	inv_table *table;
	inv_event *event, *other;
	pthread_t waiter;
	void *result = NULL;

	if (inv_open(&table, fixture->name, INV_OPEN_GUARD) != 0 ||
	    inv_event_create(table, id, &event) != 0 || inv_event_check(event) != 0 ||
	    pthread_create(&waiter, NULL, wait_main, event) != 0)
		return 1;
	fixture_path(fixture, path);
	if (truncate(path, size) != 0)
		return 2;
	/* the event words lie behind the first two pages */
	if (inv_event_check(event) != -ESTALE || inv_event_is_set(event) != -ESTALE)
		return 3;
	if (inv_event_set(event, "x") != -ESTALE || inv_event_clear(event) != -ESTALE)
		return 4;
	if (inv_event_wait(event, INV_FOREVER) != -ESTALE ||
	    inv_event_sleep(event, INV_FOREVER) != -ESTALE)
		return 5;
	if (pthread_join(waiter, &result) != 0 || (int)(intptr_t)result != -ESTALE)
		return 6;
	if (inv_event_find(table, fresh, &other) >= 0 || inv_info_get(table, fresh, &info) >= 0 ||
	    inv_cancel(table, fresh, 0, NULL) >= 0)
		return 7;
	if (inv_list(table, ignore_row, NULL) != 0 || inv_table_info_get(table, &table_info) != 0)
		return 8;
	if (inv_event_create(table, fresh, &other) == 0)
		inv_event_put(other);
	inv_event_put(event);
	inv_close(table);
	return 0;
}

/* The table is made by a child, so that the test itself never had the guard. */
static int make_table(struct fixture *fixture, void *arg)
{
	(void)arg;
	return fixture_make_table(fixture, 1000) != 0;
}

static void with_the_guard_a_truncated_table_is_stale(void **state)
{
	struct fixture *fixture = *state;
	static off_t sizes[] = {0, 1, 4096, 8192, 8193};
	char path[128];

	fixture_path(fixture, path);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, make_table, NULL)), 0);
		assert_int_equal(
		        fixture_reap(fixture, fixture_fork(fixture, use_truncated, &sizes[i])), 0);
		assert_int_equal(unlink(path), 0);
	}
}

static void on_sigbus(int signum)
{
	(void)signum;
	_exit(TOUCHED);
}

/* A SIGBUS that has nothing to do with the table. */
static int touch_truncated(struct fixture *fixture, void *arg)
{
	char path[128];
	inv_table *table;

	(void)arg;
	if (inv_open(&table, fixture->name, INV_OPEN_GUARD) != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/own", fixture->state_directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return 2;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED || ftruncate(fd, 0) != 0)
		return 3;
	*page = 1;
	return 4;
}

static int touch_own_truncated_file(struct fixture *fixture, void *arg)
{
	signal(SIGBUS, arg ? on_sigbus : SIG_DFL);
	return touch_truncated(fixture, arg);
}

static void on_sigbus_told(int signum, siginfo_t *info, void *context)
{
	(void)signum;
	(void)context;
	_exit(info->si_code == BUS_ADRERR && info->si_addr ? TOUCHED : 1);
}

/* One that asks for the address gets it. */
static int touch_with_siginfo(struct fixture *fixture, void *arg)
{
	struct sigaction action = {.sa_sigaction = on_sigbus_told, .sa_flags = SA_SIGINFO};

	sigaction(SIGBUS, &action, NULL);
	return touch_truncated(fixture, arg);
}

/* A SIGBUS that somebody sent is no access to any table. */
static int send_sigbus(struct fixture *fixture, void *arg)
{
	inv_table *table;

	signal(SIGBUS, arg ? on_sigbus : SIG_DFL);
	if (inv_open(&table, fixture->name, INV_OPEN_GUARD) != 0)
		return 1;
	raise(SIGBUS);
	return 2;
}

static void a_sigbus_elsewhere_is_the_programs(void **state)
{
	struct fixture *fixture = *state;
	int with_handler = 1;

	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, make_table, NULL)), 0);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, touch_own_truncated_file,
	                                                    &with_handler)),
	                 TOUCHED);
	assert_int_equal(
	        fixture_reap(fixture, fixture_fork(fixture, touch_own_truncated_file, NULL)),
	        256 + SIGBUS);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, touch_with_siginfo, NULL)),
	                 TOUCHED);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, send_sigbus, &with_handler)),
	                 TOUCHED);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, send_sigbus, NULL)),
	                 256 + SIGBUS);
}

static int open_without_guard(struct fixture *fixture, void *arg)
{
	struct sigaction action;
	inv_table *table;

	(void)arg;
	signal(SIGBUS, SIG_DFL);
	if (inv_open(&table, fixture->name, 0) != 0)
		return 1;
	sigaction(SIGBUS, NULL, &action);
	return action.sa_handler == SIG_DFL ? 0 : 2;
}

static void *open_and_close(void *arg)
{
	struct fixture *fixture = arg;
	inv_table *table;

	while (!atomic_load(&fixture->counters[0]))
		if (inv_open(&table, fixture->name, INV_OPEN_GUARD) == 0)
			inv_close(table);
	return NULL;
}

static int open_with_guard(struct fixture *fixture, void *arg)
{
	inv_table *table;

	(void)arg;
	if (inv_open(&table, fixture->name, INV_OPEN_GUARD) != 0)
		return 1;
	inv_close(table);
	return 0;
}

/* Another thread may have the guard's lock in the moment of a fork. */
static void a_forked_child_opens_with_the_guard(void **state)
{
	struct fixture *fixture = *state;
	enum { THREADS = 4 };
	pthread_t threads[THREADS];

	assert_int_equal(fixture_make_table(fixture, SMALL_TABLE), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, fixture), 0);
	for (int i = 0; i < CHILDREN_MAX; i++)
		assert_int_equal(
		        fixture_reap(fixture, fixture_fork(fixture, open_with_guard, NULL)), 0);
	atomic_store(&fixture->counters[0], 1);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void without_asking_there_is_no_handler(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, make_table, NULL)), 0);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, open_without_guard, NULL)), 0);
}

enum { ATTACHED, UNLINKED };

/* Uses the table whose name is gone; returns the first expectation that does not hold. */
static int use_unlinked(struct fixture *fixture, void *arg)
{
	uint8_t id[16] = {1}, fresh[16] = {2};
	inv_table *table;
	inv_event *event, *other;

	(void)arg;
	if (inv_open(&table, fixture->name, 0) != 0 || inv_event_create(table, id, &event) != 0)
		return 1;
	atomic_store(&fixture->counters[ATTACHED], 1);
	AWAIT(atomic_load(&fixture->counters[UNLINKED]));
	if (inv_event_check(event) != 0 || inv_event_set(event, NULL) != 0 ||
	    inv_event_check(event) != -ECANCELED)
		return 2;
	/* What is registered now no request could find. It is known for 50 ms that the name is
	 * there. */
	int error;
	AWAIT((error = inv_event_create(table, fresh, &other)) == -ESTALE ||
	      (error == 0 && (inv_event_put(other), false)));
	if (error != -ESTALE)
		return 3;
	/* Nobody can reach it any more: a wait for ever would be one. */
	if (inv_event_wait(event, INV_FOREVER) != -ESTALE)
		return 4;
	if (inv_event_sleep(event, INV_FOREVER) != -ESTALE)
		return 5;
	return 0;
}

static void an_abandoned_table_works_but_nobody_waits_for_ever(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, make_table, NULL)), 0);
	pid_t user = fixture_fork(fixture, use_unlinked, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[ATTACHED]));
	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	atomic_store(&fixture->counters[UNLINKED], 1);
	assert_int_equal(fixture_reap(fixture, user), 0);
}

static void a_served_table_without_a_name_goes_on(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[128];
	inv_event *event;
	struct inv_table_info info;

	assert_int_equal(fixture_make_table(fixture, 10), 0);
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	/* longer than a slice */
	assert_int_equal(inv_event_wait(event, 600 * MILLISECOND), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.unlinked, 1);
	assert_int_equal(info.broker_pid, getpid());
	inv_event_put(event);
	broker_unserve(fixture->table);
}

static void the_default_table_is_attached_anew_after_that(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	char path[128];
	struct inv_table_info former, info;
	inv_event *event;

	assert_int_equal(fixture_make_table(fixture, 10), 0);
	assert_int_equal(inv_table_info_get(NULL, &former), 0);
	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	inv_close(fixture->table);
	assert_int_equal(fixture_make_table(fixture, 20), 0);
	EVENTUALLY(inv_table_info_get(NULL, &info) == 0 && info.epoch != former.epoch);
	assert_int_equal(info.capacity, 20);
	fixture_id(id);
	assert_int_equal(inv_event_create(NULL, id, &event), 0);
	assert_int_equal(fixture_info(fixture, id).owner_pid, getpid());
	inv_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        NO_TABLE_TEST(with_the_guard_a_truncated_table_is_stale),
	        NO_TABLE_TEST(a_sigbus_elsewhere_is_the_programs),
	        NO_TABLE_TEST(without_asking_there_is_no_handler),
	        NO_TABLE_TEST(a_forked_child_opens_with_the_guard),
	        NO_TABLE_TEST(an_abandoned_table_works_but_nobody_waits_for_ever),
	        NO_TABLE_TEST(a_served_table_without_a_name_goes_on),
	        NO_TABLE_TEST(the_default_table_is_attached_anew_after_that),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
