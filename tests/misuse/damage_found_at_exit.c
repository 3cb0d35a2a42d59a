/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Damage to buffers that nobody touches again: one live, one freed. */
#include "tests/misuse/misuse.h"

static char *live, *freed;

int main(void)
{
	live = make(24);
	freed = make(200);
	store(live, 25, 'x');
	drop(freed);
	store(freed, 199, 'x');
	return 0;
}
