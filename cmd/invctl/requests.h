/* Requests that come to `invctl run` itself: by a signal, by a key, or by the
 * command's death by a key, where it has the terminal. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "invctl/supervise.h"

/* Make a request of this invocation, and of those nested in it. Where the table is gone
 * it is noted in the view. */
void requests_make(struct supervision *supervision, int cause, int signum, const char *reason);

/* Take the signals that are requests, and make them. */
void requests_from_signals(struct supervision *supervision, int64_t now_ns);

/* The command has ended. If it had the terminal and SIGINT or SIGQUIT ended it, that was a key. */
void requests_from_end(struct supervision *supervision, int wait_status);

/* A second after a Ctrl-C that has not ended it say, once, at the terminal, what it waits for, what
 * another Ctrl-C does, and what kills. */
void requests_hint(struct supervision *supervision, int64_t now_ns);

#endif
