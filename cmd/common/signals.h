/* Signals by the names that users write. */
#ifndef SIGNALS_H
#define SIGNALS_H

enum { SIGNAL_NAME_BYTES = 16 };

/* The number of a signal: "TERM", "SIGTERM" (any case), "15", "RTMIN+3"; -1: there is none. */
int signal_parse(const char *text);

/* Its name without SIG: "TERM", "RTMIN+3", or the number. */
void signal_format(int signum, char text[SIGNAL_NAME_BYTES]);

#endif
