/* The run file: what is written is read back, and nothing that others planted is believed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/runfile.h"

static char directory[] = "/tmp/test-runfile-XXXXXX";
static char path[64], other[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/run", directory);
	snprintf(other, sizeof(other), "%s/other", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int remove_files(void **state)
{
	(void)state;
	unlink(path);
	unlink(other);
	return 0;
}

static void write_raw(const char *bytes, size_t size, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void reads_back_what_was_written(void **state)
{
	char name[] = "measure", empty[] = "", words[] = "two words", cwd[] = "/lab",
	     stop[] = "park";
	char *command[] = {name, empty, words, NULL};
	const struct runfile written = {.name = name,
	                                .cwd = cwd,
	                                .stop_command = stop,
	                                .supervisor = 4711,
	                                .supervisor_start = UINT64_MAX,
	                                .command = command};
	struct runfile run;
	struct stat status;

	(void)state;
	assert_int_equal(runfile_write(path, &written), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(runfile_read(path, &run), 0);
	assert_string_equal(run.name, "measure");
	assert_string_equal(run.cwd, "/lab");
	assert_string_equal(run.stop_command, "park");
	assert_null(run.finish_command);
	assert_int_equal(run.supervisor, 4711);
	assert_true(run.supervisor_start == UINT64_MAX);
	assert_string_equal(run.command[0], "measure");
	assert_string_equal(run.command[1], "");
	assert_string_equal(run.command[2], "two words");
	assert_null(run.command[3]);
	runfile_free(&run);
	assert_int_equal(runfile_write(path, &written), -EEXIST);
}

/* Of a finish command all that the broker needs; once it has run, nothing. */
static void a_sealed_one_has_no_finish_command(void **state)
{
	char finish[] = "park", home[] = "HOME=/root", empty[] = "";
	char *command[] = {finish, NULL}, *environment[] = {home, empty, NULL};
	const struct runfile written = {.finish_command = finish,
	                                .finish_timeout_ns = 5000,
	                                .environment = environment,
	                                .command = command};
	struct runfile run;

	(void)state;
	assert_int_equal(runfile_write(path, &written), 0);
	assert_int_equal(runfile_read(path, &run), 0);
	assert_string_equal(run.finish_command, "park");
	assert_int_equal(run.finish_timeout_ns, 5000);
	assert_string_equal(run.environment[0], "HOME=/root");
	assert_string_equal(run.environment[1], "");
	assert_null(run.environment[2]);
	runfile_free(&run);
	runfile_seal(path);
	assert_int_equal(runfile_read(path, &run), 0);
	assert_null(run.finish_command);
	assert_string_equal(run.command[0], "park");
	runfile_free(&run);
}

/* A later version may know more of a run. */
static void what_it_does_not_know_is_skipped(void **state)
{
	static const char later[] =
	        "invctl run 2\0colour=red\0name=scan\0supervisor=12 34 56\0\0ls";
	struct runfile run;

	(void)state;
	write_raw(later, sizeof(later), 0600);
	assert_int_equal(runfile_read(path, &run), 0);
	assert_string_equal(run.name, "scan");
	assert_int_equal(run.supervisor, 12);
	assert_int_equal(run.supervisor_start, 34);
	assert_string_equal(run.command[0], "ls");
	assert_null(run.command[1]);
	runfile_free(&run);
}

static void an_empty_command_is_one(void **state)
{
	const struct runfile written = {.cwd = NULL};
	struct runfile run;

	(void)state;
	assert_int_equal(runfile_write(path, &written), 0);
	assert_int_equal(runfile_read(path, &run), 0);
	assert_null(run.cwd);
	assert_null(run.command[0]);
	runfile_free(&run);
}

static void refuses_what_is_no_run_file(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {
	        {"", 0},
	        {"rubbish", 7},
	        {"invctl run 2", 13},                  /* no empty string follows */
	        {"invctl run 2\0cwd=/lab\0", 22},      /* the same */
	        {"invctl run 2\0\0measure", 21},       /* cut short */
	        {"invctl run 1\0\0\0\0measure\0", 24}, /* another format */
	};
	struct runfile run;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_raw(cases[i].bytes, cases[i].size, 0600);
		assert_int_equal(runfile_read(path, &run), -EBADMSG);
		assert_null(run.command);
		runfile_free(&run);
	}
}

static void believes_nothing_that_others_could_have_written(void **state)
{
	static const char good[] = "invctl run 2\0\0measure";
	struct runfile run;

	(void)state;
	assert_int_equal(runfile_read(path, &run), -ENOENT);
	write_raw(good, sizeof(good), 0620);
	assert_int_equal(runfile_read(path, &run), -EPERM);
	write_raw(good, sizeof(good), 0602);
	assert_int_equal(runfile_read(path, &run), -EPERM);
	write_raw(good, sizeof(good), 0600);
	assert_int_equal(symlink(path, other), 0);
	assert_int_equal(runfile_read(other, &run), -EPERM);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(runfile_read(path, &run), -EPERM);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(runfile_read(path, &run), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(reads_back_what_was_written, remove_files),
	        cmocka_unit_test_teardown(a_sealed_one_has_no_finish_command, remove_files),
	        cmocka_unit_test_teardown(what_it_does_not_know_is_skipped, remove_files),
	        cmocka_unit_test_teardown(an_empty_command_is_one, remove_files),
	        cmocka_unit_test_teardown(refuses_what_is_no_run_file, remove_files),
	        cmocka_unit_test_teardown(believes_nothing_that_others_could_have_written,
	                                  remove_files),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
