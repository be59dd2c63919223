/* A page for a person: a label and a text a line, and what stands in the texts. */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdint.h>

/* Print a line. The text is escaped. */
void page_line(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, with the words of a command, quoted as a shell needs them. */
void page_words(const char *label, char *const *words);

/* A text of others on stdout, escaped. */
void page_text(const char *text);

/* Output of others on stdout, for a terminal: escaped, but for tabs. */
void page_bytes(const char *bytes, size_t length);

enum { SIZE_TEXT_BYTES = 32 };

/* "900 bytes", "12 kB", "26 MB" */
void size_format(uint64_t bytes, char text[SIZE_TEXT_BYTES]);

#endif
