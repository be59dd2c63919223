/* Ids shortened for a terminal: see short_id.h. */
#include "common/short_id.h"

int id_shared_digits(const uint8_t a[16], const uint8_t b[16])
{
	int bytes = 0;

	while (bytes < 16 && a[bytes] == b[bytes])
		bytes++;
	return bytes == 16 ? ID_DIGITS : 2 * bytes + ((a[bytes] ^ b[bytes]) < 0x10);
}

/* Hyphens stand behind 8, 12, 16 and 20 digits. */
void id_cut(char id_text[INV_ID_TEXT_BYTES], int digits)
{
	id_text[digits + (digits <= 8 ? 0 : digits <= 20 ? (digits - 5) / 4 : 4)] = '\0';
}
