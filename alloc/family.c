/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new and free() mixed: the program's fault, or an innocent's?
 *
 * A program may carry a copy of the C++ library's operators of its own (linked
 * statically) that call malloc and free, often by a jump that leaves no frame.
 * Then malloc's buffers reach our operator delete, and new's reach free(),
 * and nobody did wrong. Such a copy lives in the module that uses it; a module
 * that imports the operators has none. So a mix is held against a program only
 * where the module that called the malloc side imports operators. The C library
 * (strdup, getline) has no copy, and calls on behalf of another.
 */
#include "alloc/family.h"

#include "alloc/stack.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

const char *kma_family_allocator(enum kma_family family)
{
	static const char *const name[] = {
		"malloc",
		"operator new",
		"operator new[]",
		"kmem_alloc",
		"typed malloc",
		"a cache",
		"aligned operator new",
		"aligned operator new[]",
	};

	return family < KMA_FAMILY_COUNT ? name[family] : "another allocator";
}

/* What a module's dynamic section says of its symbols. */
struct symbols {
	const Elf64_Sym *table;
	const char *names;
	size_t names_size;
	const uint32_t *hash; /* DT_GNU_HASH: count, first hashed symbol, ... */
};

static struct symbols symbols_of(const struct link_map *map)
{
	struct symbols symbols = { 0 };

	for (const Elf64_Dyn *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		uintptr_t at = d->d_un.d_ptr;

		/* ld.so has relocated these, unless the section is read-only.
		 */
		if (at < map->l_addr)
			at += map->l_addr;
		if (d->d_tag == DT_SYMTAB)
			symbols.table = (const Elf64_Sym *)at;
		else if (d->d_tag == DT_STRTAB)
			symbols.names = (const char *)at;
		else if (d->d_tag == DT_STRSZ)
			symbols.names_size = d->d_un.d_val;
		else if (d->d_tag == DT_GNU_HASH)
			symbols.hash = (const uint32_t *)at;
	}
	return symbols;
}

/* _Znw, _Zna, _Zdl, _Zda: new, new[], delete, delete[]. */
static bool is_operator(const char *name)
{
	return name[0] == '_' && name[1] == 'Z' &&
	       ((name[2] == 'n' && (name[3] == 'w' || name[3] == 'a')) ||
		(name[2] == 'd' && (name[3] == 'l' || name[3] == 'a')));
}

/* Symbols a module imports come before the first that its hash table holds. */
static bool imports_operators(uintptr_t pc)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object) != 0)
		return false;
	struct symbols symbols = symbols_of(object.dlfo_link_map);
	if (!symbols.table || !symbols.names || !symbols.hash)
		return false;
	for (uint32_t i = 1; i < symbols.hash[1]; i++)
		if (symbols.table[i].st_shndx == SHN_UNDEF &&
		    symbols.table[i].st_name < symbols.names_size &&
		    is_operator(symbols.names + symbols.table[i].st_name))
			return true;
	return false;
}

static bool is_libc(uintptr_t pc)
{
	struct dl_find_object object, libc;

	return _dl_find_object((void *)pc, &object) == 0 &&
	       _dl_find_object((void *)(uintptr_t)getauxval, &libc) == 0 &&
	       object.dlfo_link_map == libc.dlfo_link_map;
}

/* Whoever called malloc or free, perhaps through the C library. */
static bool caller_imports_operators(const uint64_t *pc, size_t depth)
{
	enum { CALLER = 1 };

	for (size_t i = CALLER; i < depth; i++)
		if (!is_libc(pc[i]))
			return imports_operators(pc[i]);
	return false;
}

bool kma_family_mixed(uint32_t alloc_stack, enum kma_family allocated,
		      enum kma_family released)
{
	enum { FRAMES = 8 };
	uint64_t pc[FRAMES];
	uint16_t flags;

	if (kma_family_is_kernel(allocated) || kma_family_is_kernel(released))
		return true;
	if (released == KMA_FAMILY_MALLOC)
		return caller_imports_operators(
			pc, kma_stack_capture(pc, FRAMES, &flags));
	if (allocated == KMA_FAMILY_MALLOC) {
		const struct kma_stack *stack = kma_stack_get(alloc_stack);

		return stack &&
		       caller_imports_operators(stack->pc, stack->depth);
	}
	return true;
}
