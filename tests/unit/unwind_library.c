/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A frame in a library that is loaded and unloaded. */
int library_call(int (*function)(void *), void *argument);

int library_call(int (*function)(void *), void *argument)
{
	volatile char frame[FRAME];

	frame[0] = 1;
	int result = function(argument) + frame[0];
	return result - frame[0];
}
