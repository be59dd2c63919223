/*
 * The handle and the flag of a cancel event: one event an id, sticky, delivered once.
 * (The table of calls in the header; "One request is delivered exactly once";
 * "the last put frees the id and leaves no record".)
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "invctl-supervisor.h"

static void create_registers_the_id_as_pending(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], of_event[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	inv_event_id(event, of_event);
	assert_memory_equal(of_event, id, 16);
	assert_int_equal(inv_event_is_set(event), 0);

	struct inv_info info = fixture_info(fixture, id);
	assert_memory_equal(info.id, id, 16);
	assert_int_equal(info.kind, INV_KIND_EVENT);
	assert_int_equal(info.status, INV_PENDING);
	assert_int_equal(info.owner_pid, getpid());
	assert_int_equal(info.cancel.state, INV_CANCEL_NONE);
	inv_event_put(event);
}

static int create_again(struct fixture *fixture, void *id)
{
	inv_event *event;

	return inv_event_create(fixture->table, id, &event) == -EEXIST ? 0 : 1;
}

static void create_of_a_registered_id_is_refused_everywhere(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event, *second;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_create(fixture->table, id, &second), -EEXIST);
	assert_null(second);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, create_again, id)), 0);
	inv_event_put(event);
}

static void the_nil_id_is_no_id(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t nil[16];
	inv_event *event;

	assert_int_equal(inv_event_create(fixture->table, nil, &event), -EINVAL);
	assert_int_equal(inv_event_get(fixture->table, nil, &event), -EINVAL);
	assert_int_equal(inv_event_find(fixture->table, nil, &event), -ENOENT);
}

static void get_gives_the_event_there_is_or_a_new_one(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *made, *same;

	fixture_id(id);
	assert_int_equal(inv_event_get(fixture->table, id, &made), 0);
	assert_int_equal(inv_event_get(fixture->table, id, &same), 0);
	assert_int_equal(fixture_live(fixture), 1);
	assert_int_equal(inv_event_set(made, NULL), 0);
	assert_int_equal(inv_event_is_set(same), 1);
	inv_event_put(made);
	inv_event_put(same);
	assert_int_equal(fixture_live(fixture), 0);
}

static void get_without_an_id_needs_a_context(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16], of_event[16];
	inv_event *event;
	inv_context *context;

	assert_int_equal(inv_event_get(fixture->table, NULL, &event), -ENXIO);
	assert_null(event);
	fixture_id(id);
	assert_int_equal(inv_context_enter(fixture->table, id, &context), 0);
	assert_int_equal(inv_event_get(fixture->table, NULL, &event), 0);
	inv_event_id(event, of_event);
	assert_memory_equal(of_event, id, 16);
	inv_event_put(event);
	assert_int_equal(inv_context_leave(context), 0);
}

static void find_never_makes_one(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event, *found;

	fixture_id(id);
	assert_int_equal(inv_event_find(fixture->table, id, &found), -ENOENT);
	assert_null(found);
	assert_int_equal(fixture_live(fixture), 0);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_find(fixture->table, id, &found), 0);
	inv_event_put(found);
	inv_event_put(event);
}

static void a_null_table_is_the_default_one(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event, *found;

	fixture_id(id);
	assert_int_equal(inv_event_create(NULL, id, &event), 0);
	assert_int_equal(inv_event_find(fixture->table, id, &found), 0);
	assert_string_equal(inv_table_name(NULL), fixture->name);
	inv_event_put(found);
	inv_event_put(event);
}

static void the_last_put_frees_the_id_without_a_record(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event, *second;
	struct inv_info info;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_get(fixture->table, id, &second), 0);
	inv_event_put(event);
	assert_int_equal(inv_info_get(fixture->table, id, &info), 0);
	inv_event_put(second);
	assert_int_equal(inv_info_get(fixture->table, id, &info), -ENOENT);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	inv_event_put(event);
	inv_event_put(NULL);
}

static void a_set_stays_until_it_is_consumed(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_check(event), 0);
	for (int request = 0; request < 3; request++) {
		assert_int_equal(inv_event_set(event, NULL), 0);
		assert_int_equal(inv_event_is_set(event), 1);
		assert_int_equal(inv_event_is_set(event), 1);
		assert_int_equal(inv_event_wait(event, 0), 1);
		assert_int_equal(inv_event_wait(event, INV_FOREVER), 1);
		assert_int_equal(inv_event_check(event), -ECANCELED);
		assert_int_equal(inv_event_check(event), 0);
		assert_int_equal(inv_event_is_set(event), 0);
	}
	inv_event_put(event);
}

static void a_sleep_consumes_too(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_sleep(event, MILLISECOND), 0);
	assert_int_equal(inv_event_sleep(event, 0), 0);
	assert_int_equal(inv_event_sleep(event, -2), -EINVAL);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_event_sleep(event, INV_FOREVER), -ECANCELED);
	assert_int_equal(inv_event_sleep(event, MILLISECOND), 0);
	assert_int_equal(inv_event_set(event, NULL), 0);
	assert_int_equal(inv_event_sleep(event, 0), -ECANCELED);
	inv_event_put(event);
}

static void a_second_set_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_set(event, "first"), 0);
	assert_int_equal(inv_event_set(event, "second"), 0);
	struct inv_info info = fixture_info(fixture, id);
	assert_string_equal(info.cancel.reason, "first");
	assert_int_equal(info.cancel.state, INV_CANCEL_REQUESTED);
	assert_int_equal(info.cancel.cause, INV_CAUSE_REQUESTED);
	assert_int_equal(info.cancel.pid, getpid());
	assert_int_equal(info.cancel.uid, geteuid());

	assert_int_equal(inv_event_check(event), -ECANCELED);
	assert_int_equal(inv_event_check(event), 0);
	assert_int_equal(fixture_info(fixture, id).cancel.state, INV_CANCEL_DELIVERED);
	inv_event_put(event);
}

/* Contract 3: "What is recorded of a delivered request is not replaced by a later one that is not
 * delivered." */
static void a_later_request_has_a_record_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct inv_info info;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_set(event, "withdrawn"), 0);
	assert_int_equal(inv_event_clear(event), 0);
	assert_int_equal(inv_event_set(event, "stops it"), 0);
	assert_int_equal(fixture_info(fixture, id).later.state, INV_CANCEL_NONE);
	assert_int_equal(inv_event_check(event), -ECANCELED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(inv_event_set(event, "later"), 0);
		info = fixture_info(fixture, id);
		assert_string_equal(info.cancel.reason, "stops it");
		assert_int_equal(info.cancel.state, INV_CANCEL_DELIVERED);
		assert_string_equal(info.later.reason, "later");
		assert_int_equal(info.later.state, INV_CANCEL_REQUESTED);
		assert_int_equal(inv_event_clear(event), 0);
		info = fixture_info(fixture, id);
		assert_string_equal(info.cancel.reason, "stops it");
		assert_int_equal(info.later.state, INV_CANCEL_NONE);
	}
	assert_int_equal(inv_event_set(event, "delivered too"), 0);
	assert_int_equal(inv_event_check(event), -ECANCELED);
	assert_string_equal(fixture_info(fixture, id).cancel.reason, "delivered too");
	inv_event_put(event);
}

static void the_actor_is_recorded_with_its_origin(void **state)
{
	struct fixture *fixture = *state;
	struct inv_actor script = {.terminal = "pts/3", .script = "alarm.sh"};
	struct inv_actor client = {.command = "ada",
	                           .address = "2001:db8:85a3:8d3:1319:8a2e:370:7348"};
	struct inv_actor longest = {.terminal = "a-terminal-whose-name-is-long",
	                            .script = "a-script-whose-name-is-longer-than-the-field.sh"};
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	inv_actor_set(&script);
	assert_int_equal(inv_event_set(event, NULL), 0);
	struct inv_request request = fixture_info(fixture, id).cancel;
	assert_string_equal(request.terminal, "pts/3");
	assert_string_equal(request.script, "alarm.sh");
	assert_string_equal(request.address, "");
	assert_int_equal(inv_event_clear(event), 0);
	inv_actor_set(&client);
	assert_int_equal(inv_event_set(event, NULL), 0);
	request = fixture_info(fixture, id).cancel;
	assert_string_equal(request.command, "ada");
	assert_string_equal(request.address, client.address);
	assert_string_equal(request.terminal, "");
	assert_string_equal(request.script, "");
	assert_int_equal(inv_event_clear(event), 0);
	inv_actor_set(&longest);
	assert_int_equal(inv_event_set(event, NULL), 0);
	request = fixture_info(fixture, id).cancel;
	assert_string_equal(request.terminal, "a-terminal-whos");
	assert_string_equal(request.script, "a-script-whose-name-is-");
	inv_actor_set(&(struct inv_actor){0});
	inv_event_put(event);
}

static void a_clear_withdraws_the_request(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_clear(event), 0);
	assert_int_equal(inv_event_set(event, "mistaken"), 0);
	assert_int_equal(inv_event_clear(event), 0);
	assert_int_equal(inv_event_is_set(event), 0);
	assert_int_equal(inv_event_check(event), 0);
	assert_int_equal(fixture_info(fixture, id).cancel.state, INV_CANCEL_NONE);
	inv_event_put(event);
}

static void a_long_reason_ends_at_a_whole_character(void **state)
{
	struct fixture *fixture = *state;
	char reason[2 * INV_REASON_BYTES + 1] = "x";
	uint8_t id[16];
	inv_event *event;

	for (size_t i = 1; i < sizeof(reason) - 1; i++)
		reason[i] = i % 2 ? '\xc3' : '\xa9'; /* a two-byte character */
	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(inv_event_set(event, reason), 0);
	struct inv_info info = fixture_info(fixture, id);
	size_t length = strlen(info.cancel.reason);
	assert_in_range(length, INV_REASON_BYTES - 2, INV_REASON_BYTES - 1);
	assert_memory_equal(info.cancel.reason, reason, length);
	assert_int_equal((unsigned char)info.cancel.reason[length - 1], 0xa9);
	inv_event_put(event);
}

static int find_and_set(struct fixture *fixture, void *id)
{
	inv_table *own;
	inv_event *event;
	int error = inv_open(&own, fixture->name, 0);

	if (!error)
		error = inv_event_find(own, id, &event);
	return error || inv_event_set(event, "from afar") != 0;
}

static void another_process_sets_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	pid_t child = fixture_fork(fixture, find_and_set, id);
	assert_int_equal(fixture_reap(fixture, child), 0);
	struct inv_info info = fixture_info(fixture, id);
	assert_int_equal(info.cancel.pid, child);
	assert_string_equal(info.cancel.reason, "from afar");
	assert_int_equal(inv_event_check(event), -ECANCELED);
	assert_int_equal(inv_event_check(event), 0);
	inv_event_put(event);
}

static void a_look_makes_it_cooperative(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	assert_int_equal(inv_event_create(fixture->table, id, &event), 0);
	assert_int_equal(fixture_info(fixture, id).cooperative, 0);
	assert_int_equal(fixture_info(fixture, id).last_check_ns, 0);
	assert_int_equal(inv_event_is_set(event), 0);
	assert_int_equal(fixture_info(fixture, id).cooperative, 1);
	assert_true(fixture_info(fixture, id).last_check_ns > 0);
	inv_event_put(event);
}

/* Not even by what two clocks differ. */
static void the_last_check_of_an_ended_one_stands_still(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *invocation;

	fixture_id(id);
	assert_int_equal(inv_invocation_begin(fixture->table, id, NULL, &invocation), 0);
	assert_int_equal(inv_check(), 0);
	assert_int_equal(inv_invocation_end(invocation, INV_COMPLETED), 0);
	int64_t checked_ns = fixture_info(fixture, id).last_check_ns;
	assert_true(checked_ns > 0);
	for (int i = 0; i < 1000; i++)
		assert_true(fixture_info(fixture, id).last_check_ns == checked_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(create_registers_the_id_as_pending),
	        TABLE_TEST(create_of_a_registered_id_is_refused_everywhere),
	        TABLE_TEST(the_nil_id_is_no_id),
	        TABLE_TEST(get_gives_the_event_there_is_or_a_new_one),
	        TABLE_TEST(get_without_an_id_needs_a_context),
	        TABLE_TEST(find_never_makes_one),
	        TABLE_TEST(a_null_table_is_the_default_one),
	        TABLE_TEST(the_last_put_frees_the_id_without_a_record),
	        TABLE_TEST(a_set_stays_until_it_is_consumed),
	        TABLE_TEST(a_sleep_consumes_too),
	        TABLE_TEST(a_second_set_changes_nothing),
	        TABLE_TEST(a_later_request_has_a_record_of_its_own),
	        TABLE_TEST(the_actor_is_recorded_with_its_origin),
	        TABLE_TEST(a_clear_withdraws_the_request),
	        TABLE_TEST(a_long_reason_ends_at_a_whole_character),
	        TABLE_TEST(another_process_sets_it),
	        TABLE_TEST(a_look_makes_it_cooperative),
	        TABLE_TEST(the_last_check_of_an_ended_one_stands_still),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
