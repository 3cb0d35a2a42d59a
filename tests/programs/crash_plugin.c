/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library that crash.c opens and dies in. */
#include <stdint.h>

int crash_plugin(int n);

static __attribute__((noinline)) int crash_inside(uintptr_t where)
{
	__asm__ volatile("" : "+r"(where));
	return *(volatile int *)where;
}

int crash_plugin(int n)
{
	int sum = crash_inside(0x20) + n;

	__asm__ volatile("" : "+r"(sum));
	return sum;
}
