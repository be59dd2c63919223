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

size_t utf8_decode(const char *text, uint32_t *point)
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

	long decoded = decode(bytes, length);

	/* Overlong forms and surrogates are not UTF-8; nor is what lies past the last plane. */
	if (decoded < smallest[length] || decoded > 0x10ffff ||
	    (decoded >= 0xd800 && decoded <= 0xdfff))
		return 0;
	*point = (uint32_t)decoded;
	return length;
}

bool acts_on_terminal(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
	        {0x00, 0x1f},       {0x7f, 0x9f},       /* controls */
	        {0xad, 0xad},                           /* soft hyphen */
	        {0x61c, 0x61c},                         /* direction of Arabic */
	        {0x180e, 0x180e},                       /* without a width */
	        {0x200b, 0x200b},   {0x200e, 0x200f},   /* direction */
	        {0x2028, 0x202e},                       /* ends of lines, direction */
	        {0x2060, 0x206f},                       /* invisible, direction */
	        {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   /* byte order, annotations */
	        {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}, /* beams and slurs, tags */
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

/* Write one character of text as it is to be shown to piece; returns the bytes of text it took. */
static size_t escape_character(const char *text, char piece[16])
{
	uint32_t point;
	size_t length = utf8_decode(text, &point);

	if (length == 0) {
		snprintf(piece, 16, "\\x%02x", (unsigned char)text[0]);
		return 1;
	}
	if (point == '\n' || point == '\t')
		snprintf(piece, 16, "\\%c", point == '\n' ? 'n' : 't');
	else if (!acts_on_terminal(point))
		snprintf(piece, 16, "%.*s", (int)length, text);
	else if (point < 0xa0)
		snprintf(piece, 16, "\\x%02x", point);
	else
		snprintf(piece, 16, point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
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
