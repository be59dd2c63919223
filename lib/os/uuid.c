/*
 * Fresh ids.
 *
 * libuuid's generator calls the kernel for every id, which would be most of the cost of a
 * registration. So each thread draws random bytes for many ids at once. A forked child
 * discards them: parent and child must not use the same. They lie on the heap, because a
 * program that loads the shared library at run time (over an FFI) has little room left for
 * thread-local variables.
 */
#include "os/uuid.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "os/fork.h"

/* A command needs one id, a program that registers all the time many: each draw is
 * twice as large as the one before. */
enum { BATCH_FIRST = 2, BATCH_MAX = 128 };

struct batch {
	uint8_t bytes[BATCH_MAX][16];
	unsigned size;
	unsigned left;
	unsigned process;
};

static _Thread_local struct batch *batch; /* freed with its thread, by the key */
static pthread_key_t batch_key;
static int batch_key_error;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The destructor of another key may still draw, and gets a new one. */
static void forget(void *own)
{
	free(own);
	batch = NULL;
}

static void make_key(void)
{
	batch_key_error = pthread_key_create(&batch_key, forget);
}

/* NULL: no memory. */
static struct batch *thread_batch(void)
{
	if (batch)
		return batch;
	pthread_once(&once, make_key);
	struct batch *made = batch_key_error ? NULL : calloc(1, sizeof(*made));
	if (made && pthread_setspecific(batch_key, made) != 0) {
		free(made);
		made = NULL;
	}
	batch = made;
	return made;
}

static int draw(uint8_t *bytes, size_t size)
{
	size_t filled = 0;

	while (filled < size) {
		ssize_t got = getrandom(bytes + filled, size - filled, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		filled += (size_t)got;
	}
	return 0;
}

static int refill(struct batch *own)
{
	unsigned size = own->size == 0          ? BATCH_FIRST
	                : own->size < BATCH_MAX ? 2 * own->size
	                                        : BATCH_MAX;
	int error = draw(&own->bytes[0][0], size * sizeof(own->bytes[0]));

	if (error)
		return error;
	own->size = own->left = size;
	own->process = fork_generation();
	return 0;
}

static int draw_one(uint8_t id[16])
{
	struct batch *own = thread_batch();

	if (!own)
		return draw(id, 16);
	if (own->left == 0 || own->process != fork_generation()) {
		int error = refill(own);
		if (error)
			return error;
	}
	memcpy(id, own->bytes[--own->left], 16);
	return 0;
}

int uuid_fresh(uint8_t id[16])
{
	int error = draw_one(id);

	if (error)
		return error;
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* version 4 */
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80); /* the RFC's variant */
	return 0;
}
