/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/thread_local.h"

#include "kdbg/arch.h"

#include <inttypes.h>

enum {
	MAP_LD = 16, /* of struct link_map, which <link.h> has: l_ld, l_next */
	MAP_NEXT = 24,
	DEBUG_MAP = 8,        /* of struct r_debug: r_map */
	MODULES_MAX = 100000, /* a damaged list ends somewhere */
	TCB_DTV = 8,
	DTV_STRIDE = 16,
};

/* One of the words by which libc describes itself: a field's size in bits, how
 * many there are, and where it lies. */
struct described {
	uint64_t size, count, offset;
};

static struct err *field_described(struct symbols *symbols,
				   struct target *target, const char *name,
				   struct described *ret)
{
	struct symbol symbol;
	uint32_t words[3];
	uint64_t address;
	struct err *err = symbols_find(symbols, name, &symbol, &address);

	if (!err)
		err = target_read(target, address, words, sizeof(words));
	if (err)
		return err_wrap(err, "how libc keeps what threads own");
	*ret = (struct described){ words[0] / 8, words[1], words[2] };
	return NULL;
}

static struct err *field_offset(struct symbols *symbols, struct target *target,
				const char *name, uint64_t *ret)
{
	struct described field = { 0 };
	struct err *err = field_described(symbols, target, name, &field);

	if (!err && (field.size != 8 || field.count != 1))
		err = err_new(ERR_UNSUPPORTED, "%s is not a field of 8 bytes",
			      name);
	*ret = field.offset;
	return err;
}

static struct err *thread_pointer(const struct target *target,
				  const struct dump_thread *thread,
				  uint64_t *ret)
{
	if ((thread->flags & DUMP_THREAD_REGISTERS) &&
	    arch_register_get(&thread->registers, "fs_base", ret) && *ret)
		return NULL;
	return err_new(ERR_NOT_FOUND,
		       "the thread pointer of thread %u is not in the %s",
		       thread->tid, target->ops->kind);
}

/* ld.so's record of the module that lies at base. */
static struct err *find_map(struct symbols *symbols, struct target *target,
			    uint64_t base, uint64_t *ret)
{
	const struct dump_module *module = target_module_at(target, base);
	struct symbol symbol;
	uint64_t map, dynamic;
	struct err *err = symbols_find(symbols, "_r_debug", &symbol, &map);

	if (!err)
		err = target_read_uint(target, map + DEBUG_MAP, 8, &map);
	for (unsigned i = 0; !err && map && module && i < MODULES_MAX; i++) {
		err = target_read_uint(target, map + MAP_LD, 8, &dynamic);
		if (!err && dynamic >= module->base && dynamic < module->end) {
			*ret = map;
			return NULL;
		}
		if (!err)
			err = target_read_uint(target, map + MAP_NEXT, 8, &map);
	}
	if (!err)
		err = err_new(ERR_NOT_FOUND, "the module is not in its list");
	return err_wrap(err, "ld.so's modules");
}

/* The block of a module, by its number, in a thread. */
static struct err *find_block(struct target *target,
			      const struct dump_thread *thread, uint64_t module,
			      uint64_t *ret)
{
	uint64_t pointer, dtv, length;
	struct err *err = thread_pointer(target, thread, &pointer);

	if (err)
		return err;
	err = target_read_uint(target, pointer + TCB_DTV, 8, &dtv);
	if (!err)
		err = target_read_uint(target, dtv - DTV_STRIDE, 8, &length);
	if (err)
		return err_wrap(err, "the thread's table of blocks");
	if (module <= length)
		err = target_read_uint(target, dtv + module * DTV_STRIDE, 8,
				       ret);
	if (!err && (module > length || *ret == UINT64_MAX || !*ret))
		err = err_new(ERR_NOT_FOUND,
			      "thread %u has not used the module's variables "
			      "yet: it has no block of them",
			      thread->tid);
	return err;
}

struct err *thread_local_address(struct symbols *symbols, struct target *target,
				 const struct dump_thread *thread,
				 const char *name, struct symbol *symbol,
				 uint64_t *ret)
{
	uint64_t map = 0, field = 0, module, block;
	struct err *err = symbols_find_thread_local(symbols, name, symbol);

	if (err)
		return err;
	err = find_map(symbols, target, symbol->module_offset, &map);
	if (!err)
		err = field_offset(symbols, target,
				   "_thread_db_link_map_l_tls_modid", &field);
	if (!err)
		err = target_read_uint(target, map + field, 8, &module);
	if (!err)
		err = find_block(target, thread, module, &block);
	if (!err)
		*ret = block + symbol->value;
	return err_wrap(err, "%s", name);
}

/* How libc keeps the values of keys. */
struct key_layout {
	struct described blocks; /* of struct pthread: pointers, in one field */
	struct described pairs;  /* of a block */
	uint64_t value;          /* of a pair */
};

static struct err *read_key_layout(struct symbols *symbols,
				   struct target *target,
				   struct key_layout *ret)
{
	struct err *err = field_described(
		symbols, target, "_thread_db_pthread_specific", &ret->blocks);

	if (!err)
		err = field_described(symbols, target,
				      "_thread_db_pthread_key_data_level2_data",
				      &ret->pairs);
	if (!err)
		err = field_offset(symbols, target,
				   "_thread_db_pthread_key_data_data",
				   &ret->value);
	if (!err && (!ret->pairs.count || !ret->pairs.size))
		err = err_new(ERR_UNSUPPORTED, "libc says that its blocks of "
					       "keys are empty");
	return err;
}

struct err *thread_specific(struct symbols *symbols, struct target *target,
			    const struct dump_thread *thread, unsigned key,
			    uint64_t *ret)
{
	struct key_layout layout;
	uint64_t pointer, block = 0;
	struct err *err = read_key_layout(symbols, target, &layout);

	*ret = 0;
	if (!err && key / layout.pairs.count >= layout.blocks.size / 8)
		err = err_new(ERR_NOT_FOUND, "there is no key %u", key);
	if (!err)
		err = thread_pointer(target, thread, &pointer);
	if (!err)
		err = target_read_uint(target,
				       pointer + layout.blocks.offset +
					       key / layout.pairs.count * 8,
				       8, &block);
	if (err || !block)
		return err;
	return target_read_uint(target,
				block + layout.pairs.offset + layout.value +
					key % layout.pairs.count *
						layout.pairs.size,
				8, ret);
}
