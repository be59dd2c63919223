/* What a program says to its user on stderr: "invctl: " and one sentence. */
#ifndef MESSAGE_H
#define MESSAGE_H

/* The name that stands before a message; "invctl" unless main sets another. */
extern const char *message_program;

/*
 * Write "PROGRAM: SENTENCE\n" to stderr in one write, so that messages of
 * processes that share a terminal or a file don't run into each other. Control
 * characters of the sentence are escaped. errno is kept.
 */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The same, to the controlling terminal: for the answer to a key. After a Ctrl-C stderr may be a
 * pipe whose reader the key has ended. A terminal that takes nothing is not waited for. Without a
 * terminal it goes to stderr.
 */
void message_at_terminal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
