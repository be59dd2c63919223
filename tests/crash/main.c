/*
 * crash [-k KILLS] [-l] [OPERATION...]
 *
 * Every operation of the library is killed after its instructions, and the table
 * recovered each time. -k: at most about that many kills of one operation, spread evenly
 * (0: after every instruction; the default is 1000). -l: list the operations. Exits 1 if anything
 * failed.
 */
#include "crash.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORKERS = 2,
	OPERATIONS_MAX = 64,
	KILLS_DEFAULT = 1000,
	HANGS_AFTER_S = 300,
	SHOWN_FAILURES = 3
};

int64_t crash_slice_ns = SLICE_SHORT_NS;

static const struct operation *chosen[OPERATIONS_MAX];
static int chosen_count;

struct progress {
	_Atomic int next, passed;
	_Atomic size_t instructions, kills, missed;
};

void expect(struct scene *scene, bool ok, const char *format, ...)
{
	char text[200];
	va_list args;

	if (ok || scene->failures++ >= SHOWN_FAILURES)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("%s: %s %zu (at %#llx): %s\n", scene->operation->name, scene->stage, scene->place,
	       (unsigned long long)scene->address, text);
	fflush(stdout);
}

static void choose(const struct operation *operations, char **names, int count)
{
	for (; operations->name; operations++) {
		bool wanted = count == 0;
		for (int i = 0; i < count; i++)
			wanted = wanted || strcmp(names[i], operations->name) == 0;
		if (wanted && chosen_count < OPERATIONS_MAX)
			chosen[chosen_count++] = operations;
	}
}

static void hang(int signum)
{
	static const char text[] = "an operation hangs\n";

	(void)signum;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static void work(struct progress *progress, size_t kills_max)
{
	struct scene scene;

	if (!scene_open(&scene)) {
		puts("no table can be made");
		exit(1);
	}
	signal(SIGALRM, hang);
	for (int i; (i = atomic_fetch_add(&progress->next, 1)) < chosen_count;) {
		scene.operation = chosen[i];
		alarm(HANGS_AFTER_S);
		trial(&scene, kills_max);
		alarm(0);
		printf("%-18s %7zu instructions %6zu kill points %4zu missed %5zu states %3zu "
		       "failures\n",
		       scene.operation->name, scene.instructions, scene.kills, scene.missed,
		       scene.states, scene.failures);
		fflush(stdout);
		atomic_fetch_add(&progress->passed, scene.failures == 0);
		atomic_fetch_add(&progress->instructions, scene.instructions);
		atomic_fetch_add(&progress->kills, scene.kills);
		atomic_fetch_add(&progress->missed, scene.missed);
	}
	scene_close(&scene);
	exit(0);
}

static pid_t workers[WORKERS];

/* Whoever ends the test ends its processes: a worker takes its own with it. */
static void end_workers(int signum)
{
	(void)signum;
	for (int i = 0; i < WORKERS; i++)
		if (workers[i] > 0)
			kill(workers[i], SIGKILL);
}

static void start_workers(struct progress *progress, size_t kills_max)
{
	struct sigaction end = {.sa_handler = end_workers, .sa_flags = SA_RESTART};

	for (int i = 0; i < WORKERS; i++) {
		workers[i] = scene_fork();
		if (workers[i] == 0)
			work(progress, kills_max);
	}
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
}

int main(int argc, char **argv)
{
	size_t kills_max = KILLS_DEFAULT;
	bool list = false;
	struct progress *progress;

	for (int option; (option = getopt(argc, argv, "k:l")) != -1;) {
		if (option == 'k')
			kills_max = strtoul(optarg, NULL, 10);
		else if (option == 'l')
			list = true;
		else
			return 2;
	}
	if (kills_max == 0)
		kills_max = SIZE_MAX / 2;
	choose(operations_of_tables, argv + optind, argc - optind);
	choose(operations_of_runs, argv + optind, argc - optind);
	choose(operations_of_events, argv + optind, argc - optind);
	choose(operations_of_pauses, argv + optind, argc - optind);
	for (int i = 0; list && i < chosen_count; i++)
		puts(chosen[i]->name);
	if (list || chosen_count == 0)
		return list ? 0 : 2;
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	                -1, 0);
	if (progress == MAP_FAILED)
		return 1;
	start_workers(progress, kills_max);
	for (int i = 0; i < WORKERS; i++)
		waitpid(workers[i], NULL, 0);
	for (int i = 0; i < WORKERS; i++)
		scene_remove(workers[i]);
	printf("of %zu instructions: killed after %zu, missed %zu\n",
	       atomic_load(&progress->instructions), atomic_load(&progress->kills),
	       atomic_load(&progress->missed));
	int passed = atomic_load(&progress->passed);
	printf("%d passed, %d failed\n", passed, chosen_count - passed);
	return passed == chosen_count ? 0 : 1;
}
