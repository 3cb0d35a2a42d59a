/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in our own dump: the facts, the threads that were stopped, and the
 * memory, told to the writer as a source over this very process.
 *
 * All memory that writing needs is in job, in .bss: touched when a dump is
 * written, and left out of it.
 */
#include "alloc/dump_impl.h"

#include "alloc/foreign.h"
#include "alloc/instance.h"
#include "alloc/options.h"
#include "alloc/range.h"
#include "alloc/root.h"
#include "dumpfmt/line.h"
#include "dumpfmt/live_roots.h"
#include "dumpfmt/output.h"
#include "dumpfmt/writer.h"

#include <elf.h>
#include <string.h>

enum {
	ROOTS_MAX = 16,
	OVERFLOW_MAX = 1 << 20, /* a guard, and a frame larger than it */
};

/* The source's context: live is its first member (dumpfmt/live.h). */
struct capture {
	struct dump_live live;
	const struct dump_threads *threads;
	struct dump_stopped *self; /* the thread that writes */
	size_t next;               /* slot to hand out */
	bool self_given;
	enum dump_level level;
	bool symbols, symbols_begun;
	struct dump_write_options write;
};

static struct {
	_Alignas(DUMP_PAGE_SIZE) struct dump_writer_space space;
	struct capture capture;
	struct procfs_facts facts;
	struct dump_output output;
	uint64_t roots[ROOTS_MAX];
	struct dump_extent first[2], heap[1], never[2];
	bool (*next_map)(void *context, struct dump_map *ret);
	char image[PROCFS_TEXT]; /* the file of the mapping before */
} job __attribute__((aligned(DUMP_PAGE_SIZE)));

/*
 * Is this the mapping that holds a thread's stack pointer? A stack that has
 * overflowed points below itself, into its guard or at nothing: then the
 * mapping that comes next is its. The maps are read once, upwards.
 */
static void note_stack(struct dump_stopped *thread, const struct dump_map *map)
{
	uint64_t sp = thread->registers.rsp;

	if (!(thread->flags & DUMP_THREAD_NO_STACK) || sp >= map->end ||
	    !(map->flags & DUMP_MAP_READ))
		return;
	if (sp < map->start && map->start - sp > OVERFLOW_MAX)
		return;
	thread->stack_low = map->start;
	thread->stack_high = map->end;
	thread->flags &= ~(uint32_t)DUMP_THREAD_NO_STACK;
}

static void find_stacks(struct capture *capture)
{
	const struct dump_threads *threads = capture->threads;
	struct dump_map map;

	capture->self->flags |= DUMP_THREAD_NO_STACK;
	for (size_t i = 0; i < threads->slot_count; i++)
		threads->slots[i].flags |= DUMP_THREAD_NO_STACK;
	while (procfs_maps_next(&capture->live.maps, &map)) {
		note_stack(capture->self, &map);
		for (size_t i = 0; i < threads->slot_count; i++)
			if (threads->slots[i].tid != 0)
				note_stack(&threads->slots[i], &map);
	}
	procfs_maps_rewind(&capture->live.maps);
}

static void give_thread(const struct dump_stopped *from, enum dump_level level,
			struct dump_thread *ret)
{
	*ret = (struct dump_thread){
		.tid = from->tid,
		.flags = from->flags,
		.name = from->name,
		.registers = from->registers,
		.stack_low = from->stack_low,
		.stack_high = from->stack_high,
		.fpregs = (const void *)(uintptr_t)from->fpregs,
		.fpregs_size = from->fpregs_size,
	};
	if (level != DUMP_META)
		return;
	ret->registers = (struct dump_registers){
		.rsp = from->registers.rsp,
		.rip = from->registers.rip,
	};
	ret->flags &= ~(uint32_t)DUMP_THREAD_REGISTERS;
	ret->flags |= DUMP_THREAD_SP_PC;
	ret->fpregs = NULL;
}

static bool next_thread(void *context, struct dump_thread *ret)
{
	struct capture *capture = context;
	const struct dump_threads *threads = capture->threads;

	if (!capture->self_given) {
		capture->self_given = true;
		give_thread(capture->self, capture->level, ret);
		return true;
	}
	while (capture->next < threads->slot_count) {
		struct dump_stopped *slot = &threads->slots[capture->next++];

		if (slot->tid == 0)
			continue;
		give_thread(slot, capture->level, ret);
		return true;
	}
	return false;
}

/* Its stack and, at its top, its TLS and its descriptor. */
static bool needed_by(const struct dump_stopped *thread, uint64_t start,
		      uint64_t end)
{
	return thread->registers.rsp - start < end - start ||
	       thread->registers.fs_base - start < end - start;
}

static bool needs(void *context, uint64_t start, uint64_t end)
{
	const struct capture *capture = context;
	const struct dump_threads *threads = capture->threads;

	if (needed_by(capture->self, start, end) ||
	    kma_foreign_touches(start, end))
		return true;
	for (size_t i = 0; i < threads->slot_count; i++)
		if (threads->slots[i].tid != 0 &&
		    needed_by(&threads->slots[i], start, end))
			return true;
	return false;
}

static bool next_symbol(void *context, struct dump_symbol *ret)
{
	struct capture *capture = context;

	if (!capture->symbols_begun)
		dump_symbols_begin(&capture->live, capture->threads,
				   capture->self);
	capture->symbols_begun = true;
	return dump_symbols_next(ret);
}

static void add_count(struct line *line, size_t count, const char *what)
{
	if (count == 0)
		return;
	line_add_number(line, count, 10);
	line_add(line, what);
}

static size_t messages(void *context, char *buffer, size_t size)
{
	const struct capture *capture = context;
	const struct dump_threads *threads = capture->threads;
	size_t silent = 0;
	struct line line;

	for (size_t i = 0; i < threads->slot_count; i++)
		silent += threads->slots[i].tid != 0 &&
			  threads->slots[i].state != DUMP_THREAD_STOPPED;
	line_init(&line, buffer, size);
	add_count(&line, silent, " threads did not stop: registers missing\n");
	add_count(&line, threads->unrecorded, " threads are not recorded\n");
	if (capture->level != DUMP_META && capture->live.pagemap < 0)
		line_add(&line, "page map unreadable: relocated data of large "
				"files is missing\n");
	if (capture->symbols_begun && dump_symbols_failed())
		line_add(&line,
			 "no memory to look for the names of functions\n");
	return line.used;
}

uint64_t dump_fault_address(const siginfo_t *info)
{
	int number = info->si_signo;
	bool fault =
		info->si_code > 0 &&
		(number == SIGSEGV || number == SIGBUS || number == SIGILL ||
		 number == SIGFPE || number == SIGTRAP);

	return fault ? (uintptr_t)info->si_addr : 0;
}

const struct dump_process *
dump_contents_facts(const struct dump_request *request,
		    const struct dump_stopped *self)
{
	struct dump_process *process = &job.facts.process;
	struct capture *capture = &job.capture;

	capture->level = (enum dump_level)kma_options.dump.level;
	capture->write = (struct dump_write_options){
		.codec = kma_options.dump.codec_given ? kma_options.dump.codec
						      : dump_codec_default(),
		.workers = kma_options.dump.workers,
	};
	capture->symbols = kma_options.dump.symbols;
	if (request->asked) {
		capture->symbols = request->asked->ask.symbols != 0;
		capture->level = (enum dump_level)request->asked->ask.level;
		capture->write = request->asked->write;
	}
	procfs_facts_read(&job.facts, 0);
	process->reason = request->reason;
	process->crashed_thread = self->tid;
	process->level = capture->level;
	process->exit_status = request->exit_status;
	process->writer = "libkma " KMA_VERSION;
	if (request->info) {
		process->signal = (uint32_t)request->info->si_signo;
		process->signal_code = request->info->si_code;
		process->fault_address = dump_fault_address(request->info);
	}
	if (capture->level == DUMP_META)
		process->arguments = process->directory = NULL;
	return process;
}

/* Our own root, and where all memory is kept those of other copies of the
 * library. */
static size_t collect_roots(void)
{
	job.roots[0] = (uintptr_t)&kma_root;
	if (job.capture.level != DUMP_FULL)
		return 1;
	return dump_live_roots(&job.capture.live, job.roots, 1, ROOTS_MAX);
}

static struct dump_live_plan make_plan(int shared_pagemap)
{
	uintptr_t base = 0, end = 0;
	size_t never = 1;

	job.first[0] =
		(struct dump_extent){ kma_reserve.base, kma_reserve.heap.base };
	job.first[1] =
		(struct dump_extent){ kma_root.data_base, kma_root.data_end };
	job.heap[0] = (struct dump_extent){ kma_reserve.heap.base,
					    kma_reserve.heap.held };
	job.never[0] =
		(struct dump_extent){ (uintptr_t)&job, (uintptr_t)(&job + 1) };
	if (kma_instance.private_range &&
	    kma_instance.private_range(&base, &end))
		job.never[never++] = (struct dump_extent){ base, end };
	return (struct dump_live_plan){
		.level = job.capture.level,
		.first = { job.first, 2 },
		.heap = { job.heap, 1 },
		.never = { job.never, never },
		.shared_pagemap = shared_pagemap,
		.needs = needs,
		.context = &job.capture,
	};
}

void dump_contents_threads(const struct dump_threads *threads,
			   struct dump_stopped *self)
{
	job.capture.threads = threads;
	job.capture.self = self;
	job.capture.next = 0;
	job.capture.self_given = false;
	job.capture.symbols_begun = false;
}

/* Of a level that keeps no byte of the program's. */
static size_t read_stripped(void *context, uint64_t address, void *buffer,
			    size_t size)
{
	size_t done = dump_live_read(context, address, buffer, size);

	dump_meta_strip(address, buffer, done);
	return done;
}

/* Of mapped files, libraries may be named; data may not. */
static bool next_image(void *context, struct dump_map *ret)
{
	char magic[SELFMAG];
	struct line line;

	if (!job.next_map(context, ret))
		return false;
	if (ret->path[0] != '/' || !strcmp(ret->path, job.image))
		return true;
	if (dump_live_read(context, ret->start, magic, sizeof(magic)) <
		    sizeof(magic) ||
	    memcmp(magic, ELFMAG, SELFMAG) != 0) {
		ret->path = "";
		return true;
	}
	line_init(&line, job.image, sizeof(job.image));
	line_add(&line, ret->path);
	return true;
}

static int open_output(const struct dump_request *request, const char *path)
{
	if (!request->asked)
		return dump_output_open(&job.output, path);
	job.output.fd = request->asked->output;
	return 0;
}

static int close_output(const struct dump_request *request, int status)
{
	return request->asked ? status : dump_output_close(&job.output, status);
}

static int write_job(void)
{
	struct dump_source source = {
		.process = &job.facts.process,
		.roots = job.roots,
		.auxv = job.facts.auxv,
		.auxv_count = job.facts.auxv_count,
		.next_thread = next_thread,
		.messages = messages,
	};

	if (job.capture.symbols)
		source.next_symbol = next_symbol;
	find_stacks(&job.capture);
	source.root_count = collect_roots();
	dump_live_source(&job.capture.live, &source);
	if (job.capture.level == DUMP_META) {
		job.next_map = source.next_map;
		job.image[0] = '\0';
		source.next_map = next_image;
		source.read = read_stripped;
	}
	return dump_write(&job.space, job.output.fd, &source,
			  &job.capture.write);
}

int dump_contents_write(const struct dump_request *request, const char *path,
			int shared_pagemap)
{
	struct dump_live_plan plan = make_plan(shared_pagemap);

	int status = open_output(request, path);
	if (status < 0)
		return status;
	status = dump_live_open(&job.capture.live, &plan);
	if (status == 0) {
		status = write_job();
		dump_live_close(&job.capture.live);
	}
	return close_output(request, status);
}
