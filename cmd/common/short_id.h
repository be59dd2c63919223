/* Ids shortened for a terminal, to the digits that tell one from the others. */
#ifndef SHORT_ID_H
#define SHORT_ID_H

#include <stdint.h>

#include "invctl.h"

enum { ID_DIGITS = 32, SHORT_ID_DIGITS = 8 /* at least so many are shown */ };

/* Leading hexadecimal digits that two ids share. */
int id_shared_digits(const uint8_t a[16], const uint8_t b[16]);

/* Cut the text of an id (inv_id_format) behind so many digits. */
void id_cut(char id_text[INV_ID_TEXT_BYTES], int digits);

#endif
