/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a leak checker has to look through at exit: N buffers of 64 bytes that
 * are held, and three that are lost. Prints CLOCK_MONOTONIC, in seconds, when
 * main ends: what comes after is the checker's.
 *
 *	check_load N
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct node {
	struct node *next;
	long payload[7];
};

static struct node *volatile list;
static void *volatile lost;

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 0;
	struct timespec now;

	for (int i = 0; i < 3; i++)
		lost = malloc(100);
	lost = malloc(200);
	for (long i = 0; i < count; i++) {
		struct node *node = malloc(sizeof(*node));
		node->next = list;
		list = node;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
	fflush(stdout);
	return 0;
}
