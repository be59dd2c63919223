/* The kept output's bound: see kept_output.h. */
#include "supervise/kept_output.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/duration.h"
#include "invctl.h"

#define FIRST_NS NS_PER_SECOND
#define SHORTEST_NS (100 * NS_PER_MS)
#define LONGEST_NS (60 * NS_PER_SECOND)

void kept_output_begin(struct kept_output *output, int fd, int64_t limit_bytes, int64_t now_ns)
{
	struct stat status;
	bool bounded =
	        fd >= 0 && limit_bytes > 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);

	*output = (struct kept_output){.fd = bounded ? fd : -1,
	                               .limit_bytes = limit_bytes,
	                               .checked_ns = now_ns,
	                               .due_ns = bounded ? now_ns + FIRST_NS : INV_FOREVER};
}

struct hole {
	int fd;
	off_t begin, end;
};

/* One at a time is made by a thread. */
static atomic_flag busy = ATOMIC_FLAG_INIT;

/* Where there can be none the output is kept. */
static void make_hole(const struct hole *hole)
{
	fallocate(hole->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, hole->begin,
	          hole->end - hole->begin);
}

/* Whole blocks: a part of one would be filled with zeros. false: there is nothing to be done. */
static bool find_hole(const struct kept_output *output, const struct stat *status,
                      struct hole *hole)
{
	off_t block = status->st_blksize > 0 ? status->st_blksize : 1;

	*hole = (struct hole){.fd = output->fd,
	                      .begin = output->hole,
	                      .end = (status->st_size - output->limit_bytes) / block * block};
	return status->st_size > output->limit_bytes && hole->end > hole->begin;
}

static void *make_hole_in_thread(void *arg)
{
	struct hole *hole = arg;

	make_hole(hole);
	close(hole->fd);
	free(hole);
	atomic_flag_clear(&busy);
	return NULL;
}

/* No handler of the program may run in it. */
static int start_thread(struct hole *hole)
{
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&thread, NULL, make_hole_in_thread, hole);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		pthread_detach(thread);
	return error;
}

/* The descriptor is its own, so that the caller may close the file. */
static void start_hole(struct kept_output *output, const struct hole *hole)
{
	struct hole *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	*copy = *hole;
	copy->fd = fcntl(hole->fd, F_DUPFD_CLOEXEC, 0);
	if (copy->fd >= 0 && !atomic_flag_test_and_set(&busy)) {
		if (start_thread(copy) == 0) {
			output->hole = hole->end;
			return;
		}
		atomic_flag_clear(&busy);
	}
	if (copy->fd >= 0)
		close(copy->fd);
	free(copy);
}

static int64_t until_half_is_written(const struct kept_output *output, off_t size, int64_t now_ns)
{
	off_t grown = size - output->size;

	if (grown <= 0)
		return LONGEST_NS;

	double wait_ns = (double)(now_ns - output->checked_ns) * (double)output->limit_bytes / 2 /
	                 (double)grown;

	return wait_ns < SHORTEST_NS  ? SHORTEST_NS
	       : wait_ns > LONGEST_NS ? LONGEST_NS
	                              : (int64_t)wait_ns;
}

int64_t kept_output_step(struct kept_output *output, int64_t now_ns)
{
	struct stat status;
	struct hole hole;

	if (output->due_ns == INV_FOREVER || now_ns < output->due_ns)
		return output->due_ns;
	if (fstat(output->fd, &status) != 0)
		return output->due_ns = INV_FOREVER;
	/* Another program has cut it short. */
	if (status.st_size < output->size)
		output->hole = 0;
	if (find_hole(output, &status, &hole))
		start_hole(output, &hole);
	output->due_ns = now_ns + until_half_is_written(output, status.st_size, now_ns);
	output->size = status.st_size;
	output->checked_ns = now_ns;
	return output->due_ns;
}

void kept_output_end(struct kept_output *output)
{
	struct stat status;
	struct hole hole;

	if (output->due_ns != INV_FOREVER && fstat(output->fd, &status) == 0 &&
	    find_hole(output, &status, &hole))
		make_hole(&hole);
}
