/* The notes of a worker: see note.h. */
#include "note.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <invctl.h>

static int file = -1;

int note_open(const char *path)
{
	file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return file < 0 ? -1 : 0;
}

static void append(const char *word, const uint8_t id[16], const char *value)
{
	char text[37], line[160];

	inv_id_format(id, text);
	int length = snprintf(line, sizeof(line), "%s %s %s\n", word, text, value);
	if (write(file, line, (size_t)length) != length)
		_exit(3);
}

void note(const char *word, const uint8_t id[16])
{
	append(word, id, "-");
}

void note_number(const char *word, const uint8_t id[16], int number)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", number);
	append(word, id, value);
}

void note_bad(const uint8_t id[16], const char *call, int answer)
{
	char value[100];

	snprintf(value, sizeof(value), "%s answered %d (%s)", call, answer,
	         answer < 0 ? inv_strerror(answer) : "");
	append("bad", id, value);
}
