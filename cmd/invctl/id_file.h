/* The file of `run --id-file`: it appears complete, or not at all. */
#ifndef ID_FILE_H
#define ID_FILE_H

#include <stdint.h>

struct id_file {
	const char *path;
	char *temporary; /* beside path; NULL: nothing to do */
	int fd;
};

/* Make the temporary file, so that what can't be written is known before anything
 * is registered. path may be NULL. 0; -EEXIST what is there is no regular file; or -errno. */
int id_file_open(struct id_file *file, const char *path);

/* Write the id and rename it into place. 0, or as id_file_open. */
int id_file_publish(struct id_file *file, const uint8_t id[16]);

/* Remove a temporary file that was not published. */
void id_file_drop(struct id_file *file);

#endif
