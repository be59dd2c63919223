/* Text of others made safe for a terminal. */
#include "common/escape.h"

#include <stdio.h>
#include <string.h>

/* The code point of a sequence of length bytes, or -1 where a byte of it is no continuation. */
static long decode(const unsigned char *bytes, size_t length)
{
	long point = length == 1 ? bytes[0] : bytes[0] & (0x7f >> length);

	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	return point;
}

size_t utf8_length(const char *text)
{
	static const long smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = bytes[0] < 0x80   ? 1
	                : bytes[0] < 0xc2 ? 0
	                : bytes[0] < 0xe0 ? 2
	                : bytes[0] < 0xf0 ? 3
	                : bytes[0] < 0xf5 ? 4
	                                  : 0;
	if (length == 0)
		return 0;

	long point = decode(bytes, length);

	/* Overlong forms and surrogates are not UTF-8; nor is what lies past the last plane. */
	if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return length;
}

static bool is_control(const unsigned char *bytes)
{
	return bytes[0] < 0x20 || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

/* Write one character of text as it is to be shown to piece; returns the bytes of text it took. */
static size_t escape_character(const char *text, char piece[16])
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = utf8_length(text);

	if (length == 0) {
		snprintf(piece, 16, "\\x%02x", bytes[0]);
		return 1;
	}
	if (bytes[0] == '\n' || bytes[0] == '\t')
		snprintf(piece, 16, "\\%c", bytes[0] == '\n' ? 'n' : 't');
	else if (is_control(bytes))
		snprintf(piece, 16, "\\x%02x", bytes[length - 1]);
	else
		snprintf(piece, 16, "%.*s", (int)length, text);
	return length;
}

/* Nearly all text is printable ASCII, which is copied as it is. */
static size_t plain_run(const char *text, size_t limit)
{
	size_t length = 0;

	while (length < limit && text[length] >= 0x20 && text[length] < 0x7f)
		length++;
	return length;
}

size_t escape_text(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (;;) {
		size_t plain = plain_run(text, size - used - 1);
		char piece[16];

		memcpy(out + used, text, plain);
		used += plain;
		text += plain;
		if (*text == '\0')
			break;

		size_t taken = escape_character(text, piece);
		size_t length = strlen(piece);

		if (used + length + 1 > size)
			break;
		memcpy(out + used, piece, length);
		used += length;
		text += taken;
	}
	out[used] = '\0';
	return used;
}
