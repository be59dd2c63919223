/*
 * What the broker tells: one line for each notable event, to its log.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

/* Where the lines go: to stderr, or to the file path, which stderr is put on as
 * well. Lines to the journal carry no time: it has its own. */
void report_to_stderr(void);

/* 0, or -errno: the file can't be had, and the lines go to stderr still. */
int report_to_file(const char *path);

/* One sentence. Saves errno. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
