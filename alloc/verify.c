/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking at audited buffers that nobody else will look at again: at exit,
 * where a buffer that was never freed, or never used again, shows its damage at
 * last, and when a slab's pages are given back.
 *
 * Slabs are found by the page map, without a lock, while other threads may
 * still run. So a buffer is judged twice: what looks like damage counts only
 * if word and times are what they were, in a page that is still the slab's; and
 * the headers of slabs that go meanwhile stay, and pages can be touched
 * (kma_audit_is_verifying()).
 *
 * Pages that clients brought they may take away as well: of those only what can
 * be read is looked at.
 */
#include "alloc/audit.h"

#include "alloc/client.h"
#include "alloc/foreign.h"
#include "alloc/pattern.h"
#include "alloc/pristine.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/sys.h"

#include <errno.h>

static bool is_reported(const struct kma_buffer *buffer)
{
	const struct kma_errors *errors = &kma_root.errors;
	uintptr_t user = kma_buffer_user(buffer);

	for (uint32_t i = 0; i < errors->record_count; i++)
		if (errors->record[i].buffer == user &&
		    errors->record[i].bufctl == buffer->bufctl &&
		    errors->record[i].code >= KMA_ERROR_REDZONE &&
		    errors->record[i].code <= KMA_ERROR_MODIFIED)
			return true;
	return false;
}

/* The damage is what the overrun of the buffer before this one did. */
static bool is_overrun_of(const struct kma_buffer *before,
			  const struct kma_buffer *buffer,
			  const struct kma_damage *damage)
{
	return before->bufctl && before->slab == buffer->slab &&
	       damage->address < buffer->start;
}

/* page_word 0: a slab on pages that were brought. */
static bool is_still_there(const struct kma_buffer *buffer, uint64_t page_word)
{
	if (page_word)
		return kma_pages_lookup(buffer->start) == page_word;
	return kma_foreign_slab(buffer->slab->cache, buffer->start) ==
	       buffer->slab;
}

static bool is_damaged(const struct kma_buffer *buffer, uint64_t page_word,
		       struct kma_damage *damage, enum kma_error_code *ret)
{
	const struct kma_bufctl *bufctl = buffer->bufctl;
	uint64_t word = __atomic_load_n(&bufctl->word, __ATOMIC_ACQUIRE);
	uint64_t state = word >> KMA_BUFCTL_STATE_SHIFT & KMA_BUFCTL_STATE_MASK;
	uint64_t time = bufctl->alloc_time ^ bufctl->free_time;

	if (state != KMA_BUFFER_ALLOCATED && state != KMA_BUFFER_FREE)
		return false;
	*ret = kma_audit_check(buffer, word, damage);
	if (*ret == KMA_ERROR_NONE)
		return false;
	return __atomic_load_n(&bufctl->word, __ATOMIC_ACQUIRE) == word &&
	       (bufctl->alloc_time ^ bufctl->free_time) == time &&
	       is_still_there(buffer, page_word);
}

static void report(enum kma_error_code code, const struct kma_buffer *buffer,
		   const struct kma_damage *damage, bool at_exit)
{
	kma_report(&(struct kma_report){
		.code = code,
		.address = damage->address,
		.buffer = buffer,
		.expected = damage->expected,
		.found = damage->found,
		.count = damage->shown,
		.at_exit = at_exit,
	});
}

static struct kma_buffer buffer_of(struct kma_slab *slab, uint32_t index)
{
	return (struct kma_buffer){
		.slab = slab,
		.index = index,
		.start = slab->base + slab->first + index * slab->stride,
		.bufctl = &slab->bufctls[index],
	};
}

/* A slab as it is looked at. */
struct view {
	uint64_t page_word;
	uintptr_t untouched; /* pristine.h */
};

/* Where most have been handed out, asking would cost more than it saves. */
static struct view view_make(const struct kma_slab *slab, uint64_t page_word,
			     int pagemap)
{
	const uint64_t *last = &slab->bufctls[slab->buffers - 1].word;
	bool is_new =
		slab->pristine && __atomic_load_n(last, __ATOMIC_RELAXED) == 0;

	return (struct view){
		.page_word = page_word,
		.untouched =
			kma_pristine_untouched(slab, is_new ? pagemap : -1),
	};
}

/* Of a buffer that was never handed out: is it damaged, and by whom? */
static bool is_spoilt(const struct kma_buffer *buffer, const struct view *view,
		      struct kma_damage *damage, enum kma_error_code *code,
		      struct kma_buffer *culprit)
{
	const uint64_t *word = &buffer->bufctl->word;

	if (buffer->start - KMA_CANARY_SIZE >= view->untouched ||
	    !kma_pristine_damaged(
		    buffer, __atomic_load_n(word, __ATOMIC_ACQUIRE), damage))
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(word, __ATOMIC_RELAXED) != 0 ||
	    !is_still_there(buffer, view->page_word))
		return false;
	*code = kma_pristine_blame(buffer, damage, culprit);
	return true;
}

/* 1: it was reported. */
static size_t verify_edge(struct kma_slab *slab, const struct view *view,
			  bool behind)
{
	uintptr_t last = slab->origin + slab->buffers * slab->stride;
	struct kma_buffer edge, culprit;
	struct kma_damage damage;

	if (behind && last - KMA_CANARY_SIZE >= view->untouched)
		return 0;

	if (!kma_pristine_edge_damaged(slab, behind, &edge, &damage))
		return 0;
	enum kma_error_code code = kma_pristine_blame(&edge, &damage, &culprit);

	if (code == KMA_ERROR_MODIFIED || /* no buffer of it was ever used */
	    !is_still_there(&culprit, view->page_word) || is_reported(&culprit))
		return 0;
	report(code, &culprit, &damage, true);
	return 1;
}

static size_t verify_slab(struct kma_slab *slab, uint64_t page_word,
			  int pagemap)
{
	struct view view = view_make(slab, page_word, pagemap);
	struct kma_buffer before = { 0 };
	size_t found = verify_edge(slab, &view, false);

	for (uint32_t i = 0; i < slab->buffers; i++) {
		struct kma_buffer buffer = buffer_of(slab, i), culprit = buffer;
		enum kma_error_code code;
		struct kma_damage damage;

		if (!is_damaged(&buffer, page_word, &damage, &code) &&
		    !is_spoilt(&buffer, &view, &damage, &code, &culprit)) {
			before.bufctl = NULL;
			continue;
		}
		if (!is_overrun_of(&before, &buffer, &damage) &&
		    !is_reported(&culprit)) {
			report(code, &culprit, &damage, true);
			found++;
		}
		before = buffer;
	}
	return found + verify_edge(slab, &view, true);
}

void kma_audit_evict(struct kma_slab *slab)
{
	for (uint32_t i = 0; slab->bufctls && i < slab->buffers; i++) {
		struct kma_buffer buffer = buffer_of(slab, i);
		uint64_t word =
			__atomic_load_n(&buffer.bufctl->word, __ATOMIC_ACQUIRE);
		struct kma_damage damage;
		struct kma_buffer culprit;

		if ((word >> KMA_BUFCTL_STATE_SHIFT & KMA_BUFCTL_STATE_MASK) ==
			    KMA_BUFFER_FREE &&
		    kma_audit_check(&buffer, word, &damage) != KMA_ERROR_NONE)
			report(KMA_ERROR_MODIFIED, &buffer, &damage, false);
		else if (kma_pristine_damaged(&buffer, word, &damage))
			report(kma_pristine_blame(&buffer, &damage, &culprit),
			       &culprit, &damage, false);
	}
}

/* By a call that reads a signal set there before it finds that it is asked for
 * nothing: none that a filter of system calls forbids. */
static bool is_readable(const struct kma_slab *slab)
{
	enum { NO_WAY = -1, SET_SIZE = 8 };

	for (size_t i = 0; i < slab->pages; i++)
		if (sys_call(SYS_rt_sigprocmask, NO_WAY,
			     (long)(slab->base + (i << KMA_PAGE_SHIFT)), 0,
			     SET_SIZE, 0, 0) == -EFAULT)
			return false;
	return true;
}

static void verify_foreign(struct kma_slab *slab, void *context)
{
	size_t *found = context;

	if (slab->bufctls && is_readable(slab))
		*found += verify_slab(slab, 0, -1);
}

uint32_t kma_audit_verifying;

static size_t verify_all(void)
{
	int pagemap = kma_pristine_pagemap();
	uintptr_t page = kma_reserve.heap.base;
	size_t found = 0;

	while (page < kma_reserve.heap.committed) {
		uint64_t word = kma_pages_lookup(page);
		uint64_t kind = word & KMA_PAGE_KIND_MASK;
		struct kma_slab *slab =
			(struct kma_slab *)(word & KMA_PAGE_SLAB_MASK);

		if ((kind != KMA_PAGE_SLAB && kind != KMA_PAGE_LARGE) ||
		    slab->base != page) {
			page += KMA_PAGE_SIZE;
			continue;
		}
		size_t size = slab->pages << KMA_PAGE_SHIFT;
		if (slab->bufctls)
			found += verify_slab(slab, word, pagemap);
		page += size ? size : KMA_PAGE_SIZE;
	}
	if (pagemap >= 0)
		sys_call(SYS_close, pagemap, 0, 0, 0, 0, 0);
	kma_foreign_each(verify_foreign, &found);
	return found;
}

size_t kma_audit_verify_all(void)
{
	__atomic_add_fetch(&kma_audit_verifying, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	size_t found = verify_all();

	__atomic_sub_fetch(&kma_audit_verifying, 1, __ATOMIC_SEQ_CST);
	return found;
}
