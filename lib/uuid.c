/*
 * Fresh ids and their text.
 *
 * libuuid reads and writes the text. Its generator asks the kernel for every id,
 * which would be most of the cost of a registration; so random bytes are drawn for
 * many ids at once, per thread, and thrown away in a forked child, lest parent and
 * child hand out the same.
 */
#include "uuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

#include "fork.h"

/* A command needs one id, a program that registers all the time many: each draw is
 * twice as large as the one before. */
enum { BATCH_FIRST = 2, BATCH_MAX = 128 };

static _Thread_local struct {
	uint8_t bytes[BATCH_MAX][16];
	unsigned size;
	unsigned left;
	unsigned process;
} batch;

static int draw(void)
{
	unsigned size = batch.size == 0 ? BATCH_FIRST : batch.size < BATCH_MAX ? 2 * batch.size : BATCH_MAX;
	size_t filled = 0, wanted = size * sizeof(batch.bytes[0]);

	while (filled < wanted) {
		ssize_t got = getrandom((uint8_t *)batch.bytes + filled, wanted - filled, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		filled += (size_t)got;
	}
	batch.size = batch.left = size;
	batch.process = fork_generation();
	return 0;
}

int uuid_fresh(uint8_t id[16])
{
	if (batch.left == 0 || batch.process != fork_generation()) {
		int error = draw();
		if (error)
			return error;
	}
	memcpy(id, batch.bytes[--batch.left], 16);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* version 4 */
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80); /* the RFC's variant */
	return 0;
}

void inv_id_format(const uint8_t id[16], char text[37])
{
	uuid_unparse_lower(id, text);
}

int inv_id_parse(const char *text, uint8_t id[16])
{
	/* libuuid before 2.39 reads past the end of a short text; and takes no more. */
	if (strnlen(text, 37) != 36)
		return -EINVAL;
	return uuid_parse(text, id) == 0 ? 0 : -EINVAL;
}
