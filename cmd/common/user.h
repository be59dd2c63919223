/* Names of users. */
#ifndef USER_H
#define USER_H

#include <pwd.h>
#include <stdint.h>

/*
 * How a user is looked up: in /etc/passwd alone. A program that is linked dynamically may set
 * getpwuid(3) instead, which uses the other name services too.
 */
extern struct passwd *(*user_lookup)(uid_t uid);

/* The name of a user, or NULL where there is none. Valid until the next call. */
const char *user_name(uint32_t uid);

#endif
