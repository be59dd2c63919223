/* Fresh ids: version-4 UUIDs (RFC 9562). */
#ifndef UUID_H
#define UUID_H

#include <stdint.h>

/* 0, or -errno of getrandom(2). */
int uuid_fresh(uint8_t id[16]);

#endif
