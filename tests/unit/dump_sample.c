/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/dump_sample.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct dump_map sample_maps[] = {
	{ SAMPLE_TEXT, SAMPLE_TEXT + DUMP_PAGE_SIZE, 0,
	  DUMP_MAP_READ | DUMP_MAP_EXEC | DUMP_MAP_STORED, "/bin/sample" },
	{ SAMPLE_DATA, SAMPLE_DATA + SAMPLE_DATA_PAGES *DUMP_PAGE_SIZE, 0,
	  DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_STORED, "" },
	{ SAMPLE_STACK, SAMPLE_STACK + 2 * DUMP_PAGE_SIZE, 0,
	  DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_STORED, "[stack]" },
};

static const uint8_t sample_build_id[] = { 0xde, 0xad, 0xbe, 0xef };
static const uint64_t sample_roots[] = { SAMPLE_DATA };
static const uint64_t sample_auxv[] = { 6, 4096, 9, SAMPLE_TEXT };
static const char sample_environment[] = "A=1\0B=2";

static bool next_thread(void *context, struct dump_thread *ret)
{
	struct sample *sample = context;
	size_t i = sample->threads++;

	if (i >= 2)
		return false;
	*ret = (struct dump_thread){
		.tid = i ? SAMPLE_OTHER_TID : SAMPLE_TID,
		.flags = DUMP_THREAD_REGISTERS | (i ? 0 : DUMP_THREAD_CRASHED),
		.name = i ? "other" : "main",
		.registers = { .rip = SAMPLE_TEXT + i, .rsp = SAMPLE_STACK },
		.stack_low = SAMPLE_STACK,
		.stack_high = SAMPLE_STACK + sizeof(sample->stack),
		.fpregs = i ? NULL : sample->text,
		.fpregs_size = i ? 0 : 512,
	};
	return true;
}

static bool next_map(void *context, struct dump_map *ret)
{
	struct sample *sample = context;

	if (sample->maps >= sizeof(sample_maps) / sizeof(sample_maps[0]))
		return false;
	*ret = sample_maps[sample->maps++];
	return true;
}

static bool next_module(void *context, struct dump_module *ret)
{
	struct sample *sample = context;

	*ret = (struct dump_module){
		.base = SAMPLE_TEXT,
		.end = SAMPLE_TEXT + DUMP_PAGE_SIZE,
		.path = "/bin/sample",
		.build_id = sample_build_id,
		.build_id_size = sizeof(sample_build_id),
	};
	return sample->modules++ == 0;
}

/* In no order. */
static bool next_symbol(void *context, struct dump_symbol *ret)
{
	static const struct dump_symbol symbols[] = {
		{ .module = 2,
		  .address = 0x17,
		  .flags = DUMP_SYMBOL_PLACE,
		  .info = 1,
		  .line = 42,
		  .name = "main",
		  .file = "sample.c" },
		{ .module = 2,
		  .address = 0x17,
		  .flags = DUMP_SYMBOL_PLACE,
		  .info = 0,
		  .line = 7,
		  .name = "inlined",
		  .file = "sample.h" },
		{ .module = 2,
		  .address = 0x10,
		  .size = 32,
		  .info = 0x12,
		  .name = "main" },
		{ .module = 1, .address = 0x99, .size = 1, .name = "other" },
	};
	struct sample *sample = context;

	if (sample->symbols == sizeof(symbols) / sizeof(symbols[0]))
		return false;
	*ret = symbols[sample->symbols++];
	return true;
}

/* Not in the order of addresses: what matters comes first. */
static bool next_extent(void *context, struct dump_extent *ret)
{
	static const size_t order[] = { 2, 1, 0 };
	struct sample *sample = context;

	if (sample->extents >= sizeof(order) / sizeof(order[0]))
		return false;
	const struct dump_map *map = &sample_maps[order[sample->extents++]];
	*ret = (struct dump_extent){ map->start, map->end };
	return true;
}

static size_t environment(void *context, uint64_t offset, void *buffer,
			  size_t size)
{
	size_t left = sizeof(sample_environment) - (size_t)offset;

	(void)context;
	if (left > size)
		left = size;
	memcpy(buffer, sample_environment + offset, left);
	return left;
}

static void page_states(void *context, uint64_t address, size_t count,
			unsigned char *states)
{
	(void)context;
	for (size_t i = 0; i < count; i++) {
		uint64_t page = (address - SAMPLE_DATA) / DUMP_PAGE_SIZE + i;

		if (page >= SAMPLE_ZERO_PAGE && page < SAMPLE_ZERO_END)
			states[i] = DUMP_PAGE_ZERO;
	}
}

const unsigned char *sample_bytes(const struct sample *sample, uint64_t address)
{
	if (address - SAMPLE_TEXT < sizeof(sample->text))
		return sample->text + (address - SAMPLE_TEXT);
	if (address - SAMPLE_DATA < sizeof(sample->data) &&
	    (address - SAMPLE_DATA) / DUMP_PAGE_SIZE != SAMPLE_UNREADABLE_PAGE)
		return sample->data + (address - SAMPLE_DATA);
	if (address - SAMPLE_STACK < sizeof(sample->stack))
		return sample->stack + (address - SAMPLE_STACK);
	return NULL;
}

static size_t read_memory(void *context, uint64_t address, void *buffer,
			  size_t size)
{
	size_t done = 0;

	for (; done < size; done += DUMP_PAGE_SIZE) {
		const unsigned char *page =
			sample_bytes(context, address + done);

		if (!page)
			break;
		memcpy((char *)buffer + done, page, DUMP_PAGE_SIZE);
	}
	return done;
}

static size_t messages(void *context, char *buffer, size_t size)
{
	struct sample *sample = context;
	size_t length = sample->message ? strlen(sample->message) : 0;

	assert(length <= size);
	if (length > 0)
		memcpy(buffer, sample->message, length);
	return length;
}

static void fill_memory(struct sample *sample)
{
	uint32_t random = 1;

	memset(sample->text, 0x90, sizeof(sample->text));
	for (size_t i = 0; i < sizeof(sample->data); i += 512)
		memcpy(sample->data + i, &i, sizeof(i));
	for (size_t i = 0; i < sizeof(sample->stack); i++)
		sample->stack[i] = (unsigned char)(i / 64);
	for (size_t i = 0; i < 2 * DUMP_PAGE_SIZE; i++) {
		random = random * 1664525 + 1013904223;
		sample->data[SAMPLE_RANDOM_PAGE * DUMP_PAGE_SIZE + i] =
			(unsigned char)(random >> 24);
	}
	memset(sample->data + SAMPLE_ZERO_PAGE * DUMP_PAGE_SIZE, 0,
	       (SAMPLE_ZERO_END - SAMPLE_ZERO_PAGE) * DUMP_PAGE_SIZE);
}

void sample_init(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	fill_memory(sample);
	sample->process = (struct dump_process){
		.pid = SAMPLE_TID,
		.reason = DUMP_REASON_SIGNAL,
		.signal = 11,
		.signal_code = 1,
		.crashed_thread = SAMPLE_TID,
		.fault_address = 8,
		.exit_status = DUMP_EXIT_STATUS_UNKNOWN,
		.executable = "/bin/sample",
		.arguments = "sample -x",
		.writer = "test",
	};
	sample->source = (struct dump_source){
		.context = sample,
		.process = &sample->process,
		.roots = sample_roots,
		.root_count = 1,
		.auxv = sample_auxv,
		.auxv_count = 2,
		.next_thread = next_thread,
		.next_map = next_map,
		.next_module = next_module,
		.next_extent = next_extent,
		.environment = environment,
		.page_states = page_states,
		.read = read_memory,
		.next_symbol = next_symbol,
		.messages = messages,
	};
}

int sample_write(struct sample *sample)
{
	int fd = memfd_create("sample", 0);
	struct dump_writer_space *space =
		aligned_alloc(DUMP_PAGE_SIZE, sizeof(*space));

	assert(fd >= 0 && space);
	int status = dump_write(space, fd, &sample->source, NULL);
	assert(status == 0);
	free(space);
	return fd;
}
