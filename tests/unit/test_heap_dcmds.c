/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The heap's commands and walkers on a heap laid out by hand: what they say of
 * it in text and in JSON. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/session.h"
#include "tests/test_util.h"
#include "tests/unit/heap_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096 };

/* Addresses that the tests name. */
struct sample {
	struct session session;
	uint64_t cache, off, audit, live, freed, bufctl, log;
};

static uint64_t add_log(struct heap_image *image, uint64_t buffer,
			uint32_t stack)
{
	struct kma_log *log = heap_image_alloc(image, sizeof(*log));
	struct kma_log_chunk *chunk = heap_image_alloc(image, CHUNK);
	struct kma_log_record *records = (void *)(chunk + 1);

	strcpy(log->name, "transaction");
	log->kind = KMA_LOG_TRANSACTION;
	log->chunk_size = CHUNK;
	log->chunk_count = 1;
	log->base = IMAGE_POINTER(image, chunk);
	image->root->logs = IMAGE_POINTER(image, log);
	chunk->sequence = 1;
	chunk->used = 2 * sizeof(*records);
	for (uint64_t i = 0; i < 2; i++)
		records[i] = (struct kma_log_record){
			.time = 2000 + i * 1000,
			.address = buffer,
			.size = 40,
			.stack = stack,
			.thread = 7,
			.operation = i ? KMA_OP_FREE : KMA_OP_ALLOC,
			.valid = 1,
		};
	return heap_image_address(image, chunk) + sizeof(*chunk);
}

/* kmem_alloc_64: a slab of tier off with 3 live buffers; an audited one with
 * buffer 0 live (40 bytes), 1 freed, the rest never handed out. */
static int setup(void **state)
{
	struct sample *s = calloc(1, sizeof(*s));
	struct heap_image *image = heap_image_create();
	const uint64_t pcs[] = { IMAGE_TEXT + 8, 0x401000 };
	const uint64_t free_pcs[] = { IMAGE_TEXT + 9, 0x402000 };
	struct kma_cache *cache = heap_image_cache(image, "kmem_alloc_64", 64);
	struct kma_slab *off =
		heap_image_slab(image, cache, 0, 1, KMA_TIER_OFF);
	struct kma_slab *audit =
		heap_image_slab(image, cache, 1, 1, KMA_TIER_AUDIT);
	struct kma_bufctl *bufctls = heap_image_at(image, audit->bufctls);
	uint32_t stack = heap_image_stack(image, pcs, 2);

	heap_image_thread(image, 7);
	for (uint32_t i = 0; i < 3; i++)
		heap_image_take(image, off, i, 0, 0);
	for (uint32_t i = 0; i < 2; i++)
		heap_image_take(image, audit, i, 40, stack);
	bufctls[1].word += KMA_BUFFER_FREE - KMA_BUFFER_ALLOCATED;
	bufctls[1].free_time = 3000;
	bufctls[1].free_thread = 9;
	bufctls[1].free_stack = heap_image_stack(image, free_pcs, 2);
	s->cache = heap_image_address(image, cache);
	s->off = heap_image_buffer(off, 0);
	s->audit = heap_image_address(image, audit);
	s->live = heap_image_buffer(audit, 0);
	s->freed = heap_image_buffer(audit, 1);
	s->bufctl = heap_image_address(image, bufctls);
	s->log = add_log(image, s->freed, stack);
	assert_ok(session_init(&s->session, heap_image_finish(image),
			       dcmd_table, walker_table));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct sample *s = *state;

	session_deinit(&s->session);
	free(s);
	return 0;
}

/* What a line prints; to be freed. */
static char *run(struct sample *s, const struct sink_ops *ops, const char *fmt,
		 ...)
{
	char line[256], *text;
	size_t size;
	struct sink sink = { .ops = ops,
			     .stream = open_memstream(&text, &size) };
	va_list args;

	sink.notes = sink.stream;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	session_run(&s->session, line, "test", &sink);
	fclose(sink.stream);
	return text;
}

static void assert_says(char *text, const char *fmt, ...)
{
	char wanted[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(wanted, sizeof(wanted), fmt, args);
	va_end(args);
	if (!strstr(text, wanted))
		fail_msg("not \"%s\" in:\n%s", wanted, text);
	free(text);
}

static void kmastat_counts_what_the_program_has(void **state)
{
	struct sample *s = *state;

	assert_says(run(s, &text_sink_ops, "::kmastat"),
		    "kmem_alloc_64                  64        4      115 "
		    "      8192");
	assert_says(run(s, &text_sink_ops, "::umastat -k"), "8K");
	assert_says(run(s, &json_sink_ops, "::kmastat"),
		    "\"cache_name\": \"kmem_alloc_64\", \"buf_size\": 64, "
		    "\"buf_in_use\": 4, \"buf_total\": 115, "
		    "\"memory_in_use\": 8192");
	assert_says(run(s, &text_sink_ops, "::kmastat"), "Total [libfake.so]");
}

static void kmem_cache_finds_by_name_and_address(void **state)
{
	struct sample *s = *state;

	assert_says(run(s, &json_sink_ops, "::kmem_cache -n alloc"),
		    "\"addr\": \"%#" PRIx64 "\", \"name\": \"kmem_alloc_64\"",
		    s->cache);
	assert_says(run(s, &json_sink_ops, "%" PRIx64 "::umem_cache", s->cache),
		    "kmem_alloc_64");
	char *none = run(s, &text_sink_ops, "::kmem_cache -n nothing");
	assert_null(strstr(none, "kmem_alloc"));
	free(none);
}

static void bufctl_tells_the_last_transaction(void **state)
{
	struct sample *s = *state;

	assert_says(run(s, &json_sink_ops, "%" PRIx64 "::bufctl", s->bufctl),
		    "\"bufaddr\": \"%#" PRIx64 "\", \"timestamp\": \"0x3e8\", "
		    "\"thread\": 7, \"caller\": \"0x401000\", "
		    "\"state\": \"allocated\", \"size\": 40",
		    s->live);
	assert_says(
		run(s, &json_sink_ops, "%" PRIx64 "::bufctl -v", s->freed + 5),
		"\"state\": \"free\", \"free_timestamp\": \"0x5dc\", "
		"\"free_thread\": 9, "
		"\"stack\": [\"0x7f2000000008\", \"0x401000\"], "
		"\"free_stack\": [\"0x7f2000000009\", \"0x402000\"]");
	assert_says(run(s, &text_sink_ops, "%" PRIx64 "::bufctl -v", s->freed),
		    "FREE STACK:\n");
}

static void bufctl_filters_in_a_pipe(void **state)
{
	struct sample *s = *state;
	const struct {
		const char *filter;
		bool live, freed;
	} cases[] = {
		{ "", true, true },
		{ "-t 7", true, false },
		{ "-t 9", false, true },
		{ "-c 0x402000", false, true },
		{ "-c 0x403000", false, false },
		{ "-e 0x500", false, true },
		{ "-l 0x500", true, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char live[32], freed[32];
		char *text = run(
			s, &text_sink_ops,
			"%" PRIx64 "::bufctl %s; %" PRIx64 "::bufctl %s",
			s->live, cases[i].filter, s->freed, cases[i].filter);

		snprintf(live, sizeof(live), "%016" PRIx64, s->live);
		snprintf(freed, sizeof(freed), "%016" PRIx64, s->freed);
		assert_int_equal(strstr(text, live) != NULL, cases[i].live);
		assert_int_equal(strstr(text, freed) != NULL, cases[i].freed);
		free(text);
	}
}

static void whatis_knows_each_kind(void **state)
{
	struct sample *s = *state;
	const struct {
		uint64_t address;
		const char *says;
	} cases[] = {
		{ s->live, "+0, allocated from kmem_alloc_64 (40 bytes, " },
		{ s->live + 39, "+27, allocated from kmem_alloc_64" },
		{ s->live + 40, "+28, redzone of a buffer allocated from" },
		{ s->live + 79, "+4f, canary after a buffer allocated" },
		{ s->freed + 3, "+3, freed from kmem_alloc_64" },
		{ s->freed + 100, "never allocated from kmem_alloc_64" },
		{ s->off + 64 + 3, "+3, allocated from kmem_alloc_64\n" },
		{ s->off + 64 * 3, "+0, freed from kmem_alloc_64\n" },
		{ s->live - 16, "in a slab of kmem_alloc_64" },
		{ s->bufctl + 41, "+1, bufctl of the buffer" },
		{ s->audit + 8, "+8, header of the slab" },
		{ s->cache + 8, "+8, cache kmem_alloc_64" },
		{ IMAGE_META, "+0, kma_root of libfake.so" },
		{ s->log, "records of the transaction log" },
		{ IMAGE_HEAP + 100 * KMA_PAGE_SIZE, "free pages of the heap" },
		{ 0x123, "123 is unknown" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_says(run(s, &text_sink_ops, "%" PRIx64 "::whatis",
				cases[i].address),
			    "%s", cases[i].says);
	assert_says(run(s, &json_sink_ops, "%" PRIx64 "::whatis", s->live + 1),
		    "\"base\": \"%#" PRIx64 "\", \"address\": \"%#" PRIx64
		    "\", \"offset\": 1, \"kind\": \"buffer\"",
		    s->live, s->live + 1);
}

static void kmausers_groups_by_stack_and_size(void **state)
{
	struct sample *s = *state;

	assert_says(run(s, &text_sink_ops, "::kmausers -e"),
		    "40 bytes for 1 allocations with data size 40:\n");
	assert_says(run(s, &text_sink_ops, "::kmausers -f kmem_alloc_64"),
		    "size 40, addr %" PRIx64 ", thread 7, cache kmem_alloc_64",
		    s->live);
	assert_says(run(s, &text_sink_ops, "::kmausers --sizes kmem_alloc_64"),
		    "32..63 |@@@");
	char *small = run(s, &text_sink_ops, "::umausers");
	assert_null(strstr(small, "40 bytes"));
	free(small);
}

static void kmalog_comes_newest_first(void **state)
{
	struct sample *s = *state;

	assert_says(run(s, &text_sink_ops, "::kmalog"),
		    "T-0.000000000  addr=%" PRIx64 "  kmem_alloc_64  free",
		    s->freed);
	assert_says(run(s, &text_sink_ops, "%" PRIx64 "::kmalog", s->freed + 1),
		    "T-0.000000500  addr=%" PRIx64 "  kmem_alloc_64  alloc 40",
		    s->freed);
	char *none = run(s, &text_sink_ops, "%" PRIx64 "::kmalog", s->live);
	assert_null(strstr(none, "addr="));
	free(none);
	assert_says(run(s, &json_sink_ops, "%" PRIx64 "::kmem_log", s->log),
		    "\"operation\": \"alloc\", \"size\": 40");
	assert_says(run(s, &text_sink_ops, "::walk kmem_log | ::kmem_log"),
		    "%016" PRIx64, s->log + sizeof(struct kma_log_record));
	free(run(s, &text_sink_ops, "%" PRIx64 "::kmem_log", s->log + 1));
	assert_int_equal(s->session.status, 1);
	assert_says(run(s, &text_sink_ops, "%" PRIx64 "::bufctl -h", s->freed),
		    "%016" PRIx64, s->log);
}

static void allocdby_and_freedby_ask_for_a_thread(void **state)
{
	struct sample *s = *state;

	assert_says(run(s, &json_sink_ops, "7::allocdby"),
		    "{\"bufctl\": \"%#" PRIx64 "\", \"timestamp\": \"0x3e8\", "
		    "\"caller\": \"0x401000\", \"bufaddr\": \"%#" PRIx64 "\"",
		    s->bufctl, s->live);
	assert_says(run(s, &json_sink_ops, "9::freedby"),
		    "\"caller\": \"0x402000\", \"bufaddr\": \"%#" PRIx64 "\"",
		    s->freed);
	assert_says(run(s, &text_sink_ops, "9::walk freedby | ::bufctl"),
		    "%016" PRIx64, s->freed);
	char *none = run(s, &text_sink_ops, "9::walk allocdby");
	assert_string_equal(none, "");
	free(none);
	/* There is no thread 16: an error, unless it came down a pipe. */
	s->session.status = 0;
	free(run(s, &text_sink_ops, "::eval 10 | ::freedby"));
	assert_int_equal(s->session.status, 0);
	free(run(s, &text_sink_ops, "10::allocdby"));
	assert_int_not_equal(s->session.status, 0);
}

static size_t count_lines(char *text)
{
	size_t lines = 0;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	free(text);
	return lines;
}

static void walkers_yield_what_they_say(void **state)
{
	struct sample *s = *state;
	const struct {
		const char *name;
		size_t count;
	} cases[] = {
		{ "kmem_cache", 1 }, { "kmem_slab", 2 }, { "kmem", 4 },
		{ "freemem", 111 },  { "bufctl", 1 },    { "freectl", 1 },
		{ "kmem_log", 2 },   { "umem", 4 },      { "kmem_alloc_64", 4 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(count_lines(run(s, &text_sink_ops, "::walk %s",
						 cases[i].name)),
				 cases[i].count);
	assert_int_equal(count_lines(run(s, &text_sink_ops,
					 "%" PRIx64 "::walk kmem", s->cache)),
			 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(kmastat_counts_what_the_program_has),
		TEST(kmem_cache_finds_by_name_and_address),
		TEST(bufctl_tells_the_last_transaction),
		TEST(bufctl_filters_in_a_pipe),
		TEST(whatis_knows_each_kind),
		TEST(kmausers_groups_by_stack_and_size),
		TEST(kmalog_comes_newest_first),
		TEST(allocdby_and_freedby_ask_for_a_thread),
		TEST(walkers_yield_what_they_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
