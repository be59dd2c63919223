/* The file of `run --id-file`: see id_file.h. */
#include "invctl/id_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invctl.h"
#include "os/file_write.h"

/* mkostemp's files are private; this one is as the umask says any new file is. */
static void give_usual_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
}

/* A rename would replace a device, a FIFO or a link, which the user hardly means. */
static bool is_other_kind(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

int id_file_open(struct id_file *file, const char *path)
{
	*file = (struct id_file){.path = path, .fd = -1};
	if (!path)
		return 0;
	if (is_other_kind(path))
		return -EEXIST;
	if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0) {
		file->temporary = NULL;
		return -ENOMEM;
	}
	file->fd = mkostemp(file->temporary, O_CLOEXEC);
	if (file->fd >= 0) {
		give_usual_mode(file->fd);
		return 0;
	}

	int error = -errno;

	free(file->temporary);
	file->temporary = NULL;
	return error;
}

int id_file_publish(struct id_file *file, const uint8_t id[16])
{
	char line[38];
	int error = 0;

	if (!file->temporary)
		return 0;
	inv_id_format(id, line);
	line[36] = '\n';

	ssize_t written = file_write(file->fd, line, 37);

	if (written != 37)
		error = written < 0 ? -errno : -ENOSPC;
	if (close(file->fd) != 0 && error == 0)
		error = -errno;
	file->fd = -1;
	if (error == 0 && is_other_kind(file->path))
		error = -EEXIST;
	if (error == 0 && rename(file->temporary, file->path) != 0)
		error = -errno;
	if (error == 0) {
		free(file->temporary);
		file->temporary = NULL;
	}
	return error;
}

void id_file_drop(struct id_file *file)
{
	if (!file->temporary)
		return;
	if (file->fd >= 0)
		close(file->fd);
	unlink(file->temporary);
	free(file->temporary);
	file->temporary = NULL;
}
