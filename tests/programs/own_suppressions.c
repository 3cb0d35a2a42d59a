/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that brings its own suppressions along, as those for LeakSanitizer
 * do: of two leaks one is known. Any argument leaves the other away.
 */
#include <stdlib.h>

const char *__lsan_default_suppressions(void);

static void *volatile held;

const char *__lsan_default_suppressions(void)
{
	return "# known\nleak:hidden\nleak:never_there\n";
}

__attribute__((noinline)) static void hidden(void)
{
	held = malloc(40);
	held = malloc(8);
}

__attribute__((noinline)) static void shown(void)
{
	held = malloc(50);
	held = malloc(8);
}

int main(int argc, char **argv)
{
	(void)argv;
	hidden();
	if (argc == 1)
		shown();
	free(held);
	return 0;
}
