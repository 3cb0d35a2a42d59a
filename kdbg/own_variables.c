/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/own_variables.h"

#include "kdbg/arch.h"
#include "kdbg/target.h"

#include <elf.h>
#include <string.h>

const struct dump_thread *representative_thread(const struct session *session)
{
	const struct target *target = session->target;

	if (!target || !target->thread_count)
		return NULL;
	if (session->thread)
		return target_thread(target, session->thread);
	for (size_t i = 0; i < target->thread_count; i++)
		if (target->threads[i].flags & DUMP_THREAD_CRASHED)
			return &target->threads[i];
	return &target->threads[0];
}

/* The program's own module; NULL: not known. */
static const struct dump_module *program(const struct session *session)
{
	const struct target *target = session->target;

	return target && target->executable < target->module_count
		       ? &target->modules[target->executable]
		       : NULL;
}

/* The bytes of the program's mappings with all these flags, and where the first
 * begins. False: it has none. */
static bool mapped(const struct session *session, unsigned flags,
		   uint64_t *first, uint64_t *bytes)
{
	const struct dump_module *module = program(session);
	const struct target *target = session->target;

	*bytes = 0;
	for (size_t i = 0; module && i < target->map_count; i++) {
		const struct dump_map *map = &target->maps[i];

		if (map->start < module->base || map->start >= module->end ||
		    (map->flags & flags) != flags)
			continue;
		if (!*bytes)
			*first = map->start;
		*bytes += map->end - map->start;
	}
	return *bytes != 0;
}

static bool of_formats(const struct session *session, uint64_t *ret)
{
	*ret = session->formatted;
	return true;
}

static bool of_macros(const struct session *session, uint64_t *ret)
{
	*ret = session->macro_count;
	return true;
}

static bool data_start(const struct session *session, uint64_t *ret)
{
	uint64_t bytes;

	return mapped(session, DUMP_MAP_WRITE, ret, &bytes);
}

static bool data_size(const struct session *session, uint64_t *ret)
{
	uint64_t start;

	return mapped(session, DUMP_MAP_WRITE, &start, ret);
}

static bool text_size(const struct session *session, uint64_t *ret)
{
	uint64_t start;

	return mapped(session, DUMP_MAP_EXEC, &start, ret);
}

static bool entry(const struct session *session, uint64_t *ret)
{
	return session->target && target_auxv(session->target, AT_ENTRY, ret);
}

static bool magic(const struct session *session, uint64_t *ret)
{
	const struct dump_module *module = program(session);

	if (!module)
		return false;
	struct err *err =
		target_read_uint(session->target, module->base, 4, ret);
	bool known = !err;
	err_free(err);
	return known;
}

static bool thread_id(const struct session *session, uint64_t *ret)
{
	const struct dump_thread *thread = representative_thread(session);

	*ret = thread ? thread->tid : 0;
	return thread != NULL;
}

static const struct {
	const char *name;
	bool (*value)(const struct session *session, uint64_t *ret);
} own[] = {
	{ "0", of_formats }, { "9", of_macros },      { "b", data_start },
	{ "d", data_size },  { "e", entry },          { "m", magic },
	{ "t", text_size },  { "thread", thread_id },
};

enum { OWN_COUNT = sizeof(own) / sizeof(own[0]) };

static bool own_register(const struct session *session, const char *name,
			 uint64_t *ret)
{
	const struct dump_thread *thread = representative_thread(session);

	return thread &&
	       (thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)) &&
	       arch_register_get(&thread->registers, name, ret);
}

bool own_variable(const struct session *session, const char *name,
		  uint64_t *ret)
{
	for (size_t i = 0; i < OWN_COUNT; i++)
		if (strcmp(own[i].name, name) == 0)
			return own[i].value(session, ret);
	return own_register(session, name, ret);
}

void own_variables_each(const struct session *session,
			void (*each)(void *context, const char *name,
				     uint64_t value),
			void *context)
{
	const struct arch_register *registers;
	size_t count = arch_registers(&registers);
	uint64_t value;

	for (size_t i = 0; i < OWN_COUNT; i++)
		if (own[i].value(session, &value))
			each(context, own[i].name, value);
	for (size_t i = 0; i < count; i++)
		if (own_register(session, registers[i].name, &value))
			each(context, registers[i].name, value);
}
