/*
 * What a command leaves running: what of it was there when a request was delivered, and so is
 * forgotten, and what was started after that, and so is clean-up. And its names, for people.
 */
#ifndef LEFTOVERS_H
#define LEFTOVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervise/process_list.h"

/* The moment of a delivery: between two times, as start times of processes; and the low bits of the
 * newest pid then, which orders what was started in between. */
struct delivery_moment {
	uint64_t from, to; /* 0: not known */
	unsigned newest;   /* 0: not known */
};

/* Was that process there already? false also where it is not known. */
bool leftovers_existed(const struct delivery_moment *moment, const struct process *process);

/* "6403 sleep, 6404 tee and 3 more"; "" for an empty list. */
enum { LEFTOVERS_TEXT_BYTES = 160 };
void leftovers_format(const struct process_list *list, char text[LEFTOVERS_TEXT_BYTES]);

/*
 * How a command ended: "exited with 3", "was ended by SIGTERM"; "has ended" where that is not
 * known. exit_status  negative: not known signum       0: none
 */
enum { END_TEXT_BYTES = 40 };
void end_format(int exit_status, int signum, char text[END_TEXT_BYTES]);

#endif
