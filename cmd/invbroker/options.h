/*
 * The broker's command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "invctl.h"

struct options {
	char table[INV_TABLE_NAME_BYTES];
	uint32_t capacity; /* 0: the default */
	bool foreground;
	bool shared;       /* mode 0660 */
	gid_t gid;         /* of a shared table */
	int64_t retain_ns; /* INV_FOREVER: nothing that has ended is ever removed */
	int ready_fd;      /* -1: none */
};

/* Exits with a message where the command line is not in order. */
void broker_options_parse(int argc, char **argv, struct options *options);

#endif
