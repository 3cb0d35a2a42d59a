/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of functions, saved so that stacks can be read where the program's
 * files are not (KMA_DUMP=symbols). Which are needed is not worked out but
 * seen: every word of the stack depot and of the threads' stacks that points
 * into a module is a return address, or may as well be taken for one.
 *
 *	words  -->  a bit for each byte of the modules  -->  the functions of
 *	each module's file over which a bit is set
 *
 * A process may be dying here. Files are read, never mapped: one that is cut
 * meanwhile is an error, not a signal. A file is used only if its notes, the
 * build id among them, are those in memory.
 */
#include "alloc/dump_impl.h"

#include "alloc/range.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "dumpfmt/line.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	CHUNK_SIZE = 16 << 10,
	NOTES_MAX = 4096,
	NAME_SIZE = 16 << 10, /* of C++ */
	PATH_SIZE = 128,
	WORD_BITS = 64,
};

/* No code is larger: what claims to be is not looked at. */
#define SPAN_MAX (UINT64_C(1) << 32)

/* A module, by address; its bits begin at a word of its own. */
struct span {
	uint64_t base, end;
	uint64_t first_bit;
	bool wanted;
};

static struct {
	struct dump_live *live;
	struct dump_source modules; /* live's, to list them once more */
	struct span *spans;         /* and behind them the bits */
	uint64_t *bits;
	size_t count, size; /* of spans, of the mapping */
	size_t next;        /* span of the module that comes next */
	bool failed;

	/* The file at hand; -1. */
	int fd;
	struct span *span;
	uint64_t key;  /* of the module */
	uint64_t low;  /* address in the file that lies at the base */
	uint64_t from; /* offset of the symbols not yet read */
	uint64_t left; /* how many */
	Elf64_Shdr strings;
	size_t at, held; /* of chunk.symbols */
	union {
		Elf64_Sym symbols[CHUNK_SIZE / sizeof(Elf64_Sym)];
		uint64_t words[CHUNK_SIZE / sizeof(uint64_t)];
		unsigned char bytes[CHUNK_SIZE];
	} chunk;
	unsigned char notes[NOTES_MAX];
	char name[NAME_SIZE];
} job = { .fd = -1 };

/* --- which addresses -------------------------------------------------------
 */

static uint64_t words_of(const struct span *span)
{
	uint64_t size = span->end - span->base;

	return size > SPAN_MAX ? 0 : size / WORD_BITS + 1;
}

/* The modules that are mapped; room NULL: only counted. */
static size_t list_spans(struct span *room, uint64_t *words)
{
	struct dump_module module;
	size_t count = 0;

	*words = 0;
	while (job.modules.next_module(job.modules.context, &module)) {
		struct span span = { .base = module.base,
				     .end = module.end,
				     .first_bit = *words * WORD_BITS };

		*words += words_of(&span);
		if (room && count == job.count)
			continue;
		if (room)
			room[count] = span;
		count++;
	}
	return count;
}

/* A library may come between the two looks at the list: it has no names. */
static bool make_room(void)
{
	uint64_t words, again;

	job.count = list_spans(NULL, &words);
	job.size = job.count * sizeof(*job.spans) + words * sizeof(*job.bits);
	if (job.count == 0)
		return false;
	long mapped =
		sys_call(SYS_mmap, 0, (long)job.size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapped < 0 && mapped > -DUMP_PAGE_SIZE)
		return false;
	job.spans = (struct span *)mapped;
	job.bits = (uint64_t *)(job.spans + job.count);
	job.count = list_spans(job.spans, &again);
	return again <= words;
}

static struct span *span_at(uint64_t address)
{
	size_t low = 0, high = job.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (job.spans[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == job.count || address < job.spans[low].base ||
	    words_of(&job.spans[low]) == 0)
		return NULL;
	return &job.spans[low];
}

static void want(uint64_t address)
{
	struct span *span = span_at(address);

	if (!span)
		return;
	uint64_t bit = span->first_bit + (address - span->base);
	job.bits[bit / WORD_BITS] |= UINT64_C(1) << bit % WORD_BITS;
	span->wanted = true;
}

static bool is_wanted(const struct span *span, uint64_t offset, uint64_t size)
{
	uint64_t limit = span->end - span->base;

	if (offset >= limit || size == 0)
		return false;
	if (size > limit - offset)
		size = limit - offset;
	uint64_t first = span->first_bit + offset, last = first + size - 1;
	uint64_t from = ~UINT64_C(0) << first % WORD_BITS;
	uint64_t upto = ~UINT64_C(0) >> (WORD_BITS - 1 - last % WORD_BITS);
	for (uint64_t i = first / WORD_BITS; i <= last / WORD_BITS; i++) {
		uint64_t mask = ~UINT64_C(0);

		if (i == first / WORD_BITS)
			mask &= from;
		if (i == last / WORD_BITS)
			mask &= upto;
		if (job.bits[i] & mask)
			return true;
	}
	return false;
}

/* The instruction before a return address is the call. */
static void want_words(uint64_t start, uint64_t end)
{
	start = (start + 7) & ~UINT64_C(7);
	while (start < end) {
		size_t size = sizeof(job.chunk);

		if (size > end - start)
			size = (size_t)(end - start);
		size_t done = dump_live_read(job.live, start, &job.chunk, size);
		for (size_t i = 0; i < done / sizeof(uint64_t); i++)
			if (job.chunk.words[i])
				want(job.chunk.words[i] - 1);
		if (done < size) /* a page that is not there */
			done = (size_t)(DUMP_PAGE_SIZE -
					(start + done) % DUMP_PAGE_SIZE) +
			       done;
		start += done;
	}
}

static void want_depot(void)
{
	const struct kma_depot *depot = kma_root.depot;
	uint64_t base = kma_reserve.depot.base;
	uint64_t end = kma_reserve.depot.committed;

	if (depot && depot->used < end - base)
		end = base + depot->used;
	want_words(base, end);
}

static void want_thread(const struct dump_stopped *thread)
{
	uint64_t sp = thread->registers.rsp;

	want(thread->registers.rip);
	if (thread->flags & DUMP_THREAD_NO_STACK)
		return;
	want_words(sp < thread->stack_low ? thread->stack_low : sp,
		   thread->stack_high);
}

/* --- a module's file -------------------------------------------------------
 */

static bool read_file(uint64_t offset, void *buffer, size_t size)
{
	return offset <= INT64_MAX &&
	       pread(job.fd, buffer, size, (off_t)offset) == (ssize_t)size;
}

static void close_file(void)
{
	if (job.fd >= 0)
		close(job.fd);
	job.fd = -1;
	job.left = job.held = job.at = 0;
}

static bool open_path(const char *path)
{
	close_file();
	job.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return job.fd >= 0;
}

/* Are the notes of the file, the build id among them, those in memory? */
static bool is_same_notes(const Elf64_Phdr *segment)
{
	uint64_t size = segment->p_filesz;
	uint64_t address = job.span->base + (segment->p_vaddr - job.low);

	if (size > sizeof(job.notes))
		size = sizeof(job.notes);
	return dump_live_read(job.live, address, job.notes, (size_t)size) ==
		       size &&
	       size <= sizeof(job.chunk) &&
	       read_file(segment->p_offset, job.chunk.bytes, (size_t)size) &&
	       memcmp(job.notes, job.chunk.bytes, (size_t)size) == 0;
}

/* The program headers; low, the least address, is found on the way. */
static bool is_the_file(const Elf64_Ehdr *header)
{
	Elf64_Phdr segment;

	job.low = UINT64_MAX;
	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < header->e_phnum; i++) {
			if (!read_file(header->e_phoff + i * sizeof(segment),
				       &segment, sizeof(segment)))
				return false;
			if (pass == 0 && segment.p_type == PT_LOAD &&
			    segment.p_vaddr < job.low)
				job.low = segment.p_vaddr &
					  ~(uint64_t)(DUMP_PAGE_SIZE - 1);
			if (pass == 1 && segment.p_type == PT_NOTE &&
			    !is_same_notes(&segment))
				return false;
		}
	return job.low != UINT64_MAX;
}

static bool read_header(Elf64_Ehdr *ret)
{
	return read_file(0, ret, sizeof(*ret)) &&
	       memcmp(ret->e_ident, ELFMAG, SELFMAG) == 0 &&
	       ret->e_ident[EI_CLASS] == ELFCLASS64 &&
	       ret->e_phentsize == sizeof(Elf64_Phdr) &&
	       ret->e_shentsize == sizeof(Elf64_Shdr);
}

/* Its section of symbols of this type is what comes next. */
static bool choose_section(const Elf64_Ehdr *header, uint32_t type)
{
	Elf64_Shdr section;

	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (!read_file(header->e_shoff + i * sizeof(section), &section,
			       sizeof(section)))
			return false;
		if (section.sh_type != type || section.sh_link == 0 ||
		    section.sh_link >= header->e_shnum ||
		    section.sh_entsize != sizeof(Elf64_Sym))
			continue;
		job.from = section.sh_offset;
		job.left = section.sh_size / sizeof(Elf64_Sym);
		return read_file(header->e_shoff +
					 section.sh_link * sizeof(section),
				 &job.strings, sizeof(job.strings));
	}
	return false;
}

/* Where distributions put what they strip from their files. */
static bool open_debug_file(const struct dump_module *module)
{
	static const char digits[] = "0123456789abcdef";
	char path[PATH_SIZE];
	struct line line;

	if (module->build_id_size < 2)
		return false;
	line_init(&line, path, sizeof(path));
	line_add(&line, "/usr/lib/debug/.build-id/");
	for (size_t i = 0; i < module->build_id_size; i++) {
		line_add_bytes(&line, &digits[module->build_id[i] >> 4], 1);
		line_add_bytes(&line, &digits[module->build_id[i] & 15], 1);
		if (i == 0)
			line_add(&line, "/");
	}
	line_add(&line, ".debug");
	return !line.full && open_path(path);
}

/* All its names; where it was stripped, those of its debug file, else those
 * that it exports. */
static bool open_module(const struct dump_module *module)
{
	Elf64_Ehdr header, debug;

	job.key = dump_module_key(module);
	if (!open_path(module->path) || !read_header(&header) ||
	    !is_the_file(&header))
		return false;
	if (choose_section(&header, SHT_SYMTAB))
		return true;
	if (open_debug_file(module) && read_header(&debug) &&
	    choose_section(&debug, SHT_SYMTAB))
		return true;
	return open_path(module->path) && choose_section(&header, SHT_DYNSYM);
}

/* --- one after the other ---------------------------------------------------
 */

static bool next_module(void)
{
	struct dump_module module;

	while (job.next < job.count &&
	       job.modules.next_module(job.modules.context, &module)) {
		job.span = &job.spans[job.next++];
		if (job.span->wanted && job.span->base == module.base &&
		    open_module(&module))
			return true;
		close_file();
	}
	return false;
}

static void refill(void)
{
	size_t count = sizeof(job.chunk.symbols) / sizeof(job.chunk.symbols[0]);

	if (count > job.left)
		count = (size_t)job.left;
	if (!read_file(job.from, job.chunk.symbols,
		       count * sizeof(job.chunk.symbols[0])))
		count = 0;
	job.from += count * sizeof(job.chunk.symbols[0]);
	job.left = count ? job.left - count : 0;
	job.held = count;
	job.at = 0;
}

static bool read_name(uint32_t at)
{
	uint64_t left = at < job.strings.sh_size ? job.strings.sh_size - at : 0;
	size_t size = left < sizeof(job.name) - 1 ? (size_t)left
						  : sizeof(job.name) - 1;
	/* Most names are short: not all that follows is to be read. */
	for (size_t step = 128; size; step *= 8) {
		size_t length = step < size ? step : size;

		if (!read_file(job.strings.sh_offset + at, job.name, length))
			return false;
		job.name[length] = '\0';
		if (length == size || memchr(job.name, '\0', length))
			return job.name[0] != '\0';
	}
	return false;
}

static bool take(const Elf64_Sym *symbol, struct dump_symbol *ret)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) ||
	    symbol->st_shndx == SHN_UNDEF || symbol->st_value < job.low ||
	    !is_wanted(job.span, symbol->st_value - job.low, symbol->st_size) ||
	    !read_name(symbol->st_name))
		return false;
	*ret = (struct dump_symbol){
		.module = job.key,
		.address = symbol->st_value - job.low,
		.size = symbol->st_size,
		.info = symbol->st_info,
		.name = job.name,
		.file = "",
	};
	return true;
}

static void end(void)
{
	close_file();
	if (job.spans)
		sys_call(SYS_munmap, (long)job.spans, (long)job.size, 0, 0, 0,
			 0);
	job.spans = NULL;
	job.count = 0;
}

void dump_symbols_begin(struct dump_live *live,
			const struct dump_threads *threads,
			const struct dump_stopped *self)
{
	job.live = live;
	job.fd = -1;
	job.next = 0;
	dump_live_source(live, &job.modules);
	job.failed = !make_room();
	if (job.failed)
		return;
	want_depot();
	want_thread(self);
	for (size_t i = 0; i < threads->slot_count; i++)
		if (threads->slots[i].tid != 0)
			want_thread(&threads->slots[i]);
}

bool dump_symbols_next(struct dump_symbol *ret)
{
	while (!job.failed) {
		while (job.at < job.held)
			if (take(&job.chunk.symbols[job.at++], ret))
				return true;
		if (job.left)
			refill();
		else if (!next_module())
			break;
	}
	end();
	return false;
}

bool dump_symbols_failed(void)
{
	return job.failed;
}
