/*
 * Which invocations a command line means: SELECTORs, and the groups --name=GLOB, --all and
 * --children=ID, which mean live ones and may match nothing.
 */
#ifndef SELECTORS_H
#define SELECTORS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/selector.h"

/* What stood on the command line. */
struct selectors {
	char **words;
	size_t count;
	const char *name_glob; /* NULL: not given */
	const char *children;  /* NULL: not given */
	bool all;
	enum selector_names names; /* set by the command */
};

/* The argp child that fills a struct selectors (its input); at least one is required. */
extern const struct argp selectors_argp;

/* One invocation that is meant; or a word that means none, with its exit status. */
struct target {
	uint8_t id[16];
	int failure;    /* 0: id is set */
	bool finishing; /* of cancel: no request was made, as its command has ended */
};

struct targets {
	struct target *list;
	size_t count;
};

/* All of them: the words in their order, then the groups, whose members come
 * once. 0; or an exit status where no list could be made. */
int selectors_resolve(const struct globals *globals, inv_table *table,
                      const struct selectors *selectors, struct targets *targets);

void targets_free(struct targets *targets);

#endif
