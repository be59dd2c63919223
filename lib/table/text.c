/* Text in shared memory: see text.h. */
#include "table/text.h"

enum { LONGEST_TEXT = INV_REASON_BYTES };

void text_store(shared_u64 *words, size_t count, const char *text)
{
	char field[LONGEST_TEXT] = {0};
	size_t room = count * sizeof(uint64_t) - 1;
	size_t length = text ? strnlen(text, room + 1) : 0;

	if (length > room) {
		length = room;
		/* not in the middle of a character: back over its continuation bytes */
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	if (length > 0)
		memcpy(field, text, length);
	words_store(words, count, field);
}
