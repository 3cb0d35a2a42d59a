/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++'s operators new and delete, by the names the Itanium ABI gives them, so
 * that no C++ runtime is needed and every buffer's family is known.
 *
 * A new that fails must call the program's new handler and throw, which is the
 * C++ library's business: its own functions are looked up when the first new
 * fails, and not before. A program without such a library cannot catch
 * anything: it is ended.
 */
#include "alloc/allocate.h"
#include "alloc/fast.h"
#include "alloc/report.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* const std::nothrow_t & */
struct nothrow;

typedef void handler_function(void);
typedef handler_function *get_handler_function(void);
typedef void *new_function(size_t size);

static void *try_new(size_t size, size_t align, enum kma_family family)
{
	struct kma_request request = {
		.size = size,
		.align = align,
		.family = family,
	};
	void *p = align <= 16 ? kma_fast_allocate(size) : NULL;

	return p ? p : kma_allocate(&request);
}

static handler_function *new_handler(void)
{
	get_handler_function *get = (get_handler_function *)(uintptr_t)dlsym(
		RTLD_DEFAULT, "_ZSt15get_new_handlerv");

	return get ? get() : NULL;
}

/* The C++ library's operator new tries again, fails and throws bad_alloc. */
static void *throw_bad_alloc(size_t size)
{
	new_function *next =
		(new_function *)(uintptr_t)dlsym(RTLD_NEXT, "_Znwm");

	if (next)
		return next(size);
	kma_message("operator new failed, and there is no C++ library to "
		    "throw");
	raise(SIGABRT);
	_exit(127);
}

/* Not NULL: it throws instead. */
static void *new_or_throw(size_t size, size_t align, enum kma_family family)
{
	void *p;

	while (!(p = try_new(size, align, family))) {
		handler_function *handler = new_handler();

		if (!handler)
			return throw_bad_alloc(size > align ? size : align);
		handler();
	}
	return p;
}

/*
 * Without a handler a nothrow new just fails. With one the C++ library's has
 * to run it, for it may throw and only C++ can turn that into NULL.
 */
static void *new_or_null(size_t size, size_t align, enum kma_family family,
			 const struct nothrow *tag)
{
	typedef void *nothrow_function(size_t size, const struct nothrow *tag);
	void *p = try_new(size, align, family);

	if (p || !new_handler())
		return p;

	nothrow_function *next = (nothrow_function *)(uintptr_t)dlsym(
		RTLD_NEXT, "_ZnwmRKSt9nothrow_t");

	return next ? next(size, tag) : NULL;
}

/*
 * An alignment that is no power of two: to ask for one is undefined, and the
 * C++ libraries fail, without running a handler.
 */
static bool is_alignment(size_t align)
{
	return align && !(align & (align - 1));
}

static void *new_aligned_or_throw(size_t size, size_t align,
				  enum kma_family family)
{
	typedef void *aligned_function(size_t size, size_t align);

	if (is_alignment(align))
		return new_or_throw(size, align, family);
	aligned_function *next = (aligned_function *)(uintptr_t)dlsym(
		RTLD_NEXT, "_ZnwmSt11align_val_t");
	return next ? next(size, align) : throw_bad_alloc(SIZE_MAX);
}

static void *new_aligned_or_null(size_t size, size_t align,
				 enum kma_family family,
				 const struct nothrow *tag)
{
	return is_alignment(align) ? new_or_null(size, align, family, tag)
				   : NULL;
}

static void delete (void *p, size_t size, enum kma_family family)
{
	if (!kma_fast_release(p))
		kma_release(p, size, family,
			    family == KMA_FAMILY_NEW ? "operator delete"
						     : "operator delete[]");
}

/* clang-format off */
#define OPERATOR(type, name, parameters) \
	EXPORT type name parameters; \
	EXPORT type name parameters

OPERATOR(void *, _Znwm, (size_t size))
{ return new_or_throw(size, 16, KMA_FAMILY_NEW); }

OPERATOR(void *, _Znam, (size_t size))
{ return new_or_throw(size, 16, KMA_FAMILY_NEW_ARRAY); }

OPERATOR(void *, _ZnwmSt11align_val_t, (size_t size, size_t align))
{ return new_aligned_or_throw(size, align, KMA_FAMILY_NEW); }

OPERATOR(void *, _ZnamSt11align_val_t, (size_t size, size_t align))
{ return new_aligned_or_throw(size, align, KMA_FAMILY_NEW_ARRAY); }

OPERATOR(void *, _ZnwmRKSt9nothrow_t, (size_t size, const struct nothrow *tag))
{ return new_or_null(size, 16, KMA_FAMILY_NEW, tag); }

OPERATOR(void *, _ZnamRKSt9nothrow_t, (size_t size, const struct nothrow *tag))
{ return new_or_null(size, 16, KMA_FAMILY_NEW_ARRAY, tag); }

OPERATOR(void *, _ZnwmSt11align_val_tRKSt9nothrow_t,
	 (size_t size, size_t align, const struct nothrow *tag))
{ return new_aligned_or_null(size, align, KMA_FAMILY_NEW, tag); }

OPERATOR(void *, _ZnamSt11align_val_tRKSt9nothrow_t,
	 (size_t size, size_t align, const struct nothrow *tag))
{ return new_aligned_or_null(size, align, KMA_FAMILY_NEW_ARRAY, tag); }

OPERATOR(void, _ZdlPv, (void *p))
{ delete(p, SIZE_MAX, KMA_FAMILY_NEW); }

OPERATOR(void, _ZdaPv, (void *p))
{ delete(p, SIZE_MAX, KMA_FAMILY_NEW_ARRAY); }

OPERATOR(void, _ZdlPvm, (void *p, size_t size))
{ delete(p, size, KMA_FAMILY_NEW); }

OPERATOR(void, _ZdaPvm, (void *p, size_t size))
{ delete(p, size, KMA_FAMILY_NEW_ARRAY); }

OPERATOR(void, _ZdlPvSt11align_val_t, (void *p, size_t align))
{ (void)align; delete(p, SIZE_MAX, KMA_FAMILY_NEW); }

OPERATOR(void, _ZdaPvSt11align_val_t, (void *p, size_t align))
{ (void)align; delete(p, SIZE_MAX, KMA_FAMILY_NEW_ARRAY); }

OPERATOR(void, _ZdlPvmSt11align_val_t, (void *p, size_t size, size_t align))
{ (void)align; delete(p, size, KMA_FAMILY_NEW); }

OPERATOR(void, _ZdaPvmSt11align_val_t, (void *p, size_t size, size_t align))
{ (void)align; delete(p, size, KMA_FAMILY_NEW_ARRAY); }

OPERATOR(void, _ZdlPvRKSt9nothrow_t, (void *p, const struct nothrow *tag))
{ (void)tag; delete(p, SIZE_MAX, KMA_FAMILY_NEW); }

OPERATOR(void, _ZdaPvRKSt9nothrow_t, (void *p, const struct nothrow *tag))
{ (void)tag; delete(p, SIZE_MAX, KMA_FAMILY_NEW_ARRAY); }

OPERATOR(void, _ZdlPvSt11align_val_tRKSt9nothrow_t,
	 (void *p, size_t align, const struct nothrow *tag))
{ (void)align; (void)tag; delete(p, SIZE_MAX, KMA_FAMILY_NEW); }

OPERATOR(void, _ZdaPvSt11align_val_tRKSt9nothrow_t,
	 (void *p, size_t align, const struct nothrow *tag))
{ (void)align; (void)tag; delete(p, SIZE_MAX, KMA_FAMILY_NEW_ARRAY); }
/* clang-format on */
