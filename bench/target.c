/*
 * An action that is asked to stop again and again: target ID
 * Registers the id, takes each request in a sleep and sleeps on. Prints "ready", and
 * ends with its standard input.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "invctl.h"
#include "measure.h"

static void *end_with_input(void *arg)
{
	char byte;

	(void)arg;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	exit(0);
}

int main(int argc, char **argv)
{
	inv_event *event;
	uint8_t id[16];
	pthread_t thread;

	if (argc != 2 || inv_id_parse(argv[1], id) != 0) {
		fprintf(stderr, "usage: %s ID\n", argv[0]);
		return 2;
	}
	measure_require(inv_event_create(NULL, id, &event), "registering");
	if (pthread_create(&thread, NULL, end_with_input, NULL) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;)
		inv_event_sleep(event, INV_FOREVER);
}
