/*
 * What the unit tests share: a table of the test's own, children that are never
 * left behind, and waiting for a condition with a bound.
 *
 * The table is made in the test itself, without a broker; its name has the test's pid
 * in it, and INVCTL_TABLE names it, so that a NULL table is the same one.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "invctl.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZE_THREAD
#endif
#elif defined(__SANITIZE_THREAD__)
#define SANITIZE_THREAD
#endif

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)

enum { CHILDREN_MAX = 256, COUNTERS = 16, SMALL_TABLE = 4 };

struct fixture {
	inv_table *table;
	char name[INV_TABLE_NAME_BYTES];
	char state_directory[64];
	_Atomic int *counters; /* shared with the children, all 0 at the start */
	pid_t children[CHILDREN_MAX];
};

/* cmocka's set-up and tear-down of one test: a table of 1000, of SMALL_TABLE, or none yet. */
int fixture_set_up(void **state);
int fixture_set_up_small(void **state);
int fixture_set_up_without_table(void **state);
int fixture_tear_down(void **state);

/* Make the table that fixture_set_up_without_table left out. 0 or -errno. */
int fixture_make_table(struct fixture *fixture, uint32_t capacity);

/* The file behind the table. */
void fixture_path(const struct fixture *fixture, char path[128]);

/* Run task in a child, whose exit status is what task returns. The child dies with the
 * test. In it nothing of cmocka may be called. */
pid_t fixture_fork(struct fixture *fixture, int (*task)(struct fixture *, void *), void *arg);

/* What the child exits with; 256 + N where signal N killed it. Bounded: it is killed then. */
int fixture_reap(struct fixture *fixture, pid_t child);

/* SIGKILL, and reap. */
void fixture_kill(struct fixture *fixture, pid_t child);

/* As a child: wait to be killed. */
int fixture_stay(void);

/* As a child: end the first thread while another one stays. 1: no thread could be made. */
int fixture_end_first_thread(void);
bool fixture_first_thread_ended(pid_t process);

/* As a child: own an event of that id, count counters[0] up, and stay. */
int fixture_own_and_stay(struct fixture *fixture, void *id);

/* What a child exits with that lacks a right which the test needs. */
enum { NOT_PERMITTED = 77 };

/* permitted; where it is false, says what is not, and errno's reason. In a child, too. */
bool fixture_permitted(bool permitted, const char *what);

/* In a child: mounts of its own, which end with it. */
bool fixture_own_mounts(void);

/* Skip the test: unless root runs it; where the child exits with NOT_PERMITTED (else its status).
 */
void fixture_need_root(void);
int fixture_reap_permitted(struct fixture *fixture, pid_t child);

/* Run task in a child, whose exit status is the number of the first expectation that does not
 * hold; skip the test where it is NOT_PERMITTED. */
void fixture_assert_holds(struct fixture *fixture, int (*task)(struct fixture *, void *),
                          void *arg);

/* A fresh id. */
void fixture_id(uint8_t id[16]);

/* Set or unset the environment's context. */
void fixture_environment(const uint8_t *id);

/* The thread sleeps: in a futex, or for a time. */
bool fixture_asleep(pid_t process, pid_t thread);

/* For tests with the broker of this build, which is then started by whoever needs one;
 * skips the test where there is none. The set-up makes no table; the tear-down ends the
 * broker. */
int fixture_set_up_for_broker(void **state);
int fixture_tear_down_with_broker(void **state);
void fixture_use_built_broker(void);

/* The broker that serves the table; 0: none. */
pid_t fixture_broker(inv_table *table);
void fixture_end_broker(inv_table *table, int signum);

/* How many invocations of the table live. */
int fixture_live(struct fixture *fixture);

/* The row of an id; fails the test where there is none. */
struct inv_info fixture_info(struct fixture *fixture, const uint8_t id[16]);

/* A whole pass of retiring, in one turn; the time of the next one. */
int64_t fixture_retire(struct fixture *fixture, int64_t retain_ns,
                       void (*freed)(const uint8_t id[16], void *), void *arg);

/* It has ended, with its owner. */
void fixture_assert_lost(struct fixture *fixture, const uint8_t id[16]);

/* The bound of every wait: when it began, and whether it may go on (after a moment). */
int64_t patience_begin(void);
bool patience_left(int64_t begun_ns);

/* Wait until condition holds, or the bound is reached. */
#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t begun_ns_ = patience_begin();                                              \
		while (!(condition) && patience_left(begun_ns_))                                   \
			;                                                                          \
	} while (0)

/* The same, and the test fails where it never holds. It need not hold for long. */
#define EVENTUALLY(condition)                                                                      \
	do {                                                                                       \
		bool held_ = false;                                                                \
		AWAIT((held_ = (condition)));                                                      \
		if (!held_)                                                                        \
			fail_msg("never held: %s", #condition);                                    \
	} while (0)

/* A test with its own table. */
#define TABLE_TEST(function)                                                                       \
	cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)
#define SMALL_TABLE_TEST(function)                                                                 \
	cmocka_unit_test_setup_teardown(function, fixture_set_up_small, fixture_tear_down)
#define NO_TABLE_TEST(function)                                                                    \
	cmocka_unit_test_setup_teardown(function, fixture_set_up_without_table, fixture_tear_down)
#define BROKER_TEST(function)                                                                      \
	cmocka_unit_test_setup_teardown(function, fixture_set_up_for_broker,                       \
	                                fixture_tear_down_with_broker)

#endif
