/* Requests that come to `invctl run` itself: by a signal, by a key, or by the
 * command's death at the terminal that it was given. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "invctl/supervise.h"

/* Ask this invocation, and what is nested in it, to stop. Where the table is
 * gone it is noted in the view. */
void requests_make(struct supervision *supervision, int cause, int signum, const char *reason);

/* Take the signals that ask, and ask. */
void requests_from_signals(struct supervision *supervision, int64_t now_ns);

/* The command has ended: by a key, where it had the terminal and SIGINT or SIGQUIT ended it. */
void requests_from_end(struct supervision *supervision, int wait_status);

/* Some time after a Ctrl-C that has not ended it, say once what is stronger. */
void requests_hint(struct supervision *supervision, int64_t now_ns);

#endif
