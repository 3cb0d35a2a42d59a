/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts, from the sections. A record that is damaged ends its part with a
 * warning; what was read before it stays. Texts point into the payloads, which
 * live as long as the dump.
 */
#include "dumpfmt/reader_impl.h"

#include "dumpfmt/cursor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The next record of a part, as a cursor of its own; the size it begins with
 * counts itself. */
static struct cursor next_record(struct cursor *part)
{
	size_t start = part->pos;
	uint32_t size = cursor_u32(part, "record size");

	if (size < sizeof(size))
		cursor_reject(part, "record size", "is too small");
	struct cursor record = cursor_slice(part, start, size, part->region);
	cursor_u32(&record, "record size");
	if (!part->bad_field)
		part->pos = start + size;
	return record;
}

/* True while the part has a record left; record is then set up. */
static bool each_record(struct cursor *part, struct cursor *record)
{
	if (part->bad_field || part->pos >= part->size)
		return false;
	*record = next_record(part);
	return !part->bad_field;
}

/* A bad record makes its part bad: what follows it cannot be trusted. */
static bool record_good(struct cursor *part, const struct cursor *record)
{
	if (!record->bad_field)
		return true;
	if (!part->bad_field) {
		part->bad_field = record->bad_field;
		part->bad_reason = record->bad_reason;
		part->bad_pos = (size_t)(record->origin - part->origin) +
				record->bad_pos;
	}
	return false;
}

static struct err *parse_process(struct dump *dump, struct cursor *part)
{
	struct dump_process p = { 0 };
	struct cursor c;

	if (!each_record(part, &c))
		return NULL;
	p.pid = cursor_u32(&c, "pid");
	p.ppid = cursor_u32(&c, "ppid");
	p.uid = cursor_u32(&c, "uid");
	p.gid = cursor_u32(&c, "gid");
	p.reason = cursor_u32(&c, "reason");
	p.signal = cursor_u32(&c, "signal");
	p.signal_code = (int32_t)cursor_u32(&c, "signal code");
	p.crashed_thread = cursor_u32(&c, "crashed thread");
	p.level = cursor_u32(&c, "level");
	p.exit_status = cursor_u32(&c, "exit status");
	p.start_realtime_ns = cursor_u64(&c, "start time");
	p.dump_realtime_ns = cursor_u64(&c, "dump time");
	p.dump_monotonic_ns = cursor_u64(&c, "monotonic time");
	p.fault_address = cursor_u64(&c, "fault address");
	p.executable = cursor_text(&c, "executable");
	p.arguments = cursor_text(&c, "arguments");
	p.directory = cursor_text(&c, "directory");
	p.hostname = cursor_text(&c, "hostname");
	p.kernel = cursor_text(&c, "kernel");
	p.writer = cursor_text(&c, "writer");
	if (record_good(part, &c))
		dump->process = p;
	return NULL;
}

static struct err *parse_threads(struct dump *dump, struct cursor *part)
{
	struct cursor c;

	while (each_record(part, &c)) {
		struct dump_thread t = { 0 };

		t.tid = cursor_u32(&c, "tid");
		t.flags = cursor_u32(&c, "flags");
		t.stack_low = cursor_u64(&c, "stack low");
		t.stack_high = cursor_u64(&c, "stack high");
		const void *registers =
			cursor_bytes(&c, sizeof(t.registers), "registers");
		if (registers)
			memcpy(&t.registers, registers, sizeof(t.registers));
		t.name = cursor_text(&c, "name");
		t.fpregs_size = cursor_u32(&c, "vector state size");
		t.fpregs = cursor_bytes(&c, t.fpregs_size, "vector state");
		if (t.fpregs_size == 0)
			t.fpregs = NULL;
		if (!record_good(part, &c))
			break;
		if (!reader_grow(&dump->threads, dump->thread_count, sizeof(t)))
			return err_new(ERR_NO_MEMORY, "list of threads");
		dump->threads[dump->thread_count++] = t;
	}
	return NULL;
}

static struct err *parse_maps(struct dump *dump, struct cursor *part)
{
	struct cursor c;

	while (each_record(part, &c)) {
		struct dump_map m = { 0 };

		m.flags = cursor_u32(&c, "flags");
		m.start = cursor_u64(&c, "start");
		m.end = cursor_u64(&c, "end");
		m.offset = cursor_u64(&c, "offset");
		m.path = cursor_text(&c, "path");
		if (m.start >= m.end)
			cursor_reject(&c, "end", "is not after the start");
		if (dump->map_count > 0 &&
		    m.start < dump->maps[dump->map_count - 1].end)
			cursor_reject(&c, "start", "is out of order");
		if (!record_good(part, &c))
			break;
		if (!reader_grow(&dump->maps, dump->map_count, sizeof(m)))
			return err_new(ERR_NO_MEMORY, "list of mappings");
		dump->maps[dump->map_count++] = m;
	}
	return NULL;
}

static struct err *parse_modules(struct dump *dump, struct cursor *part)
{
	struct cursor c;

	while (each_record(part, &c)) {
		struct dump_module m = { 0 };

		m.base = cursor_u64(&c, "base");
		m.end = cursor_u64(&c, "end");
		m.path = cursor_text(&c, "path");
		m.build_id_size = cursor_u32(&c, "build id size");
		m.build_id = cursor_bytes(&c, m.build_id_size, "build id");
		if (m.base >= m.end)
			cursor_reject(&c, "end", "is not after the base");
		if (!record_good(part, &c))
			break;
		if (!reader_grow(&dump->modules, dump->module_count, sizeof(m)))
			return err_new(ERR_NO_MEMORY, "list of modules");
		dump->modules[dump->module_count++] = m;
	}
	return NULL;
}

static struct err *parse_numbers(struct cursor *part, uint64_t **numbers,
				 size_t *count)
{
	while (part->pos < part->size) {
		uint64_t value = cursor_u64(part, "number");

		if (part->bad_field)
			break;
		if (!reader_grow(numbers, *count, sizeof(value)))
			return err_new(ERR_NO_MEMORY, "list of numbers");
		(*numbers)[(*count)++] = value;
	}
	return NULL;
}

static struct err *parse_roots(struct dump *dump, struct cursor *part)
{
	return parse_numbers(part, &dump->roots, &dump->root_count);
}

static struct err *parse_auxv(struct dump *dump, struct cursor *part)
{
	return parse_numbers(part, &dump->auxv, &dump->auxv_count);
}

static struct err *parse_environment(struct dump *dump, struct cursor *part)
{
	size_t size = dump->environment_size + part->size;
	char *joined = realloc(dump->environment, size + 1);

	if (!joined)
		return err_new(ERR_NO_MEMORY, "environment");
	if (part->size > 0)
		memcpy(joined + dump->environment_size, part->data, part->size);
	joined[size] = '\0';
	dump->environment = joined;
	dump->environment_size = size;
	return NULL;
}

static struct err *parse_symbols(struct dump *dump, struct cursor *part)
{
	struct cursor c;

	while (each_record(part, &c)) {
		struct dump_symbol s = { 0 };

		s.flags = cursor_u32(&c, "flags");
		s.module = cursor_u64(&c, "module");
		s.address = cursor_u64(&c, "address");
		s.size = cursor_u64(&c, "size");
		s.info = cursor_u32(&c, "info");
		s.line = cursor_u32(&c, "line");
		s.name = cursor_text(&c, "name");
		s.file = cursor_text(&c, "file");
		if (!record_good(part, &c))
			break;
		if (!reader_grow(&dump->symbols, dump->symbol_count, sizeof(s)))
			return err_new(ERR_NO_MEMORY, "list of names");
		dump->symbols[dump->symbol_count++] = s;
	}
	return NULL;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_module_and_address(const void *a, const void *b)
{
	const struct dump_symbol *x = a, *y = b;
	int order = compare_numbers(x->module, y->module);

	if (!order)
		order = compare_numbers(x->flags & DUMP_SYMBOL_PLACE,
					y->flags & DUMP_SYMBOL_PLACE);
	if (!order)
		order = compare_numbers(x->address, y->address);
	return order ? order : compare_numbers(x->info, y->info);
}

/* What the writer could not save is as missing as what a cut took away. */
static struct err *parse_messages(struct dump *dump, struct cursor *part)
{
	const char *line = (const char *)part->data;
	const char *end = line + part->size;

	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		if (stop > line)
			reader_warn(dump, "writer: %.*s", (int)(stop - line),
				    line);
		line = stop + 1;
	}
	return NULL;
}

static const struct {
	struct err *(*parse)(struct dump *dump, struct cursor *part);
	bool expected; /* a whole dump has it */
} parsers[DUMP_SECTION_KIND_COUNT] = {
	[DUMP_SECTION_PROCESS] = { parse_process, true },
	[DUMP_SECTION_THREADS] = { parse_threads, true },
	[DUMP_SECTION_MAPS] = { parse_maps, true },
	[DUMP_SECTION_MODULES] = { parse_modules, true },
	[DUMP_SECTION_ROOTS] = { parse_roots, true },
	[DUMP_SECTION_AUXV] = { parse_auxv, true },
	[DUMP_SECTION_ENVIRONMENT] = { parse_environment, true },
	[DUMP_SECTION_MESSAGES] = { parse_messages, true },
	[DUMP_SECTION_SYMBOLS] = { parse_symbols, false },
};

static struct err *parse_section(struct dump *dump,
				 const struct reader_section *section)
{
	char region[48] = "section ";
	struct cursor part;

	if (section->version != 1) {
		reader_warn(dump,
			    "section %s at byte %" PRIu64 ": version %" PRIu32
			    " needs a newer kdbg",
			    reader_section_name(section->kind), section->offset,
			    section->version);
		return NULL;
	}
	strcat(region, reader_section_name(section->kind));
	cursor_init(&part, section->payload, (size_t)section->size, region);
	part.origin = section->offset + sizeof(struct dump_section_header);
	struct err *err = parsers[section->kind].parse(dump, &part);
	struct err *damage = cursor_error(&part);
	if (damage)
		reader_warn_err(dump, damage);
	return err;
}

static void warn_missing(struct dump *dump)
{
	for (uint32_t kind = 0; kind < DUMP_SECTION_KIND_COUNT; kind++) {
		bool found = !parsers[kind].expected;

		for (size_t i = 0; i < dump->section_count && !found; i++)
			found = dump->sections[i].kind == kind;
		if (!found)
			reader_warn(dump, "section %s is missing",
				    reader_section_name(kind));
	}
}

struct err *reader_parse_sections(struct dump *dump)
{
	struct err *err = NULL;

	dump->process.exit_status = DUMP_EXIT_STATUS_UNKNOWN;
	dump->process.executable = dump->process.arguments = "";
	dump->process.directory = dump->process.hostname = "";
	dump->process.kernel = dump->process.writer = "";
	for (size_t i = 0; i < dump->section_count && !err; i++) {
		const struct reader_section *section = &dump->sections[i];

		if (section->payload && parsers[section->kind].parse)
			err = parse_section(dump, section);
	}
	if (!err)
		warn_missing(dump);
	if (dump->symbol_count)
		qsort(dump->symbols, dump->symbol_count, sizeof(*dump->symbols),
		      by_module_and_address);
	return err;
}
