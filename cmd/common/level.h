/* Levels of log records by the words that users write. */
#ifndef LEVEL_H
#define LEVEL_H

/* debug, info, warning, error as in syslog(3); -1: none of them. */
int level_parse(const char *text);

/* The word for any level of syslog(3); never NULL. */
const char *level_name(int level);

#endif
