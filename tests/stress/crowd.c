/*
 * Many live invocations of one process: crowd COUNT
 *
 * Registers so many events, says "here", waits until each has been set, and gives it back.
 * Says "asked COUNT" at the end.
 */
#include <stdio.h>
#include <stdlib.h>

#include <invctl.h>

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0;
	inv_event **events = calloc((size_t)count + 1, sizeof(inv_event *));
	uint8_t id[16] = "one of a crowd";

	if (count < 1 || !events)
		return 2;
	for (int i = 0; i < count; i++) {
		for (int byte = 0; byte < 4; byte++)
			id[byte] = (uint8_t)((unsigned)i * 2654435761u >> byte * 8);
		int error = inv_event_create(NULL, id, &events[i]);
		if (error) {
			fprintf(stderr, "number %d: %s\n", i, inv_strerror(error));
			return 1;
		}
	}
	puts("here");
	fflush(stdout);
	for (int i = 0; i < count; i++) {
		if (inv_event_wait(events[i], INV_FOREVER) != 1)
			return 1;
		inv_event_put(events[i]);
	}
	free(events);
	printf("asked %d\n", count);
	return 0;
}
