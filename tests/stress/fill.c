/*
 * Fills a table to the last place and empties it again: fill TIMES
 * Prints "CAPACITY TIMES"; otherwise what went wrong, and exits with 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <invctl.h>

enum { ONE_BUCKET = 256 };

static int wrong(const char *call, int time, unsigned place, int answer)
{
	fprintf(stderr, "time %d, place %u: %s answered %d (%s)\n", time, place, call, answer,
	        answer < 0 ? inv_strerror(answer) : "");
	return 1;
}

static void id_of(uint8_t id[16], int time, unsigned place)
{
	for (int i = 0; i < 16; i++)
		id[i] = (uint8_t)(((unsigned)time * 2654435761u + place * 40503u + 1u) >>
		                  (i % 4 * 8));
	id[0] = (uint8_t)(place >> 8);
	id[1] = (uint8_t)place;
	id[2] = (uint8_t)time;
}

/* Even the last place can be taken, none beyond it, and a place that is given back again. */
static int fill_once(inv_event **events, unsigned capacity, int time)
{
	inv_event *one_more;
	uint8_t id[16];

	for (unsigned place = 0; place < capacity; place++) {
		id_of(id, time, place);
		int error = inv_event_create(NULL, id, &events[place]);
		if (error)
			return wrong("inv_event_create", time, place, error);
	}
	id_of(id, time, capacity);
	int answer = inv_event_create(NULL, id, &one_more);
	/* A table of more than one bucket has more places than it was made for. */
	if (answer == 0 && capacity > ONE_BUCKET)
		inv_event_put(one_more);
	else if (answer != -ENOSPC)
		return wrong("inv_event_create beyond the last", time, capacity, answer);
	inv_event_put(events[capacity / 2]);
	answer = inv_event_create(NULL, id, &events[capacity / 2]);
	if (answer)
		return wrong("inv_event_create of a place given back", time, capacity / 2, answer);
	for (unsigned place = 0; place < capacity; place++)
		inv_event_put(events[place]);
	return 0;
}

int main(int argc, char **argv)
{
	struct inv_table_info info;
	int times = argc == 2 ? atoi(argv[1]) : 0;
	int error = inv_table_info_get(NULL, &info);

	if (error || times < 1)
		return wrong("inv_table_info_get", 0, 0, error);
	inv_event **events = calloc(info.capacity, sizeof(inv_event *));
	if (!events)
		return 1;
	for (int time = 0; time < times; time++)
		if (fill_once(events, info.capacity, time))
			return 1;
	free(events);
	error = inv_table_info_get(NULL, &info);
	if (error || info.live != 0 || info.finished != 0)
		return wrong("inv_table_info_get", times, info.live, error);
	printf("%u %d\n", info.capacity, times);
	return 0;
}
