/* SPDX-License-Identifier: BSD-2-Clause */
/* Held by pointers where words are not looked for: in structures packed to four
 * bytes, as network code and git have them, and with a tag above the address.
 * Possible leaks, which fail no check. */
#include "corpus/escape.h"

#include <stdint.h>
#include <stdlib.h>

struct entry {
	uint32_t kind;
	void *data;
} __attribute__((packed, aligned(4)));

static struct entry *volatile table;
static volatile uintptr_t tagged;

static NOINLINE void keep_packed(void)
{
	table = malloc(6 * sizeof(*table)); /* every other one is aligned */
	for (int i = 0; i < times(6); i++) {
		table[i].kind = (uint32_t)i;
		table[i].data = escape(malloc(100));
	}
}

static NOINLINE void keep_tagged(void)
{
	tagged = (uintptr_t)escape(malloc(200)) | UINT64_C(0x5a) << 56;
}

int main(void)
{
	keep_packed();
	keep_tagged();
	forget();
	return 0;
}
