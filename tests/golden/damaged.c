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

/* Another byte than the one that is there, whatever that is. */
static void flip(volatile char *byte)
{
	*byte = (char)~*byte;
}

static void damage(void)
{
	flip(&overrun[10]);
	flip(&overrun[12]);
	for (int i = 30; i < 60; i++)
		flip(&long_overrun[i]);
	flip(&stale[3]);
	flip(&underrun[-3]);
	flip(&big[300001]);
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
