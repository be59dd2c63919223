/*
 * How it went, for whoever started the broker.
 */
#ifndef READINESS_H
#define READINESS_H

/* Why the table is not served by this process, or that it is. */
struct readiness {
	int status; /* EXIT_DONE: it serves; else what to exit with */
	int error;  /* an errno by which a program can tell why not; 0: none says it */
	char sentence[480];
};

/* Note why not. Returns -1, for use as the result of a failed step. */
int readiness_fail(struct readiness *readiness, int status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Tell the user, or the program that gave ready_fd (which is closed). ready_fd may be -1. */
void readiness_tell(const struct readiness *readiness, int ready_fd);

#endif
