/* "Over months … files in the state directory stay bounded": the kept output of a detached run. */
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/duration.h"
#include "supervise/kept_output.h"

enum { LIMIT = 1 << 20, PIECE = 1 << 16 };

static char path[] = "/tmp/test-kept-output-XXXXXX";

static int make_file(void **state)
{
	static int fd;

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	fd = mkostemp(path, O_APPEND);
	*state = &fd;
	return fd < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
	close(*(int *)*state);
	return unlink(path);
}

static void write_pieces(int fd, int count)
{
	static char piece[PIECE];

	memset(piece, 'x', sizeof(piece));
	for (int i = 0; i < count; i++)
		assert_int_equal(write(fd, piece, sizeof(piece)), sizeof(piece));
}

static off_t kept_from(int fd)
{
	return lseek(fd, 0, SEEK_DATA);
}

/* A thread makes the hole. */
static void await_kept_from(int fd, off_t begin)
{
	int64_t begun_ns = patience_begin();

	while (kept_from(fd) != begin && patience_left(begun_ns))
		usleep(1000);
	assert_int_equal(kept_from(fd), begin);
}

static void what_is_older_than_the_limit_becomes_a_hole(void **state)
{
	int fd = *(int *)*state;
	struct kept_output output;
	struct stat status;
	char byte;

	kept_output_begin(&output, fd, LIMIT, 0);
	write_pieces(fd, 16);
	int64_t due_ns = kept_output_step(&output, 1);
	assert_true(due_ns > 1);
	due_ns = kept_output_step(&output, due_ns);
	assert_int_equal(kept_from(fd), 0);
	write_pieces(fd, 8);
	due_ns = kept_output_step(&output, due_ns);
	await_kept_from(fd, 8 * PIECE);
	write_pieces(fd, 40);
	kept_output_step(&output, due_ns);
	await_kept_from(fd, 48 * PIECE);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_size, 64 * PIECE);
	assert_true(status.st_blocks * 512 < 2 * LIMIT);
	assert_int_equal(pread(fd, &byte, 1, 48 * PIECE), 1);
	assert_int_equal(byte, 'x');
}

static void the_end_waits_for_the_hole(void **state)
{
	int fd = *(int *)*state;
	struct kept_output output;

	kept_output_begin(&output, fd, LIMIT, 0);
	write_pieces(fd, 20);
	kept_output_end(&output);
	assert_int_equal(kept_from(fd), 4 * PIECE);
}

/* What is written until the next check is about half the limit. */
static void the_pace_follows_the_writer(void **state)
{
	int fd = *(int *)*state;
	struct kept_output output;

	kept_output_begin(&output, fd, LIMIT, 0);
	int64_t first_ns = kept_output_step(&output, 0);
	assert_in_range(first_ns, 1, 60 * NS_PER_SECOND);
	int64_t next_ns = kept_output_step(&output, first_ns);
	assert_int_equal(next_ns - first_ns, 60 * NS_PER_SECOND); /* nothing was written */
	write_pieces(fd, 16);
	int64_t third_ns = kept_output_step(&output, next_ns);
	assert_int_equal(third_ns - next_ns, 30 * NS_PER_SECOND);
	write_pieces(fd, 16 * 1000);
	assert_in_range(kept_output_step(&output, third_ns) - third_ns, 1, NS_PER_SECOND);
}

static void what_is_no_file_and_what_has_no_limit_is_left_alone(void **state)
{
	int fd = *(int *)*state, null = open("/dev/null", O_WRONLY);
	struct kept_output output;

	write_pieces(fd, 32);
	kept_output_begin(&output, fd, 0, 0);
	assert_int_equal(kept_output_step(&output, NS_PER_SECOND * 100), INV_FOREVER);
	kept_output_end(&output);
	assert_int_equal(kept_from(fd), 0);
	kept_output_begin(&output, null, LIMIT, 0);
	assert_int_equal(kept_output_step(&output, NS_PER_SECOND * 100), INV_FOREVER);
	kept_output_begin(&output, -1, LIMIT, 0);
	assert_int_equal(kept_output_step(&output, NS_PER_SECOND * 100), INV_FOREVER);
	kept_output_end(&output);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(what_is_older_than_the_limit_becomes_a_hole,
	                                        make_file, remove_file),
	        cmocka_unit_test_setup_teardown(the_end_waits_for_the_hole, make_file, remove_file),
	        cmocka_unit_test_setup_teardown(the_pace_follows_the_writer, make_file,
	                                        remove_file),
	        cmocka_unit_test_setup_teardown(what_is_no_file_and_what_has_no_limit_is_left_alone,
	                                        make_file, remove_file),
	};

	return cmocka_run_group_tests_name("kept_output", tests, NULL, NULL);
}
