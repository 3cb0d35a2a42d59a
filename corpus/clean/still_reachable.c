/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing is freed and nothing is lost: tables, lists and trees hang off
 * globals, statics, the environment and stdio. */
#include "corpus/escape.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next;
	char *key, *value;
};

static struct entry *table[64];
static struct entry **index_of_table;

static void put(const char *key, const char *value)
{
	struct entry *entry = malloc(sizeof(*entry));
	size_t slot = strlen(key) % 64;

	entry->key = strdup(key);
	entry->value = strdup(value);
	entry->next = table[slot];
	table[slot] = entry;
}

int main(void)
{
	static FILE *null;
	char key[64];

	setlocale(LC_ALL, "");
	setenv("CORPUS_VARIABLE", "a value that setenv copies", 1);
	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "%0*d", i % 40 + 1, i);
		put(key, "value");
	}
	index_of_table = malloc(sizeof(*index_of_table));
	*index_of_table = table[3];
	null = fopen("/dev/null", "w");
	fprintf(null, "buffered");
	forget();
	return 0;
}
