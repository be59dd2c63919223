/*
 * Telling others how the broker stands: the program or user that started it, and the
 * service manager.
 */
#ifndef READINESS_H
#define READINESS_H

/* The result of a start. */
struct readiness {
	int status; /* EXIT_DONE: the table has a broker; else the exit status */
	int error;  /* an errno that tells a program why not; 0: none does */
	char sentence[480];
};

/* Record why the start failed. Returns -1, for use as the result of a failed step. */
int readiness_fail(struct readiness *readiness, int status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Write the result as a line to ready_fd, and close it. Without one (-1) a failure goes to
 * stderr. */
void readiness_report(const struct readiness *readiness, int ready_fd);

/* Send "READY=1", "STOPPING=1", "STATUS=...", or several of them in lines, as sd_notify(3)
 * does. Without a service manager nothing happens. */
void readiness_notify_manager(const char *state);

#endif
