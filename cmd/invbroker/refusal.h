/*
 * Why a table can't be had, in a sentence that names what is in the way and
 * what to do about it.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "invbroker/options.h"
#include "invbroker/readiness.h"

/* Note why opening or making the table failed with error. Returns -1. */
int refusal_explain(const struct options *options, int error, struct readiness *readiness);

#endif
