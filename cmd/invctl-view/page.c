/* A page for a person: see page.h. */
#include "invctl-view/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"

#define SAFE_IN_SHELL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^"

enum { LABEL_PLACES = 10, LINE_BYTES = 8192 };

void page_text(const char *text)
{
	size_t size = ESCAPED_BYTES(strlen(text) + 1);
	char *safe = malloc(size);

	if (!safe)
		return;
	escape_text(text, safe, size);
	fputs(safe, stdout);
	free(safe);
}

void page_bytes(const char *bytes, size_t length)
{
	const char *end = bytes + length;

	while (bytes < end) {
		const char *stop = bytes;

		while (stop < end && *stop != '\t' && *stop != '\0')
			stop++;

		char *part = strndup(bytes, (size_t)(stop - bytes));

		page_text(part ? part : "");
		free(part);
		if (stop < end)
			fputs(*stop == '\t' ? "\t" : "\\x00", stdout);
		bytes = stop + (stop < end);
	}
}

void page_line(const char *label, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("%-*s", LABEL_PLACES, label);
	page_text(text);
	putchar('\n');
}

static void print_quoted(const char *word)
{
	if (*word && strspn(word, SAFE_IN_SHELL) == strlen(word)) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (const char *at = word; *at;) {
		size_t plain = strcspn(at, "'");
		char *part = strndup(at, plain);

		page_text(part ? part : "");
		free(part);
		at += plain;
		if (*at == '\'') {
			fputs("'\\''", stdout);
			at++;
		}
	}
	putchar('\'');
}

void page_words(const char *label, char *const *words)
{
	printf("%-*s", LABEL_PLACES, label);
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			putchar(' ');
		print_quoted(words[i]);
	}
	putchar('\n');
}

void size_format(uint64_t bytes, char text[SIZE_TEXT_BYTES])
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		size /= 1000;
		unit++;
	}
	snprintf(text, SIZE_TEXT_BYTES, unit > 0 && size < 9.95 ? "%.1f %s" : "%.0f %s", size,
	         units[unit]);
}
