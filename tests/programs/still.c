/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program for linking statically: no libkma can look into it. */
#include <stdlib.h>

int main(int argc, char **argv)
{
	return argc > 1 ? atoi(argv[1]) : 0;
}
