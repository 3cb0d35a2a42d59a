/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts, as sections. A record begins with its own size, so that a later
 * version can add to its end, and is never divided between two parts. Texts
 * are a length, the bytes, and a zero byte that the length does not count.
 */
#include "dumpfmt/writer_impl.h"

#include "dumpfmt/line.h"

#include <string.h>

static void flush_part(struct writer *w)
{
	writer_section(w, w->part_kind, w->part, w->part_used);
	w->part_used = 0;
}

static void put(struct writer *w, const void *data, size_t size)
{
	assert(size <= sizeof(w->part) - w->part_used);
	if (size > 0)
		memcpy(w->part + w->part_used, data, size);
	w->part_used += size;
}

static void put_u32(struct writer *w, uint32_t value)
{
	put(w, &value, sizeof(value));
}

static void put_u64(struct writer *w, uint64_t value)
{
	put(w, &value, sizeof(value));
}

static void put_text(struct writer *w, const char *text)
{
	size_t size = text ? strnlen(text, WRITER_TEXT_MAX) : 0;

	put_u32(w, (uint32_t)size);
	put(w, text, size);
	put(w, "", 1);
}

static size_t begin_record(struct writer *w)
{
	size_t start = w->part_used;

	put_u32(w, 0);
	return start;
}

static void end_record(struct writer *w, size_t start)
{
	uint32_t size = (uint32_t)(w->part_used - start);

	memcpy(w->part + start, &size, sizeof(size));
	if (w->part_used >= WRITER_PART_SIZE)
		flush_part(w);
}

static void begin_section(struct writer *w, enum dump_section_kind kind)
{
	w->part_kind = kind;
	w->part_used = 0;
}

static void end_section(struct writer *w)
{
	flush_part(w);
}

static void put_process(struct writer *w)
{
	const struct dump_process *p = w->source->process;

	begin_section(w, DUMP_SECTION_PROCESS);
	size_t start = begin_record(w);
	put_u32(w, p->pid);
	put_u32(w, p->ppid);
	put_u32(w, p->uid);
	put_u32(w, p->gid);
	put_u32(w, p->reason);
	put_u32(w, p->signal);
	put_u32(w, (uint32_t)p->signal_code);
	put_u32(w, p->crashed_thread);
	put_u32(w, p->level);
	put_u32(w, p->exit_status);
	put_u64(w, p->start_realtime_ns);
	put_u64(w, p->dump_realtime_ns);
	put_u64(w, p->dump_monotonic_ns);
	put_u64(w, p->fault_address);
	put_text(w, p->executable);
	put_text(w, p->arguments);
	put_text(w, p->directory);
	put_text(w, p->hostname);
	put_text(w, p->kernel);
	put_text(w, p->writer);
	end_record(w, start);
	end_section(w);
}

static void put_threads(struct writer *w)
{
	struct dump_thread thread;

	begin_section(w, DUMP_SECTION_THREADS);
	while (w->source->next_thread &&
	       w->source->next_thread(w->source->context, &thread)) {
		size_t start = begin_record(w);
		size_t fpregs_size = thread.fpregs ? thread.fpregs_size : 0;

		if (fpregs_size > WRITER_TEXT_MAX)
			fpregs_size = 0;
		put_u32(w, thread.tid);
		put_u32(w, thread.flags);
		put_u64(w, thread.stack_low);
		put_u64(w, thread.stack_high);
		put(w, &thread.registers, sizeof(thread.registers));
		put_text(w, thread.name);
		put_u32(w, (uint32_t)fpregs_size);
		put(w, thread.fpregs, fpregs_size);
		end_record(w, start);
	}
	end_section(w);
}

static void put_maps(struct writer *w)
{
	struct dump_map map;

	begin_section(w, DUMP_SECTION_MAPS);
	while (w->source->next_map &&
	       w->source->next_map(w->source->context, &map)) {
		size_t start = begin_record(w);

		put_u32(w, map.flags);
		put_u64(w, map.start);
		put_u64(w, map.end);
		put_u64(w, map.offset);
		put_text(w, map.path);
		end_record(w, start);
	}
	end_section(w);
}

static void put_modules(struct writer *w)
{
	struct dump_module module;

	begin_section(w, DUMP_SECTION_MODULES);
	while (w->source->next_module &&
	       w->source->next_module(w->source->context, &module)) {
		size_t start = begin_record(w);
		size_t id_size = module.build_id ? module.build_id_size : 0;

		if (id_size > WRITER_TEXT_MAX)
			id_size = 0;
		put_u64(w, module.base);
		put_u64(w, module.end);
		put_text(w, module.path);
		put_u32(w, (uint32_t)id_size);
		put(w, module.build_id, id_size);
		end_record(w, start);
	}
	end_section(w);
}

static void put_numbers(struct writer *w, enum dump_section_kind kind,
			const uint64_t *numbers, size_t count)
{
	begin_section(w, kind);
	for (size_t i = 0; i < count; i++) {
		put_u64(w, numbers[i]);
		if (w->part_used >= WRITER_PART_SIZE)
			flush_part(w);
	}
	end_section(w);
}

static void put_environment(struct writer *w)
{
	uint64_t offset = 0;
	size_t size = 0;

	begin_section(w, DUMP_SECTION_ENVIRONMENT);
	while (w->source->environment) {
		size = w->source->environment(w->source->context, offset,
					      w->part, WRITER_PART_SIZE);
		if (size == 0)
			break;
		w->part_used = size;
		flush_part(w);
		offset += size;
	}
	if (offset == 0)
		end_section(w);
}

void writer_facts(struct writer *w)
{
	put_process(w);
	put_threads(w);
	put_maps(w);
	put_modules(w);
	put_numbers(w, DUMP_SECTION_ROOTS, w->source->roots,
		    w->source->root_count);
	put_numbers(w, DUMP_SECTION_AUXV, w->source->auxv,
		    2 * w->source->auxv_count);
	put_environment(w);
}

/*
 * After the memory: finding names reads files, which may lie on a disk that
 * does not answer, and names can be had later, too.
 */
void writer_symbols(struct writer *w)
{
	struct dump_symbol symbol;

	if (!w->source->next_symbol)
		return;
	begin_section(w, DUMP_SECTION_SYMBOLS);
	while (w->source->next_symbol(w->source->context, &symbol)) {
		size_t start = begin_record(w);

		put_u32(w, symbol.flags);
		put_u64(w, symbol.module);
		put_u64(w, symbol.address);
		put_u64(w, symbol.size);
		put_u32(w, symbol.info);
		put_u32(w, symbol.line);
		put_text(w, symbol.name);
		put_text(w, symbol.file);
		end_record(w, start);
	}
	end_section(w);
}

void writer_messages(struct writer *w)
{
	char *text = (char *)w->part;
	struct line line;

	begin_section(w, DUMP_SECTION_MESSAGES);
	line_init(&line, text, WRITER_RECORD_MAX);
	if (w->unreadable_pages > 0) {
		line_add_number(&line, w->unreadable_pages, 10);
		line_add(&line, " pages could not be read, the first at 0x");
		line_add_number(&line, w->unreadable_first, 16);
		line_add(&line, "\n");
	}
	w->part_used = line.used;
	if (w->source->messages)
		w->part_used += w->source->messages(
			w->source->context, text + line.used, WRITER_PART_SIZE);
	end_section(w);
}
