/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever frees it first makes its word CHANGING (word.h), which also tells
 * kma_audit_verify_all() that the bytes are not to be judged at the moment.
 * While a buffer is CHANGING it belongs to the thread that made it so.
 */
#include "alloc/audit.h"

#include "alloc/annotate.h"
#include "alloc/cell.h"
#include "alloc/clock.h"
#include "alloc/family.h"
#include "alloc/guard.h"
#include "alloc/hollow.h"
#include "alloc/log.h"
#include "alloc/pattern.h"
#include "alloc/pristine.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"
#include "alloc/word.h"

#include <string.h>

bool kma_audit_init(void)
{
	if (!kma_depot_init())
		return false;
	kma_log_init();
	return kma_guard_init();
}

/* --- the places --------------------------------------------------------- */

static bool is_guarded(const struct kma_buffer *buffer)
{
	return buffer->slab->tier == KMA_TIER_GUARD;
}

static inline struct kma_cell cell_of(const struct kma_buffer *buffer,
				      uint64_t word)
{
	bool has_none = is_guarded(buffer) || buffer->slab->bare;
	size_t canary = has_none ? 0 : KMA_CANARY_SIZE;
	struct kma_cell cell;

	cell.user = buffer->start + kma_word_offset(word);
	cell.end = cell.user + kma_word_size(word);
	cell.canary = buffer->start - canary;
	if (cell.user - cell.canary > KMA_GUARD_MAX)
		cell.canary = cell.user - KMA_GUARD_MAX;
	cell.tail_end = buffer->start + buffer->slab->stride - canary;
	cell.tail = cell.redzone_end = cell.tail_end;
	if (cell.redzone_end - cell.end > KMA_GUARD_MAX) {
		cell.redzone_end = cell.end + KMA_GUARD_MAX;
		cell.tail = cell.tail_end - KMA_GUARD_TAIL;
		if (cell.tail < cell.redzone_end)
			cell.tail = cell.redzone_end;
	}
	return cell;
}

/* What it has to tell. */
static enum kma_error_code diagnose(const struct kma_buffer *buffer,
				    uint64_t word, struct kma_damage *ret)
{
	struct kma_cell cell = cell_of(buffer, word);
	size_t size = kma_cell_free_filled(buffer->slab, kma_word_size(word));
	bool is_free = kma_word_state(word) == KMA_BUFFER_FREE;

	if (is_free && kma_cell_fill_wrong(buffer->slab, &cell)) {
		kma_fill_describe(cell.user, size, KMA_FILL_FREE, ret);
		return KMA_ERROR_MODIFIED;
	}
	if (kma_guard_wrong(cell.end, cell.redzone_end)) {
		kma_guard_describe(cell.end, cell.redzone_end, ret);
		return is_free ? KMA_ERROR_MODIFIED : KMA_ERROR_REDZONE;
	}
	if (kma_guard_wrong(cell.tail, cell.tail_end)) {
		kma_guard_describe(cell.tail, cell.tail_end, ret);
		return is_free ? KMA_ERROR_MODIFIED : KMA_ERROR_REDZONE;
	}
	if (kma_guard_wrong(cell.canary, cell.user)) {
		kma_guard_describe(cell.canary, cell.user, ret);
		return is_free ? KMA_ERROR_MODIFIED : KMA_ERROR_UNDERFLOW;
	}
	return KMA_ERROR_NONE; /* another thread is at it, and mended it */
}

enum kma_error_code kma_audit_check(const struct kma_buffer *buffer,
				    uint64_t word, struct kma_damage *ret)
{
	bool is_free = kma_word_state(word) == KMA_BUFFER_FREE;
	struct kma_cell cell = cell_of(buffer, word);

	if (is_free && is_guarded(buffer))
		return KMA_ERROR_NONE; /* its pages cannot be touched */
	if (kma_cell_guards_wrong(&cell) ||
	    (is_free && kma_cell_fill_wrong(buffer->slab, &cell)))
		return diagnose(buffer, word, ret);
	if (is_free && buffer->slab->hollow && kma_hollow_damaged(buffer, ret))
		return KMA_ERROR_MODIFIED;
	return KMA_ERROR_NONE;
}

void kma_audit_foresee(const struct kma_buffer *buffer)
{
	enum { LINE = 64, AHEAD_MAX = 512 }; /* then the hardware has seen it */
	uintptr_t at = buffer->start - KMA_CANARY_SIZE;
	uintptr_t end = at + buffer->slab->stride;

	if (end - at > AHEAD_MAX)
		end = at + AHEAD_MAX;
	__builtin_prefetch(buffer->bufctl, 1);
	__builtin_prefetch((const char *)(buffer->bufctl + 1) - 1, 1);
	for (at &= ~(uintptr_t)(LINE - 1); at < end; at += LINE)
		__builtin_prefetch((const void *)at, 1);
}

/* --- taking --------------------------------------------------------------- */

static uint32_t current_tid(void)
{
	const struct kma_thread *self = kma_self;

	return self ? self->tid : sys_gettid();
}

/* passed: what the program gave to function, where there is one. */
static void report_damage(enum kma_error_code code,
			  const struct kma_buffer *buffer,
			  const struct kma_damage *damage, const char *function,
			  uintptr_t passed)
{
	struct kma_report report = {
		.code = code,
		.passed = passed,
		.address = damage->address,
		.buffer = buffer,
		.function = function,
		.expected = damage->expected,
		.found = damage->found,
		.count = damage->shown,
	};

	kma_report(&report);
}

__attribute__((noinline)) static void
report_modified(const struct kma_buffer *buffer, uint64_t word)
{
	struct kma_damage damage;

	if (diagnose(buffer, word, &damage) != KMA_ERROR_NONE)
		report_damage(KMA_ERROR_MODIFIED, buffer, &damage, NULL, 0);
}

/* What is about to be overwritten for the first time. */
__attribute__((noinline)) static void
check_pristine(const struct kma_buffer *buffer, const struct kma_cell *cell)
{
	uintptr_t filled_end =
		cell->user +
		kma_cell_filled(buffer->slab, cell->end - cell->user);
	uintptr_t rest = cell->end & ~(uintptr_t)7;
	struct kma_damage damage;
	struct kma_buffer culprit;

	if (filled_end == cell->end)
		filled_end = cell->redzone_end;
	if (!kma_pristine_spoilt(cell->canary, filled_end, &damage) &&
	    (rest <= filled_end ||
	     !kma_pristine_spoilt(rest, cell->redzone_end, &damage)) &&
	    (cell->tail == cell->tail_end ||
	     !kma_pristine_spoilt(cell->tail & ~(uintptr_t)7, cell->tail_end,
				  &damage)))
		return;
	enum kma_error_code code =
		kma_pristine_blame(buffer, &damage, &culprit);

	report_damage(code, &culprit, &damage, NULL, 0);
}

static inline void record_alloc(const struct kma_buffer *buffer, uintptr_t user,
				size_t size, enum kma_operation operation)
{
	struct kma_bufctl *bufctl = buffer->bufctl;

	bufctl->alloc_time = kma_clock_now();
	bufctl->alloc_thread = current_tid();
	bufctl->alloc_stack = kma_stack_intern(KMA_STACK_OF_ALLOC);
	kma_log_transaction(operation, bufctl->alloc_time, user, size,
			    bufctl->alloc_stack, buffer->slab->cache->index);
}

static uintptr_t user_of(const struct kma_buffer *buffer, size_t size,
			 size_t align)
{
	if (is_guarded(buffer))
		return kma_guard_user(buffer, size, align);
	return (buffer->start + align - 1) & ~(uintptr_t)(align - 1);
}

/*
 * Canary and redzone where nothing is known of what is there; or, where before
 * is the cell as it was found intact, only what it did not have: what a guard
 * holds depends on nothing but where it is.
 */
static inline void set_guards(const struct kma_cell *cell,
			      const struct kma_cell *before)
{
	if (!before || before->user != cell->user ||
	    before->redzone_end != cell->redzone_end) {
		kma_guard_set(cell->canary, cell->user);
		kma_guard_set(cell->end, cell->redzone_end);
		kma_guard_set(cell->tail, cell->tail_end);
	} else if (cell->end < before->end) {
		kma_guard_set(cell->end, before->end);
	}
}

void *kma_audit_alloc(const struct kma_buffer *buffer, size_t size,
		      size_t align, enum kma_family family, bool zero)
{
	uintptr_t user = user_of(buffer, size, align);
	uint64_t old = kma_word_load(buffer);
	uint64_t new = kma_word_make(KMA_BUFFER_CHANGING, family,
				     user - buffer->start, size) |
		       kma_ignore_bits();
	struct kma_cell before = cell_of(buffer, old),
			cell = cell_of(buffer, new);
	bool intact =
		kma_word_state(old) == KMA_BUFFER_FREE && !is_guarded(buffer);

	if (intact &&
	    __builtin_expect((kma_cell_fill_wrong(buffer->slab, &before) |
			      kma_cell_guards_wrong(&before)) != 0,
			     0)) {
		report_modified(buffer, old);
		intact = false;
	} else if (buffer->slab->pristine &&
		   kma_word_state(old) == KMA_BUFFER_NEVER) {
		check_pristine(buffer, &cell);
	}
	kma_word_store(buffer, new);
	record_alloc(buffer, user, size, KMA_OP_ALLOC);
	if (!zero)
		kma_fill_set(user, kma_cell_filled(buffer->slab, size),
			     KMA_FILL_UNINITIALISED);
	else if (!buffer->slab->zeroed)
		memset((void *)user, 0, size);
	set_guards(&cell, intact ? &before : NULL);
	kma_word_store(buffer, kma_word_with_state(new, KMA_BUFFER_ALLOCATED));
	return (void *)user;
}

/* --- giving back ---------------------------------------------------------- */

static bool buffer_before(const struct kma_buffer *buffer,
			  struct kma_buffer *ret)
{
	if (buffer->index == 0 || !buffer->slab->bufctls)
		return false;
	*ret = (struct kma_buffer){
		.slab = buffer->slab,
		.index = buffer->index - 1,
		.start = buffer->start - buffer->slab->stride,
		.bufctl = buffer->bufctl - 1,
	};
	return true;
}

/*
 * *ret and *damage are set if so: damage before a buffer is most often an
 * overrun of the one before it, which then went through that one's whole
 * redzone: it is the one to name.
 */
static bool overrun_from_before(const struct kma_buffer *buffer,
				struct kma_buffer *ret,
				struct kma_damage *damage)
{
	struct kma_buffer before;

	if (!buffer_before(buffer, &before))
		return false;

	uint64_t word = kma_word_load(&before);

	if (kma_word_state(word) != KMA_BUFFER_ALLOCATED ||
	    kma_audit_check(&before, word, damage) != KMA_ERROR_REDZONE)
		return false;
	*ret = before;
	return true;
}

__attribute__((noinline)) static bool
report_broken(const struct kma_buffer *buffer, uint64_t word,
	      const char *function)
{
	struct kma_buffer culprit = *buffer;
	struct kma_damage damage, before;
	enum kma_error_code code = diagnose(buffer, word, &damage);

	if (code == KMA_ERROR_NONE)
		return true;
	if (code == KMA_ERROR_UNDERFLOW &&
	    overrun_from_before(buffer, &culprit, &before)) {
		code = KMA_ERROR_REDZONE;
		damage = before;
	}
	report_damage(code, &culprit, &damage, function,
		      cell_of(buffer, word).user);
	return false;
}

/* False: it was reported. */
static inline bool is_intact(const struct kma_buffer *buffer, uint64_t word,
			     const char *function)
{
	struct kma_cell cell = cell_of(buffer, word);

	return __builtin_expect(kma_cell_guards_wrong(&cell) == 0, 1) ||
	       report_broken(buffer, word, function);
}

/* Wrong, but not a reason to keep the buffer. */
__attribute__((noinline)) static void
report_claims(const struct kma_buffer *buffer, uintptr_t user, uint64_t word,
	      size_t size, enum kma_family family, const char *function)
{
	struct kma_report report = { .address = user,
				     .buffer = buffer,
				     .function = function,
				     .claimed_size = size,
				     .family = family };

	if (family != kma_word_family(word) &&
	    kma_family_mixed(buffer->bufctl->alloc_stack, kma_word_family(word),
			     family)) {
		report.code = KMA_ERROR_BADFAMILY;
		kma_report(&report);
	} else if (size != SIZE_MAX && size != kma_word_size(word)) {
		report.code = KMA_ERROR_BADSIZE;
		kma_report(&report);
	}
}

static inline void record_free(const struct kma_buffer *buffer, uintptr_t user,
			       size_t size, uint64_t time, uint32_t stack)
{
	struct kma_bufctl *bufctl = buffer->bufctl;

	bufctl->free_time = time;
	bufctl->free_thread = current_tid();
	bufctl->free_stack = stack;
	kma_log_transaction(KMA_OP_FREE, bufctl->free_time, user, size,
			    bufctl->free_stack, buffer->slab->cache->index);
	kma_log_contents(bufctl->free_time, user, size, bufctl->free_stack,
			 buffer->slab->cache->index);
}

bool kma_audit_free(const struct kma_buffer *buffer, uintptr_t user,
		    size_t size, enum kma_family family, const char *function)
{
	uint64_t word;

	kma_audit_foresee(buffer);
	uint64_t time = kma_clock_now();
	uint32_t stack = kma_stack_intern(KMA_STACK_OF_FREE);
	if (!kma_word_claim(buffer, user, function, KMA_BUFFER_CHANGING, &word))
		return false;
	if (family != kma_word_family(word) ||
	    (size != SIZE_MAX && size != kma_word_size(word)))
		report_claims(buffer, user, word, size, family, function);
	if (!is_intact(buffer, word, function)) {
		kma_word_store(buffer, word);
		return false;
	}
	record_free(buffer, user, kma_word_size(word), time, stack);
	if (!is_guarded(buffer))
		kma_fill_set(
			user,
			kma_cell_free_filled(buffer->slab, kma_word_size(word)),
			KMA_FILL_FREE);
	kma_word_store(buffer, kma_word_with_state(word, KMA_BUFFER_FREE));
	return true;
}

/* --- resizing ---------------------------------------------------------------
 */

size_t kma_audit_room(const struct kma_buffer *buffer)
{
	uintptr_t end = buffer->start + buffer->slab->stride - KMA_CANARY_SIZE;

	return end - KMA_REDZONE_MIN -
	       (buffer->start + kma_word_offset(kma_word_load(buffer)));
}

static void set_redzone(const struct kma_cell *cell)
{
	kma_guard_set(cell->end, cell->redzone_end);
	kma_guard_set(cell->tail, cell->tail_end);
}

/* A nested call leaves pages alone. */
static bool resize_pages(const struct kma_buffer *buffer, size_t size)
{
	return buffer->slab->kind != KMA_PAGE_LARGE ||
	       kma_thread_nested(kma_self) || kma_large_resize(buffer, size);
}

bool kma_audit_resize(const struct kma_buffer *buffer, size_t size)
{
	uintptr_t user = kma_buffer_user(buffer);
	uint64_t word;

	if (!kma_word_claim(buffer, user, "realloc", KMA_BUFFER_CHANGING,
			    &word))
		return true;
	size_t old = kma_word_size(word);
	uint64_t new =
		kma_word_make(KMA_BUFFER_ALLOCATED, kma_word_family(word),
			      kma_word_offset(word), size) |
		(word & KMA_BUFCTL_IGNORED);
	struct kma_cell before = cell_of(buffer, word);

	if (!is_intact(buffer, word, "realloc"))
		set_redzone(&before); /* told once is enough */
	if (!resize_pages(buffer, size)) {
		kma_word_store(buffer, word);
		return false;
	}

	struct kma_cell cell = cell_of(buffer, new);
	uintptr_t fresh = (user + old + 7) & ~(uintptr_t)7;

	record_alloc(buffer, user, size, KMA_OP_REALLOC);
	if (fresh < cell.end)
		kma_fill_set(fresh,
			     kma_cell_filled(buffer->slab, cell.end - fresh),
			     KMA_FILL_UNINITIALISED);
	set_redzone(&cell);
	kma_word_store(buffer, new);
	return true;
}
