/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed malloc: a charge, then the shared allocation.
 *
 *	charge memuse (or sleep for it) --> buffer --> its type beside the slab
 *
 * What a request will be charged is known before it is served: the size of
 * the class, or the pages. So the limit is never passed, by however many
 * threads.
 */
#include "alloc/types.h"

#include "alloc/allocate.h"
#include "alloc/intr.h"
#include "alloc/kmem.h"
#include "alloc/meta.h"
#include "alloc/options.h"
#include "alloc/report.h"
#include "alloc/text.h"
#include "alloc/thread.h"
#include "alloc/wait.h"
#include "alloc/word.h"

#include "kma/types.h"

#include <string.h>

/* --- the type of a buffer ---------------------------------------------------
 */

/* The slab's array, made if it has none. NULL: no memory. */
static uint16_t *types_of(struct kma_slab *slab)
{
	uint16_t *types = __atomic_load_n(&slab->types, __ATOMIC_ACQUIRE);
	uint16_t *none = NULL;

	if (types)
		return types;
	types = kma_meta_alloc(slab->buffers * sizeof(*types));
	if (types &&
	    !__atomic_compare_exchange_n(&slab->types, &none, types, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		kma_meta_free(types, slab->buffers * sizeof(*types));
		types = none;
	}
	return types;
}

/* Nested, as in a signal handler, no array can be made: the type is then not
 * known and not checked. */
static void record_type(const void *p, const struct kma_type *type)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_buffer buffer;
	uint16_t *types;

	if (kma_buffer_find((uintptr_t)p, &buffer)) {
		if (type->hoards)
			buffer.slab->hoarded = true;
		types = kma_thread_nested(self) ? buffer.slab->types
						: types_of(buffer.slab);
		if (types)
			__atomic_store_n(&types[buffer.index],
					 (uint16_t)type->number,
					 __ATOMIC_RELEASE);
	}
	kma_thread_leave(self);
}

/* Clear it if it is type's; else the other's number, 0 for none. */
static uint32_t claim_type(const struct kma_buffer *buffer,
			   const struct kma_type *type)
{
	uint16_t *types =
		__atomic_load_n(&buffer->slab->types, __ATOMIC_ACQUIRE);
	uint16_t wanted = (uint16_t)type->number;

	if (!types)
		return 0;
	__atomic_compare_exchange_n(&types[buffer->index], &wanted, 0, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return wanted;
}

/* --- the account ------------------------------------------------------------
 */

/* What serves a request; at a tier that adds to it, what it was asked for. */
static size_t charge_of(size_t size)
{
	const struct kma_cache *cache =
		size <= 8 ? kma_caches[0]
			  : kma_cache_for(size, 16, KMA_TIER_OFF);

	if (cache->bufsize)
		return cache->bufsize;
	return (size + KMA_PAGE_SIZE - 1) & ~(size_t)(KMA_PAGE_SIZE - 1);
}

static size_t charged(const struct kma_buffer *buffer)
{
	if (!kma_word_of(buffer) && buffer->slab->kind == KMA_PAGE_SLAB)
		return buffer->slab->stride;
	return charge_of(kma_buffer_size(buffer));
}

static bool charge(struct kma_type *type, size_t bytes)
{
	uint64_t used = __atomic_load_n(&type->memuse, __ATOMIC_RELAXED), more;
	uint64_t limit = __atomic_load_n(&type->limit, __ATOMIC_ACQUIRE);

	do {
		more = used + bytes;
		if (more > limit || more < used)
			return false;
	} while (!__atomic_compare_exchange_n(&type->memuse, &used, more, true,
					      __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	used = __atomic_load_n(&type->maxused, __ATOMIC_RELAXED);
	while (used < more &&
	       !__atomic_compare_exchange_n(&type->maxused, &used, more, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return true;
}

static void discharge(struct kma_type *type, size_t bytes)
{
	__atomic_sub_fetch(&type->memuse, bytes, __ATOMIC_ACQ_REL);
	kma_wait_wake();
}

struct account {
	struct kma_type *type;
	size_t bytes;
};

static bool attempt(void *context)
{
	const struct account *account = context;

	return charge(account->type, account->bytes);
}

static bool possible(void *context)
{
	const struct account *account = context;

	return account->bytes <= account->type->limit;
}

static void relieve(void *context)
{
	(void)context; /* only a free of the type helps */
}

static bool charge_or_sleep(struct kma_type *type, size_t bytes, bool sleeps)
{
	struct account account = { type, bytes };

	if (charge(type, bytes))
		return true;
	if (!sleeps)
		return false;
	__atomic_add_fetch(&type->limblocks, 1, __ATOMIC_RELAXED);
	return kma_wait_until(&(struct kma_wanted){
		.kind = KMA_WAIT_TYPE,
		.name = type->name,
		.function = "malloc",
		.size = bytes,
		.attempt = attempt,
		.possible = possible,
		.relieve = relieve,
		.context = &account,
	});
}

/* --- the calls --------------------------------------------------------------
 */

static bool check_type(const struct kma_type *type, const char *function)
{
	if (type)
		return true;
	kma_report(&(struct kma_report){ .code = KMA_ERROR_BADTYPE,
					 .function = function,
					 .detail = "there is no such type" });
	return false;
}

static void *serve(struct kma_type *type, size_t size, size_t align,
		   unsigned flags)
{
	struct kma_request request = {
		.size = size,
		.align = align ? align : kma_kmem_align(size),
		.family = KMA_FAMILY_TYPED,
		.zero = flags & KMA_ZERO,
		.must = flags & KMA_SLEEP,
	};
	void *p = kma_allocate(&request);

	if (!p && flags & KMA_SLEEP)
		p = kma_kmem_sleep(&request, "malloc");
	if (p)
		record_type(p, type);
	return p;
}

static unsigned size_bit(size_t bytes)
{
	return bytes > 1 ? 64 - (unsigned)__builtin_clzl(bytes - 1) : 0;
}

/* An aligned request is served by a class that its size alone does not tell:
 * what it is charged is put right when it is known. */
static size_t settle_charge(struct kma_type *type, const void *p, size_t bytes)
{
	struct kma_buffer buffer;
	size_t real = bytes;

	if (kma_buffer_find((uintptr_t)p, &buffer))
		real = charged(&buffer);
	__atomic_add_fetch(&type->memuse, real - bytes, __ATOMIC_ACQ_REL);
	return real;
}

/* The caller's flags fit; align 0: as kma_alloc(). */
static void *charge_and_serve(struct kma_type *type, size_t size, size_t align,
			      unsigned flags)
{
	size_t bytes = charge_of(size);
	void *p = NULL;

	if (charge_or_sleep(type, bytes, flags & KMA_SLEEP)) {
		p = serve(type, size, align, flags);
		if (!p)
			discharge(type, bytes);
		else if (align)
			bytes = settle_charge(type, p, bytes);
	}
	if (!p) {
		__atomic_add_fetch(&type->fails, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	__atomic_add_fetch(&type->inuse, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&type->calls, 1, __ATOMIC_RELAXED);
	__atomic_or_fetch(&type->sizes, UINT64_C(1) << size_bit(bytes),
			  __ATOMIC_RELAXED);
	return p;
}

void *kma_type_alloc_aligned(struct kma_type *type, size_t size, size_t align,
			     unsigned flags)
{
	if (!kma_flags_fit(flags, "malloc") || !check_type(type, "malloc"))
		return NULL;
	if (align & (align - 1)) {
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_BADFLAGS,
			.function = "malloc_aligned",
			.detail = "an alignment is a power of two" });
		return NULL;
	}
	if (flags & KMA_SLEEP &&
	    (kma_intr_depth_now() || kma_thread_inside(kma_self))) {
		kma_intr_refuse("malloc", type->name);
		flags = (flags & ~(unsigned)KMA_SLEEP) | KMA_NOSLEEP;
	}
	if (!kma_kmem_size_fits(&size, flags))
		return NULL;
	return charge_and_serve(type, size, align, flags);
}

void *kma_type_alloc(struct kma_type *type, size_t size, unsigned flags)
{
	return kma_type_alloc_aligned(type, size, 0, flags);
}

size_t kma_type_usable_size(const void *p)
{
	return kma_usable_size(p);
}

static void report_wrong_type(const struct kma_type *type, uint32_t number,
			      const struct kma_buffer *buffer)
{
	const struct kma_type *other = kma_type_of_number(number);
	char detail[96];
	struct kma_text text;

	kma_text_init(&text, detail, sizeof(detail));
	kma_text_string(&text, type->name);
	kma_text_string(&text, ", allocated as ");
	kma_text_string(&text, other ? other->name : "no type");
	kma_report(&(struct kma_report){ .code = KMA_ERROR_BADTYPE,
					 .address = kma_buffer_user(buffer),
					 .buffer = buffer,
					 .function = "free",
					 .detail = detail });
}

/* The live buffer that p is, if it is one of a type at all. */
static bool find_typed(const void *p, struct kma_buffer *ret)
{
	uint64_t word;

	if (!kma_buffer_find((uintptr_t)p, ret))
		return false;
	if (!kma_word_of(ret))
		return ret->start == (uintptr_t)p;
	word = kma_word_load(ret);
	return kma_word_state(word) == KMA_BUFFER_ALLOCATED &&
	       kma_word_family(word) == KMA_FAMILY_TYPED &&
	       kma_buffer_user(ret) == (uintptr_t)p;
}

void kma_type_free(struct kma_type *type, void *p, unsigned flags)
{
	struct kma_buffer buffer;
	uint32_t number;
	size_t bytes;

	(void)flags;
	if (!check_type(type, "free"))
		return;
	if (!p) {
		if (!kma_options.free_null_ignored)
			kma_report(&(struct kma_report){
				.code = KMA_ERROR_NULLFREE,
				.function = "free" });
		return;
	}
	if (!find_typed(p, &buffer)) { /* which is told by name */
		kma_release(p, SIZE_MAX, KMA_FAMILY_TYPED, "free");
		return;
	}
	number = claim_type(&buffer, type);
	if (number && number != type->number) {
		report_wrong_type(type, number, &buffer);
		return;
	}
	bytes = charged(&buffer);
	kma_release(p, SIZE_MAX, KMA_FAMILY_TYPED, "free");
	__atomic_sub_fetch(&type->inuse, 1, __ATOMIC_RELAXED);
	discharge(type, bytes);
}

void *kma_type_realloc(struct kma_type *type, void *p, size_t size,
		       unsigned flags)
{
	size_t old = p ? kma_usable_size(p) : 0;
	void *moved = kma_type_alloc(type, size, flags);

	if (moved && p) {
		memcpy(moved, p, old < size ? old : size);
		kma_type_free(type, p, flags);
	}
	return moved;
}
