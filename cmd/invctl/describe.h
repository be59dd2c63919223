/* JSON objects and log records as text for people: a line "key: value" for each. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

struct json_object;
struct log_tail;

/*
 * Print every key on stdout; the keys of an object in it as "outer.inner". What
 * is null is left out; an array of words is quoted as for a shell.
 */
void describe_object(struct json_object *object);

/* Print a text of others on stdout, safe for a terminal. */
void describe_text(const char *text);

/* Print the records, a line for each. */
void describe_log(const struct log_tail *tail);

#endif
