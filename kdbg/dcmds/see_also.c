/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/see_also.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct see_also_group groups[] = {
	{ "The target", "status doctor siginfo auxv getenv xdata mappings "
			"objects" },
	{ "Which target", "attach stop release gcore status" },
	{ "Leaks, and what holds memory",
	  "findleaks whyleak whylive retained refs diff" },
	{ "Who has memory", "kmausers topusers diff retained malloctypes" },
	{ "Damage", "kmem_verify kma_error kmguard kmem_status" },
	{ "Buffers and their history",
	  "bufctl kmalog kmem_log allocdby freedby whatis" },
	{ "The allocator",
	  "kmastat kmem_cache kmem_slabs kmem_status "
	  "umem_malloc_dist umem_malloc_info percpu vmem vmem_seg" },
	{ "Pools, caches and types of the program",
	  "pool pools poolcache malloctypes kmem_cache" },
	{ "Threads", "threads stack stackregs stacks regs fpregs ucontext tls "
		     "tsd waiters whatthread" },
	{ "What is where", "whatis ugrep refs whatthread mappings nm" },
	{ "Memory and code", "dump dis ugrep print formats" },
	{ "Types", "print printf array list tree hash sizeof offsetof enum "
		   "typedef" },
	{ "Symbols", "nm nmadd nmdel objects dem globals files" },
	{ "Pipelines",
	  "walk walkers grep map head tail sort uniq count sum top "
	  "tee echo cat eval" },
	{ "The language", "vars typeset unset radix functions" },
	{ "Help", "help dcmds walkers formats functions which" },
	{ "Modules of your own", "load unload dmods" },
	{ "The session", "set term log source version quit" },
};

enum { GROUP_COUNT = sizeof(groups) / sizeof(groups[0]) };

const struct see_also_group *see_also_group(size_t i)
{
	return i < GROUP_COUNT ? &groups[i] : NULL;
}

/* Does text, of words with blanks between, have this one? prefix: each begins
 * with it. */
static bool has_word(const char *text, const char *prefix, const char *word,
		     size_t length)
{
	size_t skip = strlen(prefix);

	while (*text) {
		size_t end = strcspn(text, " ");

		if (end == skip + length &&
		    strncmp(text + skip, word, length) == 0)
			return true;
		text += end + strspn(text + end, " ");
	}
	return false;
}

bool see_also_names(const char *names, const char *command)
{
	return has_word(names, "", command, strlen(command));
}

static void add_group(const char *group, const char *name, char *buffer,
		      size_t size)
{
	while (*group) {
		size_t length = strcspn(group, " ");
		size_t used = strlen(buffer);
		bool itself = strlen(name) == length &&
			      strncmp(name, group, length) == 0;

		if (!itself && !has_word(buffer, "::", group, length))
			snprintf(buffer + used, size - used, "%s%s%.*s",
				 used ? " " : "",
				 *group == '$' ? "" : "::", (int)length, group);
		group += length + strspn(group + length, " ");
	}
}

void see_also(const char *name, char *buffer, size_t size)
{
	*buffer = '\0';
	for (size_t i = 0; i < GROUP_COUNT; i++)
		if (has_word(groups[i].names, "", name, strlen(name)))
			add_group(groups[i].names, name, buffer, size);
}
