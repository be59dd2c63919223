/*
 * Without memory: whichever allocation of a call fails, the call says -ENOMEM (a thread that
 * can't be had: -EAGAIN), nothing of it is left in the table, and with memory it works.
 *
 * The linker puts the functions below in the place of the library's malloc, calloc,
 * realloc and pthread_create.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/broker.h"
#include "fixture.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg);

enum { NEVER = 1000 };

/* How many more allocations of this thread go well before one fails; then all do again. */
static _Thread_local int left = NEVER;
static _Thread_local bool threads_fail;

static bool fails(void)
{
	if (left == NEVER)
		return false;
	if (left-- > 0)
		return false;
	left = NEVER;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return fails() ? NULL : __real_realloc(block, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg)
{
	return threads_fail ? EAGAIN : __real_pthread_create(thread, attributes, run, arg);
}

/* Calls that make something: each undoes what it has made. */
static int create_event(struct fixture *fixture)
{
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	int error = inv_event_create(fixture->table, id, &event);
	if (error)
		assert_null(event);
	else
		inv_event_put(event);
	return error;
}

static int enter_context(struct fixture *fixture)
{
	inv_context *context;
	uint8_t id[16];
	int error = inv_context_enter(fixture->table, NULL, &context);

	if (error) {
		assert_null(context);
		assert_int_equal(inv_current_id(id), -ENXIO);
		return error;
	}
	return inv_context_leave(context);
}

static int begin_invocation(struct fixture *fixture)
{
	inv_invocation *invocation;
	uint8_t id[16];
	int error = inv_invocation_begin(fixture->table, NULL, NULL, &invocation);

	if (error) {
		assert_null(invocation);
		assert_int_equal(inv_current_id(id), -ENXIO);
		return error;
	}
	return inv_invocation_end(invocation, INV_COMPLETED);
}

static int register_run(struct fixture *fixture)
{
	struct inv_run_options options = {.name = "run", .deadline_ns = INV_FOREVER};
	inv_invocation *invocation;
	int error = inv_run_register(fixture->table, &options, &invocation);

	if (error)
		assert_null(invocation);
	else
		inv_run_end(invocation, &(struct inv_run_result){.wait_known = 1});
	return error;
}

static int do_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int start_thread(struct fixture *fixture)
{
	inv_thread *thread;
	int error = inv_thread_start(&thread, fixture->table, do_nothing, NULL);

	if (error)
		assert_null(thread);
	return error ? error : inv_thread_join(thread, NULL);
}

static int open_table(struct fixture *fixture)
{
	inv_table *table;
	int error = inv_open(&table, fixture->name, 0);

	if (error)
		assert_null(table);
	inv_close(table);
	return error;
}

static int poll_event(struct fixture *fixture)
{
	uint8_t id[16];
	inv_event *event;

	fixture_id(id);
	int error = inv_event_create(fixture->table, id, &event);
	if (error)
		return error;
	int fd = inv_event_fd(event);
	if (fd >= 0)
		close(fd);
	inv_event_put(event);
	return fd < 0 ? fd : 0;
}

static int (*const calls[])(struct fixture *) = {
        create_event, enter_context, begin_invocation, register_run,
        start_thread, open_table,    poll_event,
};

static void whichever_allocation_fails_nothing_is_left(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];

	/* what is allocated once for all: this thread's stock of ids */
	fixture_id(id);
	for (size_t call = 0; call < sizeof(calls) / sizeof(calls[0]); call++) {
		int error = -ENOMEM, going_well = 0;
		for (; error != 0; going_well++) {
			left = going_well;
			error = calls[call](fixture);
			if (left == NEVER)
				assert_int_equal(error, -ENOMEM);
			left = NEVER;
			assert_int_equal(fixture_live(fixture), 0);
		}
		/* At least one failed. */
		assert_in_range(going_well, 2, 20);
		assert_int_equal(calls[call](fixture), 0);
	}
}

static void without_a_thread_nothing_is_left(void **state)
{
	struct fixture *fixture = *state;

	threads_fail = true;
	assert_int_equal(start_thread(fixture), -EAGAIN);
	assert_int_equal(poll_event(fixture), -EAGAIN);
	threads_fail = false;
	assert_int_equal(fixture_live(fixture), 0);
	assert_int_equal(start_thread(fixture), 0);
	assert_int_equal(poll_event(fixture), 0);
}

/* A new thread has no stock of ids yet, and draws them one by one. */
static void *draw_without_memory(void *arg)
{
	uint8_t(*ids)[16] = arg;

	for (int i = 0; i < 2; i++) {
		left = 0;
		fixture_id(ids[i]);
	}
	return NULL;
}

static void ids_need_no_memory(void **state)
{
	uint8_t ids[2][16] = {{0}};
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, draw_without_memory, ids), 0);
	pthread_join(thread, NULL);
	assert_memory_not_equal(ids[0], ids[1], 16);
	assert_int_equal(ids[0][6] >> 4, 4);
}

/* Begins what INVCTL_ID names, as a parent of this process would have. */
static inv_invocation *begin_parent(struct fixture *fixture, uint8_t id[16])
{
	inv_invocation *parent;

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, "parent", &parent), 0);
	inv_invocation_id(parent, id);
	return parent;
}

static void *check_without_memory(void *arg)
{
	int *results = arg;

	/* This thread has entered no context: the environment's is found. */
	for (int i = 0; i < 2; i++) {
		left = i;
		results[i] = inv_check();
		left = NEVER;
	}
	results[2] = inv_check();
	return NULL;
}

/* "An action never becomes uncancellable in silence." */
static void a_check_of_the_environments_context_says_so(void **state)
{
	struct fixture *fixture = *state;
	int results[3] = {0, 0, 0};
	uint8_t id[16];
	pthread_t thread;
	inv_invocation *parent = begin_parent(fixture, id);

	fixture_environment(id);
	assert_int_equal(inv_cancel(NULL, id, 0, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, check_without_memory, results), 0);
	pthread_join(thread, NULL);
	assert_int_equal(results[0], -ENOMEM);
	assert_int_equal(results[1], -ENOMEM);
	assert_int_equal(results[2], -ECANCELED);
	inv_invocation_end(parent, INV_COMPLETED);
}

static void a_cancel_that_is_not_passed_on_says_so(void **state)
{
	struct fixture *fixture = *state;
	uint8_t parent_id[16], id[16];
	inv_invocation *nested;
	inv_invocation *parent = begin_parent(fixture, parent_id);

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &nested), 0);
	inv_invocation_id(nested, id);
	left = 0;
	assert_int_equal(inv_cancel(fixture->table, parent_id, 0, NULL), -ENOMEM);
	left = NEVER;
	assert_int_equal(inv_event_is_set(inv_invocation_event(parent)), 1);
	assert_int_equal(inv_event_is_set(inv_invocation_event(nested)), 0);
	/* Asked once more, it is passed on. */
	assert_int_equal(inv_cancel(fixture->table, parent_id, 0, NULL), 0);
	assert_int_equal(inv_event_is_set(inv_invocation_event(nested)), 1);
	inv_invocation_end(nested, INV_COMPLETED);
	inv_invocation_end(parent, INV_COMPLETED);
}

static void the_default_table_is_found_without_a_note_of_it(void **state)
{
	uint8_t id[16];
	inv_event *event;

	(void)state;
	fixture_id(id);
	left = 1; /* it is attached; that it was found is not noted */
	assert_int_equal(inv_event_find(NULL, id, &event), -ENOENT);
	assert_int_equal(left, NEVER);
	assert_int_equal(inv_event_create(NULL, id, &event), 0);
	inv_event_put(event);
}

static void count_forgotten(const uint8_t id[16], void *arg)
{
	(void)id;
	++*(int *)arg;
}

static void a_parent_is_not_retired_where_its_children_are_not_known(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	int forgotten = 0;
	inv_invocation *nested;
	inv_invocation *parent = begin_parent(fixture, id);

	assert_int_equal(inv_invocation_begin(fixture->table, NULL, NULL, &nested), 0);
	assert_int_equal(inv_invocation_end(parent, INV_COMPLETED), 0);
	left = 0;
	assert_true(fixture_retire(fixture, 0, count_forgotten, &forgotten) > 0);
	left = NEVER;
	assert_int_equal(forgotten, 0);
	assert_int_equal(fixture_info(fixture, id).status, INV_COMPLETED);
	inv_invocation_end(nested, INV_COMPLETED);
}

static int leave_a_run(struct fixture *fixture, void *id)
{
	struct inv_run_options options = {.id = id, .name = "run", .deadline_ns = INV_FOREVER};
	inv_invocation *invocation;

	return inv_run_register(fixture->table, &options, &invocation) ||
	       inv_run_started(invocation, getppid());
}

static void take(inv_invocation *invocation, void *arg)
{
	*(inv_invocation **)arg = invocation;
}

static void what_the_dead_left_is_left_for_a_better_time(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[16];
	inv_invocation *adopted = NULL;

	fixture_id(id);
	assert_int_equal(fixture_reap(fixture, fixture_fork(fixture, leave_a_run, id)), 0);
	assert_int_equal(broker_serve(fixture->table, SECOND), 0);
	/* The owner's entry is not freed: the next sweep finds it again. */
	for (int going_well = 0; going_well < 3; going_well++) {
		left = going_well;
		broker_sweep(fixture->table, take, &adopted);
		left = NEVER;
		assert_null(adopted);
		assert_int_equal(fixture_info(fixture, id).status, INV_RUNNING);
	}
	broker_sweep(fixture->table, take, &adopted);
	assert_non_null(adopted);
	assert_int_equal(fixture_live(fixture), 1);
	assert_int_equal(inv_run_end(adopted, &(struct inv_run_result){.wait_known = 0}), 125);
	broker_unserve(fixture->table);
}

/* More handles than chains: the chains only get longer. */
static void handles_are_found_without_memory_for_more_chains(void **state)
{
	enum { MANY = 200 };
	struct fixture *fixture = *state;
	inv_event *events[MANY], *found;
	uint8_t ids[MANY][16];

	for (int i = 0; i < MANY; i++) {
		fixture_id(ids[i]);
		left = 1; /* the handle's own goes well */
		assert_int_equal(inv_event_create(fixture->table, ids[i], &events[i]), 0);
		left = NEVER;
	}
	for (int i = 0; i < MANY; i++) {
		left = 0;
		assert_int_equal(inv_event_find(fixture->table, ids[i], &found), 0);
		left = NEVER;
		assert_ptr_equal(found, events[i]);
		inv_event_put(found);
		inv_event_put(events[i]);
	}
	assert_int_equal(fixture_live(fixture), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TABLE_TEST(whichever_allocation_fails_nothing_is_left),
	        TABLE_TEST(without_a_thread_nothing_is_left),
	        TABLE_TEST(ids_need_no_memory),
	        TABLE_TEST(a_check_of_the_environments_context_says_so),
	        TABLE_TEST(a_cancel_that_is_not_passed_on_says_so),
	        TABLE_TEST(the_default_table_is_found_without_a_note_of_it),
	        TABLE_TEST(a_parent_is_not_retired_where_its_children_are_not_known),
	        TABLE_TEST(what_the_dead_left_is_left_for_a_better_time),
	        TABLE_TEST(handles_are_found_without_memory_for_more_chains),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
