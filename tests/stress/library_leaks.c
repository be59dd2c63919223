/*
 * Does the library give back what it takes? library_leaks TIMES
 *
 * Every kind of handle is had and given back so many times, by two threads at once; what
 * the process has open, its memory and its mappings are then what they were after the first
 * times. Prints what it found; exits with 1 where something has grown.
 */
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include <invctl.h>

enum { WARM_UP = 20, THREADS = 2, SLACK_BYTES = 8192 };

struct figures {
	long descriptors, threads, mappings, heap_bytes;
};

static int times;

static int nothing(void *arg)
{
	(void)arg;
	return inv_check();
}

static bool use_events(inv_table *table, inv_event *mine)
{
	inv_event *same, *current;
	uint8_t id[16];

	inv_event_id(mine, id);
	int fd = inv_event_fd(mine), other = inv_event_fd(mine);
	bool good = fd >= 0 && other >= 0 && inv_event_find(table, id, &same) == 0 &&
	            inv_event_set(mine, "leak") == 0 && inv_event_check(same) != 0;
	if (!good)
		return false;
	inv_event_put(same);
	close(fd);
	close(other);
	if (inv_event_get(NULL, NULL, &current) == 0)
		inv_event_put(current);
	return true;
}

/* One of each. */
static bool use_all(void)
{
	inv_invocation *invocation;
	inv_context *context;
	inv_thread *thread;
	inv_table *table;
	int result;

	if (inv_open(&table, NULL, 0) != 0 ||
	    inv_invocation_begin(table, NULL, "leak", &invocation) != 0)
		return false;
	bool good = use_events(table, inv_invocation_event(invocation)) &&
	            inv_context_enter(table, NULL, &context) == 0 &&
	            inv_context_leave(context) == 0 && inv_shield_begin() == 0 &&
	            inv_shield_end() == 0 && inv_log_text(LOG_INFO, "leak") == 0 &&
	            inv_thread_start(&thread, table, nothing, NULL) == 0 &&
	            inv_thread_join_propagate(thread, &result) == 0 &&
	            inv_invocation_end(invocation, INV_COMPLETED) == 0;
	inv_close(table);
	return good;
}

static void *use_many_times(void *arg)
{
	bool *good = arg;

	for (int time = 0; *good && time < times; time++)
		*good = use_all();
	return NULL;
}

static bool use_in_threads(int how_often)
{
	pthread_t threads[THREADS];
	bool good[THREADS];

	times = how_often;
	for (int i = 0; i < THREADS; i++) {
		good[i] = true;
		if (pthread_create(&threads[i], NULL, use_many_times, &good[i]) != 0)
			return false;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++)
		if (!good[i])
			return false;
	return true;
}

static long entries_of(const char *path)
{
	DIR *directory = opendir(path);
	long count = 0;

	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	return count;
}

static long lines_of(const char *path)
{
	FILE *file = fopen(path, "re");
	long count = 0;
	int character;

	while (file && (character = getc(file)) != EOF)
		count += character == '\n';
	if (file)
		fclose(file);
	return count;
}

static struct figures look(void)
{
	return (struct figures){
	        .descriptors = entries_of("/proc/self/fd"),
	        .threads = entries_of("/proc/self/task"),
	        .mappings = lines_of("/proc/self/maps"),
	        .heap_bytes = (long)mallinfo2().uordblks,
	};
}

static void print(const char *when, const struct figures *figures)
{
	printf("%s: %ld descriptors, %ld threads, %ld mappings, %ld bytes\n", when,
	       figures->descriptors, figures->threads, figures->mappings, figures->heap_bytes);
}

int main(int argc, char **argv)
{
	int how_often = argc == 2 ? atoi(argv[1]) : 0;

	if (how_often < 1 || !use_in_threads(WARM_UP))
		return 2;
	struct figures before = look();
	if (!use_in_threads(how_often))
		return 2;
	struct figures after = look();
	print("before", &before);
	print("after", &after);
	/* A thread's caches and its arena may differ a little, whatever was done. */
	return after.descriptors != before.descriptors || after.threads != before.threads ||
	       after.mappings > before.mappings + THREADS ||
	       after.heap_bytes > before.heap_bytes + SLACK_BYTES;
}
