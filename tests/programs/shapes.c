/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A structure of every kind there is, filled with values that are known: what
 * ::print must show as gdb does. Ends in a core. */
#include "tests/programs/shapes.h"

#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum color { RED, GREEN = 5, BLUE };
enum flags { FLAG_A = 1, FLAG_B = 2, FLAG_C = 0x80 };
enum negative { BELOW = -3, ABOVE = 200 };
enum wide { WIDE = 0x123456789abc };

struct scalars {
	char c;
	signed char sc;
	unsigned char uc;
	short s;
	unsigned short us;
	int i;
	unsigned u;
	long l;
	unsigned long ul;
	long long ll;
	_Bool b;
	float f;
	double d;
	long double ld;
	int64_t i64;
	uint8_t u8;
	size_t size;
};

struct scalars scalars = { .c = 'k',
			   .sc = -7,
			   .uc = 200,
			   .s = -300,
			   .us = 60000,
			   .i = -123456,
			   .u = 4000000000u,
			   .l = -5000000000l,
			   .ul = 0xfedcba9876543210ul,
			   .ll = 42,
			   .b = 1,
			   .f = 1.5f,
			   .d = -0.1,
			   .ld = 2.25L,
			   .i64 = -1,
			   .u8 = 255,
			   .size = 4096 };

struct bits {
	unsigned a : 1;
	int b : 3;
	unsigned : 4;
	unsigned long c : 40;
	enum color color : 4;
	_Bool flag : 1;
	unsigned char d : 7;
	int : 0;
	int e : 31;
	short after;
};

struct bits bits = { .a = 1,
		     .b = -2,
		     .c = 0xab12345678,
		     .color = BLUE,
		     .flag = 1,
		     .d = 99,
		     .e = -1000,
		     .after = 17 };

struct __attribute__((packed)) packed {
	char first;
	int second;
	unsigned x : 5, y : 12;
	long third;
};

struct packed packed = { 'p', -2, 21, 3000, 77 };

struct enums {
	enum color color;
	enum flags flags;
	enum negative negative, below;
	enum wide wide;
};

struct enums enums = { BLUE, FLAG_A | FLAG_C, ABOVE, BELOW, WIDE };

struct arrays {
	int one[4];
	int two[2][3];
	char text[16];
	char full[4];
	const char *names[3];
	struct {
		short x, y;
	} points[3];
	double three[2][2][2];
	enum color colors[2];
	int none[0];
};

struct arrays arrays = {
	{ 1, -2, 3, 4 },
	{ { 1, 2, 3 }, { 4, 5, 6 } },
	"hello\n\"there\"",
	{ 'f', 'u', 'l', 'l' },
	{ "first", NULL, "third" },
	{ { 1, -1 }, { 2, -2 }, { 3, -3 } },
	{ { { 1, 2 }, { 3, 4 } }, { { 5, 6 }, { 7, 8 } } },
	{ GREEN, RED },
};

struct flexible {
	size_t count;
	int items[];
};

struct flexible *flexible;

struct anonymous {
	int kind;
	union {
		int number;
		float real;
		struct {
			short low, high;
		};
	};
	struct {
		int inner;
	} named;
};

struct anonymous anonymous = { 2, { .number = 0x00050007 }, { 9 } };

union value {
	int i;
	char bytes[4];
	float f;
};

union value value = { .i = 0x41424344 };

typedef const volatile struct node node_t;

struct node {
	struct node *next;
	node_t *peeled;
	int payload;
};

struct node nodes[3] = { { &nodes[1], &nodes[2], 10 },
			 { &nodes[2], NULL, 20 },
			 { NULL, &nodes[0], 30 } };
struct node *list_head = &nodes[0];
struct node circle[3] = { { &circle[1], NULL, 1 },
			  { &circle[2], NULL, 2 },
			  { &circle[1], NULL, 3 } };

struct opaque;

typedef int (*compare_fn)(const void *, const void *);

struct pointers {
	compare_fn compare;
	int (*table[2])(const void *, const void *);
	void (*signal)(int, void (*)(int));
	void *data;
	const char *text;
	char **argv;
	struct opaque *opaque;
	int (*array)[3];
	volatile int *const fixed;
};

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int fixed;
char *words[] = { "w0", "w1", NULL };
struct pointers pointers = { .compare = compare_ints,
			     .table = { compare_ints, NULL },
			     .data = &scalars,
			     .text = "a text",
			     .argv = words,
			     .opaque = (struct opaque *)0x1234,
			     .array = arrays.two,
			     .fixed = &fixed };

struct nested {
	struct scalars scalars;
	struct {
		struct {
			struct {
				int deep;
			} c;
		} b;
	} a;
	struct node *nodes[2];
	int tail;
};

struct nested nested = { .scalars.i = 3,
			 .a.b.c.deep = 7,
			 .nodes = { &nodes[0], &nodes[1] },
			 .tail = 1 };

struct holes {
	char a;
	long b;
	short c;
	unsigned d : 3;
	char e;
};

struct holes holes = { 1, 2, 3, 4, 5 };

__int128 wide_integer = (__int128)1 << 100;
_Complex double complex_number = 1.0;
static struct tm when = {
	.tm_year = 126, .tm_mon = 10, .tm_mday = 21, .tm_zone = "UTC"
};
static struct timespec moment = { 1234567890, 999999999 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static div_t quotient = { 7, 3 };
struct link_map *map;
struct lconv *conventions;

/* Local to a function, as gdb sees it too. */
static void *count_calls(void)
{
	struct local {
		int calls;
		char label[8];
	};
	static struct local calls = { 0, "label" };

	calls.calls++;
	return &calls;
}

void *local;

typedef int four_ints __attribute__((vector_size(16)));
typedef double two_doubles __attribute__((vector_size(16)));
typedef signed char many_chars __attribute__((vector_size(16)));

struct numbers {
	four_ints ints;
	two_doubles doubles;
	many_chars chars;
	__float128 quad, negative;
	long double extended, endless;
	_Complex float complex_float;
	_Complex long double complex_extended;
	double endless_down, minus_zero, smallest, third;
	float single_third;
	_Atomic int atomic;
	wchar_t wide_text[6];
	char repeated[300], nothing[8];
	unsigned char bytes[40];
};

struct numbers numbers = {
	{ 1, -2, 3, -4 },
	{ 1.5, -0.25 },
	{ 1, -1, 127, -128 },
	(__float128)1 / 3,
	-2.5,
	1.0L / 3,
	__builtin_infl(),
	-1.5f,
	2.25L,
	-__builtin_inf(),
	-0.0,
	4.9e-324,
	1.0 / 3,
	1.0f / 3,
	-9,
	L"wide",
	.bytes = "unsigned",
};

struct functions {
	int (*compare)(const void *a, const void *b);
	int (*list[3])(const void *a, const void *b);
	int (*matrix)[4];
	const struct numbers *const volatile numbers;
};

struct functions functions = {
	compare_ints, { compare_ints, NULL, NULL }, &arrays.one, &numbers
};

struct overlaid {
	union {
		struct {
			unsigned low : 4, middle : 24, high : 4;
		};
		unsigned all;
		float real;
	};
	struct {
		short none[0];
		int tail;
	};
	enum { MINUS = -1, MANY = 0x7fffffff } plain;
	unsigned long long most : 63;
	long long some : 33;
	signed char few : 3;
};

struct overlaid overlaid = { { .all = 0xdeadbeef },
			     { .tail = -5 },
			     MINUS,
			     1ULL << 62,
			     -(1LL << 32),
			     -4 };

int main(void)
{
	memset(numbers.repeated, 'r', 250);
	flexible = malloc(sizeof(*flexible) + 3 * sizeof(int));
	flexible->count = 3;
	for (int i = 0; i < 3; i++)
		flexible->items[i] = i * i;
	map = _r_debug.r_map;
	conventions = localeconv();
	when.tm_sec = moment.tv_nsec > 5;
	pthread_mutex_lock(&mutex);
	pthread_cond_signal(&condition);
	quotient.quot++;
	local = count_calls();
	fputs("written ", stdout); /* its buffer holds it */
	make_shapes();
	abort();
}
