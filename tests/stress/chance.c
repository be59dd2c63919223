/* Random numbers: see chance.h. */
#include "chance.h"

#include <string.h>

static uint64_t state;

static uint64_t next(void)
{
	uint64_t mixed = state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

void chance_seed(uint64_t seed)
{
	state = seed;
}

unsigned chance(unsigned limit)
{
	return (unsigned)(next() % limit);
}

void chance_id(uint8_t id[16])
{
	uint64_t halves[2] = {next(), next()};

	memcpy(id, halves, 16);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}
