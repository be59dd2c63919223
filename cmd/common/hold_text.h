/* A hold in words. */
#ifndef HOLD_TEXT_H
#define HOLD_TEXT_H

#include "invctl.h"

enum { HOLD_TEXT_BYTES = 320 };

/* "the laser is open (anna in align.sh on pts/3, 2h ago)". The text of others in it is not escaped.
 */
void hold_describe(const struct inv_request *hold, char text[HOLD_TEXT_BYTES]);

#endif
