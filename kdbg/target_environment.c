/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target_environment.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEARCHED_MAX = 8 << 20, /* the kernel allows strings of 6 MiB */
	PAIRS_COMPARED = 4,
	ARGUMENTS_MAX = 100000,
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

/* The number of pointers before envp and its zero that argc, before them, says
 * there are. */
static size_t count_arguments(struct target *target, uint64_t envp)
{
	for (size_t count = 0; count < ARGUMENTS_MAX; count++) {
		uint64_t at = envp - (count + 2) * sizeof(uint64_t), argc;
		struct err *err = target_read_uint(target, at, 8, &argc);

		if (err) {
			err_free(err);
			return 0;
		}
		if (argc == count)
			return count;
	}
	return 0;
}

bool target_arguments(struct target *target, char *text, size_t size)
{
	uint64_t envp, address;
	struct err *err = target_environment(target, &envp);
	size_t count = err ? 0 : count_arguments(target, envp), used = 0;

	for (size_t i = 0; i < count && used + 2 < size; i++) {
		size_t start = used + (i > 0);

		err = target_read_uint(
			target, envp - (count + 1 - i) * sizeof(uint64_t), 8,
			&address);
		if (!err)
			err = target_read_text(target, address, text + start,
					       size - start);
		if (err)
			break; /* or no room: what there is */
		if (i)
			text[used] = ' ';
		used = start + strlen(text + start);
	}
	text[used] = '\0';
	err_free(err);
	return used != 0;
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
