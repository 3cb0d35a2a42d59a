/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/module.h"

#include "alloc/clock.h"
#include "alloc/mapping.h"
#include "alloc/pages.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/unwind.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

static bool inside(const struct kma_module *module, uintptr_t address,
		   size_t size)
{
	return address >= module->base && address <= module->end &&
	       size <= module->end - address;
}

/* The build id among the notes at address. */
static void read_notes(struct kma_module *module, uintptr_t address,
		       size_t size)
{
	uintptr_t end = address + size;

	if (!inside(module, address, size))
		return;
	while (end - address >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const void *)address;
		const char *name = (const void *)(note + 1);
		size_t name_size = ((size_t)note->n_namesz + 3) & ~(size_t)3;
		size_t total = sizeof(*note) + name_size +
			       (((size_t)note->n_descsz + 3) & ~(size_t)3);

		if (total > end - address)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    memcmp(name, "GNU", 4) == 0 &&
		    note->n_descsz <= KMA_BUILD_ID_MAX) {
			memcpy(module->build_id, name + name_size,
			       note->n_descsz);
			module->build_id_size = note->n_descsz;
			return;
		}
		address += total;
	}
}

static void read_build_id(struct kma_module *module, uintptr_t bias)
{
	const Elf64_Ehdr *header = (const void *)module->base;

	if (!inside(module, module->base, sizeof(*header)) ||
	    memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_phentsize != sizeof(Elf64_Phdr) ||
	    !inside(module, module->base + header->e_phoff,
		    (size_t)header->e_phnum * sizeof(Elf64_Phdr)))
		return;
	const Elf64_Phdr *segment =
		(const void *)(module->base + header->e_phoff);
	for (int i = 0; i < header->e_phnum && !module->build_id_size; i++)
		if (segment[i].p_type == PT_NOTE)
			read_notes(module, bias + segment[i].p_vaddr,
				   segment[i].p_memsz);
}

static void name_program(char *path, size_t size)
{
	long length = sys_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe",
			       (long)path, (long)size - 1, 0, 0);

	if (length > 0)
		path[length] = '\0';
	else /* no /proc here */
		strncpy(path, (const char *)getauxval(AT_EXECFN), size - 1);
}

/*
 * The linker knows the program itself as "", and others by the name they were
 * opened with: where that is no path from the root, the kernel is asked.
 */
static char *copy_path(const char *name, uintptr_t base)
{
	struct kma_mapping mapping;
	size_t size = name[0] == '/' ? strlen(name) + 1 : PATH_MAX;
	char *path = kma_depot_alloc(size);

	if (!path)
		return NULL;
	if (name[0] == '/')
		return memcpy(path, name, size);
	path[0] = '\0';
	if (name[0] == '\0')
		name_program(path, size);
	else if (!kma_mapping_find(base, &mapping, path, size))
		strncpy(path, name, size - 1);
	kma_depot_trim(path, size, strlen(path) + 1);
	return path;
}

/* What glibc says of a PC's module, as far as we use it. */
struct object {
	uintptr_t base, end;
	const void *eh_frame_header;
	const struct link_map *map;
	uint32_t name_hash;
};

static uint32_t hash_name(const char *name)
{
	uint32_t hash = 0;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * UINT32_C(0x01000193);
	return hash;
}

/*
 * Of a program with holes between its segments glibc gives the segment alone;
 * .eh_frame lies in another.
 */
static void widen_program(struct object *object)
{
	const Elf64_Phdr *header = (const void *)getauxval(AT_PHDR);
	size_t count = header ? getauxval(AT_PHNUM) : 0;

	for (size_t i = 0; i < count; i++) {
		uintptr_t start = object->map->l_addr + header[i].p_vaddr;

		if (header[i].p_type != PT_LOAD)
			continue;
		start &= ~(uintptr_t)(KMA_PAGE_SIZE - 1);
		if (start < object->base)
			object->base = start;
		if (object->map->l_addr + header[i].p_vaddr +
			    header[i].p_memsz >
		    object->end)
			object->end = object->map->l_addr + header[i].p_vaddr +
				      header[i].p_memsz;
	}
}

static bool object_find(uintptr_t pc, struct object *ret)
{
	struct dl_find_object found;

	if (_dl_find_object((void *)pc, &found) != 0)
		return false;
	ret->base = (uintptr_t)found.dlfo_map_start;
	ret->end = (uintptr_t)found.dlfo_map_end;
	ret->eh_frame_header = found.dlfo_eh_frame;
	ret->map = found.dlfo_link_map;
	ret->name_hash = hash_name(ret->map->l_name);
	if (ret->map->l_name[0] == '\0')
		widen_program(ret);
	return true;
}

static bool overlaps(const struct kma_module *m, const struct kma_module *other)
{
	return m->base < other->end && other->base < m->end;
}

/* A module that begins where others were means that they are gone. */
static void end_overlapped(const struct kma_module *added)
{
	struct kma_module *m =
		__atomic_load_n(&kma_root.modules, __ATOMIC_ACQUIRE);
	uint64_t zero = 0;
	bool any = false;

	for (; m; m = m->next, zero = 0)
		if (m != added && overlaps(m, added))
			any |= __atomic_compare_exchange_n(
				&m->until_time, &zero, added->from_time, false,
				__ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (any)
		kma_unwind_flush();
}

static bool is_object(const struct kma_module *m, const struct object *object)
{
	return m->base == object->base && m->end == object->end &&
	       m->eh_frame_header == object->eh_frame_header &&
	       m->name_hash == object->name_hash &&
	       __atomic_load_n(&m->until_time, __ATOMIC_RELAXED) == 0;
}

static const struct kma_module *search(const struct kma_module *m,
				       const struct kma_module *stop,
				       const struct object *object)
{
	for (; m && m != stop; m = m->next)
		if (is_object(m, object))
			return m;
	return NULL;
}

static bool is_same_file(const struct kma_module *m,
			 const struct kma_module *other)
{
	return m->base == other->base && m->end == other->end &&
	       m->eh_frame_header == other->eh_frame_header &&
	       m->name_hash == other->name_hash &&
	       m->build_id_size == other->build_id_size &&
	       memcmp(m->build_id, other->build_id, m->build_id_size) == 0;
}

/*
 * A library that is opened and closed over and over would leave a record each
 * time. Where the last that lay there was the same file, it is taken to have
 * been there all along: no stack means another place by that.
 */
static const struct kma_module *revive(const struct kma_module *opened)
{
	struct kma_module *m =
		__atomic_load_n(&kma_root.modules, __ATOMIC_ACQUIRE);

	while (m && !overlaps(m, opened))
		m = m->next;
	if (!m || opened->build_id_size == 0 || !is_same_file(m, opened))
		return NULL;
	__atomic_store_n(&m->until_time, 0, __ATOMIC_RELEASE);
	return m;
}

static struct kma_module describe(const struct object *object)
{
	struct kma_module module = {
		.base = object->base,
		.end = object->end,
		.eh_frame_header = object->eh_frame_header,
		.from_time = kma_clock_now(),
		.name_hash = object->name_hash,
	};

	read_build_id(&module, object->map->l_addr);
	return module;
}

/* Enter it, unless another thread does first. */
static const struct kma_module *add(const struct object *object,
				    const struct kma_module *seen)
{
	const struct kma_module opened = describe(object);
	const struct kma_module *found = revive(&opened);
	struct kma_module *head = (struct kma_module *)seen;

	if (found)
		return found;
	struct kma_module *module = kma_depot_alloc(sizeof(*module));
	if (!module)
		return NULL;
	*module = opened;
	module->path = copy_path(object->map->l_name, module->base);
	do {
		found = search(head, seen, object);
		if (found)
			return found;
		seen = head;
		module->next = head;
	} while (!__atomic_compare_exchange_n(&kma_root.modules, &head, module,
					      false, __ATOMIC_RELEASE,
					      __ATOMIC_ACQUIRE));
	end_overlapped(module);
	return module;
}

/* The last found of those that begin alike: a program that opens and closes
 * libraries over and over has many that are gone. */
static const struct kma_module **recent_of(const struct object *object)
{
	enum { RECENT_BITS = 6 };
	static const struct kma_module *recent[1 << RECENT_BITS];
	uint64_t page = object->base >> KMA_PAGE_SHIFT;

	return &recent[page * UINT64_C(0x9E3779B97F4A7C15) >>
		       (64 - RECENT_BITS)];
}

const struct kma_module *kma_module_find(uintptr_t pc)
{
	struct object object;

	if (!object_find(pc, &object))
		return NULL;
	const struct kma_module **recent = recent_of(&object);
	const struct kma_module *found =
		__atomic_load_n(recent, __ATOMIC_ACQUIRE);
	if (found && is_object(found, &object))
		return found;
	const struct kma_module *head =
		__atomic_load_n(&kma_root.modules, __ATOMIC_ACQUIRE);
	found = search(head, NULL, &object);
	if (!found)
		found = add(&object, head);
	__atomic_store_n(recent, found, __ATOMIC_RELEASE);
	return found;
}

/* A module is asked for where it begins; the program itself never goes. */
static bool is_gone(const struct kma_module *module)
{
	struct object object;

	return module->name_hash != hash_name("") &&
	       (!object_find(module->base, &object) ||
		!search(module, module->next, &object));
}

void kma_module_closed(void)
{
	struct kma_module *m =
		__atomic_load_n(&kma_root.modules, __ATOMIC_ACQUIRE);
	uint64_t now = kma_clock_now(), zero = 0;
	bool any = false;

	for (; m; m = m->next, zero = 0)
		if (__atomic_load_n(&m->until_time, __ATOMIC_RELAXED) == 0 &&
		    is_gone(m))
			any |= __atomic_compare_exchange_n(
				&m->until_time, &zero, now, false,
				__ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (any)
		kma_unwind_flush();
}
