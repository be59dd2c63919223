/*
 * Owns many live events in one process: fill COUNT
 * Their ids are those of sequence 1. Prints "ready", and ends with its standard input.
 */
#include <stdio.h>
#include <unistd.h>

#include "invctl.h"
#include "measure.h"

int main(int argc, char **argv)
{
	size_t count = measure_argument(argc, argv, 1, "COUNT");
	inv_event *event;
	uint8_t id[16];
	char byte;

	for (size_t i = 0; i < count; i++) {
		measure_id(1, i, id);
		measure_require(inv_event_create(NULL, id, &event), "filling the table");
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	return 0;
}
