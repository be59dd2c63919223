/*
 * Keeping the output of a detached run within its limit. The action appends to the file by itself,
 * and may hold it for ever, so the file is neither renamed nor cut: what is older than the limit
 * becomes a hole, and what is newer keeps its place. A reader finds the hole by SEEK_DATA.
 *
 * Nothing wakes a supervisor when the file grows. It checks after a time in which, at the rate of
 * the last check, half the limit is written: at least a tenth of a second, at most a minute.
 *
 * Making a hole waits until what is there has been written to the disk, so a thread does it.
 *
 * A SIGKILL at any point leaves a file that the next check finds as it is. Where the file system
 * has no holes (NFS before 4.2), all is kept.
 */
#ifndef KEPT_OUTPUT_H
#define KEPT_OUTPUT_H

#include <stdint.h>
#include <sys/types.h>

enum { KEPT_OUTPUT_LIMIT = 64 * 1024 * 1024 }; /* unless run --output-limit says another */

struct kept_output {
	int fd;              /* -1: nothing to bound */
	int64_t limit_bytes; /* kept at least */
	off_t size;          /* at the last check */
	off_t hole;          /* up to here */
	int64_t checked_ns, due_ns;
};

/* fd is the file's, or another (-1, /dev/null), which is left alone; so is it where the limit is 0
 * or negative. */
void kept_output_begin(struct kept_output *output, int fd, int64_t limit_bytes, int64_t now_ns);

/* Check it if that is due. When the next check is due; INV_FOREVER: never. */
int64_t kept_output_step(struct kept_output *output, int64_t now_ns);

/* Check it a last time, and wait until that is done. */
void kept_output_end(struct kept_output *output);

#endif
