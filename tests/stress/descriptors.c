/*
 * The library's calls under the caller's limit of descriptors: what can't be done answers
 * with the error that its contract names, and what is given back leaves nothing open.
 * Prints how far it came; exits with 1 where an answer is none of those.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <invctl.h>

enum { TIMES = 50 };

static int wrong(const char *call, int answer)
{
	fprintf(stderr, "%s answered %d (%s)\n", call, answer,
	        answer < 0 ? inv_strerror(answer) : "");
	return 1;
}

/* Those that a small limit allows, counted without a descriptor of one's own. */
static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++)
		if (lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF)
			count++;
	return count;
}

/* An event, and as many descriptors for it as there are. 0, 1, or -EMFILE: there is none. */
static int use_events(inv_table *table)
{
	inv_event *event;
	int fds[64], count = 0;
	int error = inv_event_create(table, (const uint8_t *)"few descriptors!", &event);

	if (error)
		return error == -EMFILE ? error : wrong("inv_event_create", error);
	while (count < 64 && (fds[count] = inv_event_fd(event)) >= 0)
		count++;
	if (count < 64 && fds[count] != -EMFILE)
		return wrong("inv_event_fd", fds[count]);
	/* Without any the event works all the same. */
	error = inv_event_set(event, "now");
	if (error || inv_event_wait(event, 0) != 1 || inv_event_check(event) != -ECANCELED)
		return wrong("inv_event_set", error);
	while (count > 0)
		close(fds[--count]);
	inv_event_put(event);
	return 0;
}

int main(void)
{
	int before = open_descriptors();
	inv_table *table;

	for (int time = 0; time < TIMES; time++) {
		int error = inv_open(&table, NULL, 0);
		if (error == -EMFILE) {
			printf("no table\n");
			return open_descriptors() == before ? 0 : wrong("what was open", before);
		}
		if (error)
			return wrong("inv_open", error);
		error = use_events(table);
		inv_close(table);
		if (error == -EMFILE) {
			printf("no event\n");
			return open_descriptors() == before ? 0 : wrong("what was open", before);
		}
		if (error)
			return 1;
	}
	if (open_descriptors() != before)
		return wrong("what was open before", before);
	printf("all of it went\n");
	return 0;
}
