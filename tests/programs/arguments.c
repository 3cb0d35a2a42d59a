/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls with arguments of every kind, that end in an abort. */
#include <stdbool.h>
#include <stdlib.h>

#ifdef __clang__ /* which does not know the other */
#define CALLED __attribute__((noinline))
#else
#define CALLED __attribute__((noinline, noclone))
#endif

enum colour { RED = 1, GREEN = 2, BLUE = 4 };
struct pair {
	int first;
	char second;
};
struct large {
	long words[5];
};
typedef int compare_fn(const void *a, const void *b);

volatile long sink;
volatile bool stop = true;

static CALLED void in_pointers(const char *text, const struct pair *pair,
			       char **list, compare_fn *compare)
{
	sink += text[0] + pair->first + (list != NULL) + (compare != NULL);
	if (stop)
		abort();
}

static int compare_bytes(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static CALLED void in_structures(struct pair pair, struct large large,
				 enum colour colour, enum colour both)
{
	char *list[] = { "one", NULL };
	struct pair kept = pair;

	in_pointers("some text", &kept, list, compare_bytes);
	sink += large.words[4] + colour + both;
}

static CALLED void in_reals(float single, double both, bool flag, char letter)
{
	struct large large = { { 1, 2, 3, 4, 5 } };
	struct pair pair = { 7, 'p' };

	in_structures(pair, large, GREEN, RED | BLUE);
	sink += (long)single + (long)both + flag + letter;
}

static CALLED void many(signed char a, unsigned short b, int c, unsigned d,
			long e, unsigned long f, short g, long long h,
			unsigned char i)
{
	in_reals(1.5f, -2.25, true, 'x');
	sink += a + b + c + (long)d + e + (long)f + g + h + i;
}

static CALLED void again(int depth, int of)
{
	if (depth < of)
		again(depth + 1, of);
	else
		many(-1, 65535, -7, 4000000000U, -5000000000L, ~0UL, -300,
		     1LL << 40, 255);
	sink += depth;
}

int main(int argc, char **argv)
{
	again(argc, 4);
	return argv[0][0];
}
