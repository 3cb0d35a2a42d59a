/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Boxes in which threads leave buffers for each other, each buffer full with
 * what its size says, so that whoever empties a box sees whether any byte was
 * another's meanwhile. Everything is thread-safe but boxes_settle().
 */
#ifndef TESTS_CONTRACT_BOXES_H
#define TESTS_CONTRACT_BOXES_H

#include <stdint.h>

uint64_t next_random(uint64_t *state);

/* Put a new buffer into a box; check and free the one that was there. */
void boxes_trade(uint64_t *random);

/* Check the buffers in all boxes, and leave them. In a forked child. */
void boxes_check(void);

/* Empty all boxes. As many were freed as allocated, which is returned. */
unsigned long boxes_settle(void);

#endif
