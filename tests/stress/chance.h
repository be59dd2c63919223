/* Random numbers that a seed determines (splitmix64), and ids made of them. */
#ifndef STRESS_CHANCE_H
#define STRESS_CHANCE_H

#include <stdint.h>

void chance_seed(uint64_t seed);

/* From 0 to limit - 1. */
unsigned chance(unsigned limit);

void chance_id(uint8_t id[16]);

#endif
