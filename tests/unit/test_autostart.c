/*
 * With a real broker: started by whoever needs one, exactly one; killed, it is replaced
 * by one that adopts the live table.
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STARTERS = 10, READY = 0, GO };

static void without_permission_none_is_started(void **state)
{
	struct fixture *fixture = *state;
	inv_table *table;

	fixture_use_built_broker();
	setenv("INVCTL_AUTOSTART", "0", 1);
	assert_int_equal(inv_open(&table, fixture->name, INV_OPEN_AUTOSTART), -ENOENT);
	assert_int_equal(inv_open(&table, fixture->name, 0), -ENOENT);
}

static void whoever_registers_first_starts_it(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info info;
	uint8_t id[16];
	inv_event *event;

	fixture_use_built_broker();
	fixture_id(id);
	assert_int_equal(inv_event_find(NULL, id, &event), -ENOENT);
	assert_int_equal(inv_event_create(NULL, id, &event), 0);
	assert_int_equal(inv_open(&fixture->table, fixture->name, 0), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &info), 0);
	assert_int_equal(info.serving, 1);
	assert_int_equal(info.capacity, 16384);
	assert_string_equal(info.broker_version, inv_version());
	assert_true(info.broker_since_ns > 0);
	inv_event_put(event);
}

static int start_at_once(struct fixture *fixture, void *arg)
{
	inv_table *table;

	(void)arg;
	atomic_fetch_add(&fixture->counters[READY], 1);
	AWAIT(atomic_load(&fixture->counters[GO]));
	int error = inv_open(&table, fixture->name, INV_OPEN_AUTOSTART);
	return error ? -error : 0;
}

static int count_brokers(const char *name)
{
	char command[256];
	int count = 0;

	snprintf(command, sizeof(command),
	         "grep -lzFx -e --table=%s /proc/[0-9]*/cmdline 2>/dev/null", name);
	FILE *found = popen(command, "re");
	assert_non_null(found);
	for (int c = 0; (c = fgetc(found)) != EOF;)
		count += c == '\n';
	pclose(found);
	return count;
}

static void of_ten_starters_one_broker_stays(void **state)
{
	struct fixture *fixture = *state;
	pid_t starters[STARTERS];

	fixture_use_built_broker();
	for (int i = 0; i < STARTERS; i++)
		starters[i] = fixture_fork(fixture, start_at_once, NULL);
	EVENTUALLY(atomic_load(&fixture->counters[READY]) == STARTERS);
	atomic_store(&fixture->counters[GO], 1);
	for (int i = 0; i < STARTERS; i++)
		assert_int_equal(fixture_reap(fixture, starters[i]), 0);
	assert_int_equal(inv_open(&fixture->table, fixture->name, 0), 0);
	pid_t broker = fixture_broker(fixture->table);
	assert_true(broker > 0);
	/* Reap those that found another serving: they have ended, or will. */
	EVENTUALLY((waitpid(-1, NULL, WNOHANG), count_brokers(fixture->name) == 1));
	assert_int_equal(fixture_broker(fixture->table), broker);
}

static void it_keeps_none_of_the_starters_descriptors(void **state)
{
	struct fixture *fixture = *state;
	struct pollfd one = {.events = POLLIN};
	int ends[2];

	fixture_use_built_broker();
	assert_int_equal(pipe(ends), 0); /* on purpose without O_CLOEXEC */
	assert_int_equal(inv_open(&fixture->table, fixture->name, INV_OPEN_AUTOSTART), 0);
	assert_true(fixture_broker(fixture->table) > 0);
	close(ends[1]);
	one.fd = ends[0];
	assert_int_equal(poll(&one, 1, 0), 1);
	assert_true(one.revents & POLLHUP);
	close(ends[0]);
}

static void a_killed_broker_is_replaced_by_one_that_adopts(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info former, info;
	uint8_t id[16], fresh[16];
	inv_event *event, *other;

	fixture_use_built_broker();
	fixture_id(id);
	fixture_id(fresh);
	assert_int_equal(inv_open(&fixture->table, fixture->name, INV_OPEN_AUTOSTART), 0);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &former), 0);
	fixture_end_broker(fixture->table, SIGKILL);
	assert_int_equal(fixture_broker(fixture->table), 0);
	/* Everything goes on without it. */
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_event_check(event), -ECANCELED);

	inv_table *again;
	assert_int_equal(inv_open(&again, fixture->name, INV_OPEN_AUTOSTART), 0);
	EVENTUALLY(fixture_broker(fixture->table) != 0);
	assert_int_equal(inv_table_info_get(again, &info), 0);
	assert_int_equal(info.epoch, former.epoch);
	assert_int_not_equal(info.broker_pid, former.broker_pid);
	assert_int_equal(inv_event_create(again, fresh, &other), 0);
	assert_int_equal(inv_event_is_set(event), 0);
	inv_event_put(other);
	inv_event_put(event);
	inv_close(again);
}

static void newcomers_get_a_table_without_a_name_from_the_broker(void **state)
{
	struct fixture *fixture = *state;
	struct inv_table_info former, info;
	uint8_t id[16];
	char path[128];
	inv_event *event, *seen;
	inv_table *newcomer;

	fixture_use_built_broker();
	fixture_id(id);
	assert_int_equal(inv_open(&fixture->table, fixture->name, INV_OPEN_AUTOSTART), 0);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_table_info_get(fixture->table, &former), 0);
	fixture_path(fixture, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(inv_open(&newcomer, fixture->name, 0), 0);
	assert_int_equal(inv_table_info_get(newcomer, &info), 0);
	assert_int_equal(info.epoch, former.epoch);
	assert_int_equal(inv_event_find(newcomer, id, &seen), 0);
	assert_int_equal(inv_event_set(seen, NULL), 0);
	assert_int_equal(inv_event_check(event), -ECANCELED);
	inv_event_put(seen);
	inv_close(newcomer);
	inv_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        BROKER_TEST(without_permission_none_is_started),
	        BROKER_TEST(whoever_registers_first_starts_it),
	        BROKER_TEST(of_ten_starters_one_broker_stays),
	        BROKER_TEST(it_keeps_none_of_the_starters_descriptors),
	        BROKER_TEST(a_killed_broker_is_replaced_by_one_that_adopts),
	        BROKER_TEST(newcomers_get_a_table_without_a_name_from_the_broker),
	};

	return cmocka_run_group_tests_name("autostart", tests, NULL, NULL);
}
