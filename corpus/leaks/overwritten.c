/* SPDX-License-Identifier: BSD-2-Clause */
/* The classic ones: a pointer overwritten, an early return, a realloc whose
 * result went into a copy, a field forgotten when its owner was freed. */
#include "corpus/escape.h"

#include <stdlib.h>
#include <string.h>

struct config {
	char *name;
	char *path;
};

static struct config *current;

static NOINLINE struct config *load_config(const char *name)
{
	struct config *config = escape(malloc(sizeof(*config)));

	config->name = strdup(name);
	config->path = strdup("/etc/example");
	return config;
}

static void free_config(struct config *config)
{
	free(config->name); /* and not its path */
	free(config);
}

static NOINLINE void reload(const char *name)
{
	if (current)
		free_config(current);
	current = load_config(name);
}

static NOINLINE int check_name(const char *name)
{
	char *copy = escape(malloc(64));

	strncpy(copy, name, 63);
	copy[63] = 0;
	if (!strchr(copy, '.'))
		return -1; /* and not free */
	free(copy);
	return 0;
}

static NOINLINE void set_default(void)
{
	current->name = strdup("default"); /* over the old one */
}

int main(void)
{
	for (int i = 0; i < times(4); i++)
		reload("first.conf"); /* loses three paths */
	for (int i = 0; i < times(6); i++)
		check_name(i % 2 ? "a.b" : "ab"); /* loses three copies */
	set_default();
	forget();
	return 0;
}
