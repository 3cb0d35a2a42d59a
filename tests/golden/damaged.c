/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A heap with one damage of each kind, none of which any call comes across.
 * With an argument, the same without the damage. */
#include <stdlib.h>
#include <string.h>

static volatile char *overrun, *long_overrun, *victim, *underrun, *stale, *big;

static void allocate(void)
{
	overrun = malloc(10);
	long_overrun = malloc(30);
	victim = malloc(30);
	stale = malloc(32);
	underrun = malloc(200);
	big = malloc(300000);
}

static void damage(void)
{
	overrun[10] = 'x';
	overrun[12] = 'z';
	for (int i = 30; i < 60; i++)
		long_overrun[i] = 'A';
	stale[3] = 7;
	underrun[-3] = 3;
	big[300001] = 3;
}

int main(int argc, char **argv)
{
	(void)argv;
	allocate();
	free((void *)stale);
	if (argc == 1)
		damage();
	abort();
}
