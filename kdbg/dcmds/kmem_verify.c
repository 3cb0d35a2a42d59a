/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::kmem_verify - is the heap damaged, where, and whose fault may it be?
 *
 * Every buffer with guards is looked at, live or free: also the damage that no
 * free and no reuse has come across. A buffer whose bytes before it are damaged
 * is most often the victim of the one before, whose redzone is then damaged to
 * its end; it is said so. Damage to the allocator's own structures counts too.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap_unserved.h"
#include "kdbg/heap_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS_SHOWN = 64, CALLER_SIZE = 512, TEXT_SIZE = 1024 };

struct verify_options {
	bool verbose;
};

static const struct option verify_options[] = {
	{ 'v', "verbose", OPTION_FLAG, offsetof(struct verify_options, verbose),
	  NULL, "every damaged buffer, as for one cache" },
};

static const struct column cache_columns[] = {
	{ "Cache Name", VALUE_TEXT, .width = 30 },
	{ "Addr", VALUE_ADDRESS },
	{ "Cache Integrity", VALUE_TEXT, .width = 20 },
	{ "damaged", VALUE_COUNT, .wide = true },
	{ "verified", VALUE_COUNT, .wide = true },
};

static const struct column buffer_columns[] = {
	{ "addr", VALUE_ADDRESS },
	{ "bufctl", VALUE_ADDRESS },
	{ "cache", VALUE_TEXT },
	{ "size", VALUE_SIZE },
	{ "state", VALUE_TEXT },
	{ "integrity", VALUE_TEXT },
	{ "damaged bytes", VALUE_COUNT },
	{ "damage", VALUE_LINES },
	{ "allocated by", VALUE_LINES, .line = 1 },
	{ "freed by", VALUE_LINES, .line = 1 },
	{ "neighbours", VALUE_LINES, .line = 1 },
};

enum { CACHES, BUFFERS };

static const struct table verify_tables[] = {
	[CACHES] = { "default", cache_columns,
		     sizeof(cache_columns) / sizeof(cache_columns[0]) },
	[BUFFERS] = { "one cache, -v", buffer_columns,
		      sizeof(buffer_columns) / sizeof(buffer_columns[0]),
		      .no_header = true },
};

/* What is known of one cache. */
struct tally {
	uint64_t verified, damaged, unread;
	bool guarded; /* some slab of it has guards */
};

/* What is wrong with one buffer. */
struct findings {
	const struct heap_buffer *buffer;
	struct stack_lines lines;
	uint64_t words, bytes;
	uint64_t bytes_at[DAMAGE_AFTER + 1];
	uint64_t first[DAMAGE_AFTER + 1]; /* address of the first such byte */
	uint64_t end;                     /* past the last damaged byte */
};

static void format_bytes(char *text, const unsigned char *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		text += sprintf(text, " %02x", bytes[i]);
	*text = '\0';
}

static void add_damage(void *context, const struct heap_damage *damage)
{
	struct findings *findings = context;
	char expected[32], found[32];

	if (!findings->bytes_at[damage->place])
		findings->first[damage->place] = damage->address;
	findings->words++;
	findings->bytes += damage->count;
	findings->bytes_at[damage->place] += damage->count;
	findings->end = damage->address + damage->count;
	if (findings->words > WORDS_SHOWN)
		return;
	format_bytes(expected, damage->expected, damage->count);
	format_bytes(found, damage->found, damage->count);
	stack_lines_text(&findings->lines,
			 "%" PRIx64 " (offset %" PRId64
			 "): expected%s, found%s",
			 damage->address,
			 (int64_t)(damage->address - findings->buffer->user),
			 expected, found);
}

static bool neighbour(struct heap *heap, const struct heap_buffer *buffer,
		      int step, struct heap_buffer *ret)
{
	return (step > 0 || buffer->index > 0) &&
	       heap_buffer_get(heap, buffer->slab,
			       buffer->index + (uint32_t)step, ret);
}

static const struct heap_event *last_event(const struct heap_buffer *buffer)
{
	return buffer->state == BUFFER_FREE ? &buffer->free : &buffer->alloc;
}

static void add_neighbour(struct session *session, struct heap *heap,
			  const struct heap_buffer *buffer, const char *where,
			  int step, struct stack_lines *lines)
{
	struct heap_buffer next;
	char caller[CALLER_SIZE];

	if (!neighbour(heap, buffer, step, &next))
		return;
	if (next.state == BUFFER_NEVER) {
		stack_lines_text(lines, "%s it: %" PRIx64 ", never allocated",
				 where, next.user);
		return;
	}
	stack_caller(session, heap, last_event(&next), caller, sizeof(caller));
	stack_lines_text(lines,
			 "%s it: %" PRIx64 ", %" PRIu64
			 " bytes, %s by thread %" PRIu32 " in %s",
			 where, next.user, next.size,
			 next.state == BUFFER_FREE ? "freed" : "allocated",
			 last_event(&next)->thread, caller);
}

/* Did the buffer before this one run over its end and into this one? */
static bool is_victim(struct heap *heap, const struct findings *findings)
{
	struct heap_buffer before;
	struct findings its = { .buffer = &before };

	if (!neighbour(heap, findings->buffer, -1, &before) ||
	    before.state != BUFFER_ALLOCATED)
		return false;
	heap_verify_buffer(heap, &before, add_damage, &its);
	stack_lines_deinit(&its.lines);
	return its.bytes_at[DAMAGE_AFTER] > 0;
}

static void tell_integrity(struct heap *heap, const struct findings *findings,
			   char *text, size_t size)
{
	const struct heap_buffer *buffer = findings->buffer;
	const uint64_t *bytes = findings->bytes_at;
	uint64_t end = buffer->user + buffer->size;

	if (bytes[DAMAGE_BEFORE] && is_victim(heap, findings))
		snprintf(text, size,
			 "overrun by the buffer before it, which is damaged "
			 "too");
	else if (buffer->state == BUFFER_FREE)
		snprintf(text, size, "modified after it was freed");
	else if (buffer->state == BUFFER_NEVER)
		snprintf(text, size,
			 "modified, and was never allocated: by an overrun of "
			 "a buffer near it?");
	else if (bytes[DAMAGE_AFTER] && bytes[DAMAGE_BEFORE])
		snprintf(text, size, "overrun at both ends");
	else if (bytes[DAMAGE_AFTER])
		snprintf(text, size,
			 "overrun: up to %" PRIu64 " bytes past its end",
			 findings->end - end);
	else
		snprintf(text, size,
			 "underrun: up to %" PRIu64 " bytes before its start",
			 buffer->user - findings->first[DAMAGE_BEFORE]);
}

static void add_event(struct session *session, struct heap *heap,
		      const struct heap_event *event, struct stack_lines *lines)
{
	if (!event->time)
		return;
	stack_lines_text(lines, "thread %" PRIu32 ":", event->thread);
	stack_lines_add(lines, session, heap, event);
}

static void emit_buffer(const struct dcmd_call *call, struct heap *heap,
			struct findings *findings, struct sink *out)
{
	const struct heap_buffer *buffer = findings->buffer;
	const char *cache = heap_cache_of(heap, buffer->slab)->name;
	struct stack_lines alloc = { 0 }, freed = { 0 }, around = { 0 };
	char integrity[TEXT_SIZE / 4], text[TEXT_SIZE];

	tell_integrity(heap, findings, integrity, sizeof(integrity));
	snprintf(text, sizeof(text),
		 "%" PRIx64 ": %" PRIu64 " bytes of %s, %s: %s", buffer->user,
		 buffer->size, cache, buffer_state_name(buffer->state),
		 integrity);
	if (findings->words > WORDS_SHOWN)
		stack_lines_text(&findings->lines, "and %" PRIu64 " words more",
				 findings->words - WORDS_SHOWN);
	add_event(call->session, heap, &buffer->alloc, &alloc);
	add_event(call->session, heap, &buffer->free, &freed);
	add_neighbour(call->session, heap, buffer, "before", -1, &around);
	add_neighbour(call->session, heap, buffer, "after", 1, &around);
	SINK_ROW_AS(out, text, ADDRESS(buffer->user), ADDRESS(buffer->bufctl),
		    TEXT(cache), SIZE(buffer->size),
		    TEXT(buffer_state_name(buffer->state)), TEXT(integrity),
		    COUNT(findings->bytes), LINES(findings->lines.lines),
		    LINES(alloc.lines), LINES(freed.lines),
		    LINES(around.lines));
	stack_lines_deinit(&alloc);
	stack_lines_deinit(&freed);
	stack_lines_deinit(&around);
}

static void verify_buffer(const struct dcmd_call *call, struct heap *heap,
			  const struct heap_buffer *buffer, bool tell,
			  struct tally *tally, struct sink *out)
{
	struct findings findings = { .buffer = buffer };

	switch (heap_verify_buffer(heap, buffer, tell ? add_damage : NULL,
				   &findings)) {
	case VERDICT_CLEAN:
		tally->verified++;
		break;
	case VERDICT_DAMAGED:
		tally->verified++;
		tally->damaged++;
		if (tell)
			emit_buffer(call, heap, &findings, out);
		stack_lines_deinit(&findings.lines);
		break;
	case VERDICT_UNREADABLE:
		tally->unread++;
		break;
	case VERDICT_UNJUDGED:
		break;
	}
}

static void verify_slab(const struct dcmd_call *call, struct heap *heap,
			size_t number, bool tell, struct tally *tally,
			struct sink *out)
{
	struct heap_buffer buffer;

	for (uint32_t i = 0; heap_buffer_get(heap, number, i, &buffer); i++)
		verify_buffer(call, heap, &buffer, tell, tally, out);
}

static bool has_guards(const struct heap_slab *slab)
{
	return (slab->tier == TIER_AUDIT || slab->tier == TIER_GUARD) &&
	       slab->bufctls;
}

/* All slabs in one pass, into a tally for each cache; only: that cache alone,
 * or NULL. */
static void verify_slabs(const struct dcmd_call *call, struct heap *heap,
			 const struct heap_cache *only, bool tell,
			 struct tally *tallies, struct sink *out)
{
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);

	heap_caches(heap, &caches);
	for (size_t i = 0; i < count; i++) {
		if (session_interrupted(call->session) || out->failed)
			return;
		session_progress(call->session, "verifying", i, count);
		if (!has_guards(&slabs[i]) ||
		    (only && &caches[slabs[i].cache] != only))
			continue;
		tallies[slabs[i].cache].guarded = true;
		verify_slab(call, heap, i, tell, &tallies[slabs[i].cache], out);
	}
}

static void emit_cache(const struct heap_cache *cache,
		       const struct tally *tally, struct sink *out)
{
	char text[64] = "clean";

	if (tally->damaged)
		snprintf(text, sizeof(text), "%" PRIu64 " corrupt buffer%s",
			 tally->damaged, tally->damaged == 1 ? "" : "s");
	SINK_ROW(out, TEXT(cache->name), ADDRESS(cache->address), TEXT(text),
		 COUNT(tally->damaged), COUNT(tally->verified));
}

/* What was damaged, over all caches; notes tell what was not looked at. */
static uint64_t sum_up(struct heap *heap, const struct tally *tallies,
		       size_t count, struct sink *out)
{
	const struct heap_instance *instances;
	size_t instance_count = heap_instances(heap, &instances);
	const char *unserved = heap_unserved(heap);
	uint64_t damaged = 0, unread = 0;
	bool guarded = false;

	for (size_t i = 0; i < count; i++) {
		damaged += tallies[i].damaged;
		unread += tallies[i].unread;
		guarded |= tallies[i].guarded;
	}
	if (!guarded)
		sink_note(out, "no buffer has guards to verify: %s",
			  unserved ? unserved
				   : "the program did not run under "
				     "KMA_DEBUG=audit");
	if (unread)
		sink_note(out,
			  "%" PRIu64 " buffers could not be verified: "
			  "their bytes are not in the target",
			  unread);
	for (size_t i = 0; i < instance_count; i++)
		if (!heap_verify_possible(heap, i))
			sink_note(out,
				  "%s was not verified: this kdbg does "
				  "not know how it makes its guards",
				  instances[i].name);
	return damaged;
}

static struct err *verify_all(const struct dcmd_call *call, struct heap *heap,
			      const struct heap_cache *only, struct sink *out)
{
	const struct verify_options *options = call->options;
	const struct heap_cache *caches;
	size_t count = heap_caches(heap, &caches);
	struct tally *tallies = calloc(count + 1, sizeof(tallies[0]));
	bool tell = only || options->verbose;

	if (!tallies)
		return err_new(ERR_NO_MEMORY, "a tally of %zu caches", count);
	if (tell)
		sink_table(out, &verify_tables[BUFFERS]);
	verify_slabs(call, heap, only, tell, tallies, out);
	for (size_t i = 0; i < count && !tell; i++)
		if (tallies[i].guarded)
			emit_cache(&caches[i], &tallies[i], out);
	uint64_t damaged = sum_up(heap, tallies, count, out);
	if (tell)
		sink_note(out, "%" PRIu64 " corrupt buffer%s", damaged,
			  damaged == 1 ? "" : "s");
	free(tallies);
	heap_notes(heap, out);
	const struct heap_problem *problems;
	if (damaged || heap_problems(heap, &problems))
		session_found_damage(call->session);
	return NULL;
}

static struct err *verify_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_cache *only = NULL;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	if (call->has_address) {
		only = heap_cache_at(heap, call->address);
		if (!only)
			return err_new(ERR_NOT_FOUND,
				       "%#" PRIx64 " is not a cache",
				       call->address);
	}
	return verify_all(call, heap, only, out);
}

const struct dcmd dcmd_kmem_verify = {
	.name = "kmem_verify",
	.aliases = (const char *const[]){ "umem_verify", NULL },
	.summary = "is the heap damaged: guards and fills of every buffer",
	.help = "For each cache with audited buffers, whether all are as the "
		"allocator left them. For one cache, or with -v, each damaged "
		"buffer: every damaged word with what it should read, who "
		"allocated and freed the buffer, and its neighbours. Guards "
		"are computed from the process's secret; the fill of a free "
		"buffer is verified up to its first 4096 bytes.\n\n"
		"In a batch kdbg leaves status 23 when damage was found, to "
		"buffers or to the allocator's own structures.",
	.example = "::kmem_verify",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "cache",
	.options = verify_options,
	.option_count = sizeof(verify_options) / sizeof(verify_options[0]),
	.options_size = sizeof(struct verify_options),
	.tables = verify_tables,
	.table_count = sizeof(verify_tables) / sizeof(verify_tables[0]),
	.run = verify_run,
};
