/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target_environment.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEARCHED_MAX = 8 << 20, /* the kernel allows strings of 6 MiB */
	PAIRS_COMPARED = 4,
};

/* Where in words the vector's first pairs stand; count: nowhere. */
static size_t find_auxv(const struct target *target, const uint64_t *words,
			size_t count)
{
	size_t pairs = target->auxv_count < PAIRS_COMPARED ? target->auxv_count
							   : PAIRS_COMPARED;
	size_t size = pairs * 2 * sizeof(*words);

	for (size_t i = 1; pairs && i + 2 * pairs <= count; i++)
		if (words[i] == target->auxv[0] && words[i - 1] == 0 &&
		    memcmp(&words[i], target->auxv, size) == 0)
			return i;
	return count;
}

/* From the end of envp back to its first pointer; 0: the list has no begin. */
static size_t first_pointer(const uint64_t *words, size_t end)
{
	size_t i = end - 1; /* the zero that ends it */

	while (i > 0 && words[i - 1] != 0)
		i--;
	return i;
}

static struct err *search(const struct target *target, uint64_t start,
			  const uint64_t *words, size_t count, uint64_t *ret)
{
	size_t auxv = find_auxv(target, words, count);
	size_t first = auxv < count ? first_pointer(words, auxv) : 0;

	if (!first)
		return err_new(ERR_NOT_FOUND,
			       "the stack's top is not as the kernel makes it: "
			       "no environment");
	*ret = start + first * sizeof(*words);
	return NULL;
}

struct err *target_environment(struct target *target, uint64_t *ret)
{
	const struct dump_map *map = NULL;
	uint64_t name;

	if (target_auxv(target, AT_EXECFN, &name))
		map = target_map_at(target, name);
	if (!map)
		return err_new(ERR_NOT_FOUND,
			       "the %s does not tell where its first stack is",
			       target->ops->kind);
	uint64_t start = name > SEARCHED_MAX && name - SEARCHED_MAX > map->start
				 ? name - SEARCHED_MAX
				 : map->start;
	start = (start + 7) & ~UINT64_C(7);
	size_t count = (size_t)(name - start) / sizeof(uint64_t);
	uint64_t *words = calloc(count + 1, sizeof(*words));
	if (!words)
		return err_new(ERR_NO_MEMORY, "the environment");
	struct err *err =
		target_read(target, start, words, count * sizeof(*words));
	if (!err)
		err = search(target, start, words, count, ret);
	free(words);
	return err;
}
