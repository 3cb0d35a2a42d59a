/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Something of everything that a command shows: a list, a table, a freed
 * buffer, a lost one, a second free that is gone on after, a variable of each
 * thread, and the end by a signal. commands.py asks about it.
 *
 * The buffers' sizes are such that neither libc nor the loader uses their
 * caches, so what is said of those is the same on every system.
 */
#include <stdlib.h>
#include <string.h>

enum colour { RED = 1, GREEN = 2, BLUE = 4 };

struct item {
	int number;
	enum colour colour;
	const char *name;
	struct item *next;
	char text[1160]; /* kmem_alloc_1344 */
};

struct item *list;
struct item *freed;
struct item table[2] = { { .number = 10, .colour = RED, .name = "ten" },
			 { .number = 20,
			   .colour = GREEN | BLUE,
			   .name = "twenty",
			   .next = table } };
unsigned char bytes[32] = "transcript\n\t";
unsigned char code[] = { 0x55, 0x31, 0xc0, 0x74, 0x01, 0x90, 0x5d, 0xc3 };
__thread int own = 7;

static __attribute__((noinline)) struct item *take(int number, const char *name)
{
	struct item *item = calloc(1, sizeof(*item));

	item->number = number;
	item->colour = GREEN;
	item->name = name;
	item->next = list;
	strcpy(item->text, "a text");
	return item;
}

static __attribute__((noinline)) void lose(void)
{
	(void)take(99, "lost");
}

static __attribute__((noinline)) void give_back(struct item *item)
{
	free(item);
	__asm__ volatile("" ::: "memory"); /* no tail call: a frame stays */
}

static __attribute__((noinline)) void wipe(void)
{
	volatile char old[4096];

	for (size_t i = 0; i < sizeof(old); i++)
		old[i] = 0;
}

int main(void)
{
	struct item *volatile kept;

	list = take(1, "one");
	list = take(2, "two");
	list = take(3, "three");
	kept = list;
	freed = take(4, "four");
	give_back(freed);
	lose();
	wipe();
	give_back(freed); /* told, and gone on after */
	list = kept;
	abort();
}
