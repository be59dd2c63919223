/* Writing to files under a limit on their size. */
#ifndef FILE_WRITE_H
#define FILE_WRITE_H

#include <stddef.h>
#include <sys/types.h>

/* As write(2), but what exceeds RLIMIT_FSIZE is EFBIG alone: no SIGXFSZ reaches the program. */
ssize_t file_write(int fd, const void *bytes, size_t size);

#endif
