/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++'s operators new and delete, by the names the Itanium ABI gives them, so
 * that no C++ runtime is needed and every buffer's family is known.
 *
 * A new that fails must call the program's new handler and throw, which is the
 * C++ library's business: its own functions are looked up when the first new
 * fails, and not before. A program without such a library cannot catch
 * anything: it is ended.
 *
 * By default most operators call another, in the end one of eight. A program
 * that replaces some of those has the others served by its own: they must not
 * be passed by, for what they take and give need not be a buffer. Those eight
 * are looked up as any library's symbols are (cxx.list), so we know without
 * asking who comes first.
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

/* The C++ library's operator new fails, and throws bad_alloc. It is asked for
 * what there cannot be: had it any more luck than we, what it got from malloc
 * would be no new's. */
static void *throw_bad_alloc(void)
{
	new_function *next =
		(new_function *)(uintptr_t)dlsym(RTLD_NEXT, "_Znwm");

	if (next)
		return next(SIZE_MAX);
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
			return throw_bad_alloc();
		handler();
	}
	return p;
}

/* The C++ library's, which turns what is thrown into NULL. */
static void *next_nothrow(const char *name, size_t size,
			  const struct nothrow *tag)
{
	typedef void *nothrow_function(size_t size, const struct nothrow *tag);
	nothrow_function *next =
		(nothrow_function *)(uintptr_t)dlsym(RTLD_NEXT, name);

	return next ? next(size, tag) : NULL;
}

static void *next_aligned_nothrow(const char *name, size_t size, size_t align,
				  const struct nothrow *tag)
{
	typedef void *nothrow_function(size_t size, size_t align,
				       const struct nothrow *tag);
	nothrow_function *next =
		(nothrow_function *)(uintptr_t)dlsym(RTLD_NEXT, name);

	return next ? next(size, align, tag) : NULL;
}

/*
 * Without a handler a nothrow new just fails. With one the C++ library's of
 * that name has to run it, for it may throw and only C++ can turn that into
 * NULL. It calls the throwing new of its form, ours.
 */
static void *new_or_null(const char *name, size_t size, enum kma_family family,
			 const struct nothrow *tag)
{
	void *p = try_new(size, 16, family);

	return p || !new_handler() ? p : next_nothrow(name, size, tag);
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
	return next ? next(size, align) : throw_bad_alloc();
}

static void *new_aligned_or_null(const char *name, size_t size, size_t align,
				 enum kma_family family,
				 const struct nothrow *tag)
{
	void *p = is_alignment(align) ? try_new(size, align, family) : NULL;

	return p || !is_alignment(align) || !new_handler()
		       ? p
		       : next_aligned_nothrow(name, size, align, tag);
}

static void delete (void *p, size_t size, enum kma_family family,
		    const char *function)
{
	if (!kma_fast_release(p))
		kma_release(p, size, family, function);
}

/* clang-format off */
#define OPERATOR(type, name, parameters) \
	EXPORT type name parameters; \
	EXPORT type name parameters

/* own_name is ours, name whoever's comes first. */
#define REPLACEABLE(type, name, parameters) \
	EXPORT type name parameters; \
	extern __typeof__(name) own##name \
		__attribute__((alias(#name), visibility("hidden")))

REPLACEABLE(void *, _Znwm, (size_t size));
REPLACEABLE(void *, _Znam, (size_t size));
REPLACEABLE(void *, _ZnwmSt11align_val_t, (size_t size, size_t align));
REPLACEABLE(void *, _ZnamSt11align_val_t, (size_t size, size_t align));
REPLACEABLE(void, _ZdlPv, (void *p));
REPLACEABLE(void, _ZdaPv, (void *p));
REPLACEABLE(void, _ZdlPvSt11align_val_t, (void *p, size_t align));
REPLACEABLE(void, _ZdaPvSt11align_val_t, (void *p, size_t align));

#define IS_REPLACED(name) __builtin_expect(name != own##name, 0)

/*
 * Where the program has new[] or delete[] of its own and not both, the other
 * one is what C++ makes of new or delete.
 */
static inline enum kma_family array_family(void)
{
	return IS_REPLACED(_Znam) || IS_REPLACED(_ZdaPv)
		? KMA_FAMILY_NEW
		: KMA_FAMILY_NEW_ARRAY;
}

static inline enum kma_family aligned_array_family(void)
{
	return IS_REPLACED(_ZnamSt11align_val_t) ||
	       IS_REPLACED(_ZdaPvSt11align_val_t)
		? KMA_FAMILY_ALIGNED
		: KMA_FAMILY_ALIGNED_ARRAY;
}

OPERATOR(void *, _Znwm, (size_t size))
{ return new_or_throw(size, 16, KMA_FAMILY_NEW); }

OPERATOR(void *, _Znam, (size_t size))
{
	return IS_REPLACED(_Znwm) ? _Znwm(size)
				  : new_or_throw(size, 16, array_family());
}

OPERATOR(void *, _ZnwmSt11align_val_t, (size_t size, size_t align))
{ return new_aligned_or_throw(size, align, KMA_FAMILY_ALIGNED); }

OPERATOR(void *, _ZnamSt11align_val_t, (size_t size, size_t align))
{
	return IS_REPLACED(_ZnwmSt11align_val_t)
		? _ZnwmSt11align_val_t(size, align)
		: new_aligned_or_throw(size, align, aligned_array_family());
}

OPERATOR(void *, _ZnwmRKSt9nothrow_t, (size_t size, const struct nothrow *tag))
{
	static const char name[] = "_ZnwmRKSt9nothrow_t";

	return IS_REPLACED(_Znwm)
		? next_nothrow(name, size, tag)
		: new_or_null(name, size, KMA_FAMILY_NEW, tag);
}

OPERATOR(void *, _ZnamRKSt9nothrow_t, (size_t size, const struct nothrow *tag))
{
	static const char name[] = "_ZnamRKSt9nothrow_t";

	return IS_REPLACED(_Znam) || IS_REPLACED(_Znwm)
		? next_nothrow(name, size, tag)
		: new_or_null(name, size, array_family(), tag);
}

OPERATOR(void *, _ZnwmSt11align_val_tRKSt9nothrow_t,
	 (size_t size, size_t align, const struct nothrow *tag))
{
	static const char name[] = "_ZnwmSt11align_val_tRKSt9nothrow_t";

	return IS_REPLACED(_ZnwmSt11align_val_t)
		? next_aligned_nothrow(name, size, align, tag)
		: new_aligned_or_null(name, size, align, KMA_FAMILY_ALIGNED,
				      tag);
}

OPERATOR(void *, _ZnamSt11align_val_tRKSt9nothrow_t,
	 (size_t size, size_t align, const struct nothrow *tag))
{
	static const char name[] = "_ZnamSt11align_val_tRKSt9nothrow_t";

	return IS_REPLACED(_ZnamSt11align_val_t) ||
	       IS_REPLACED(_ZnwmSt11align_val_t)
		? next_aligned_nothrow(name, size, align, tag)
		: new_aligned_or_null(name, size, align,
				      aligned_array_family(), tag);
}

/*
 * What is left of a delete where nobody stands in front of it. size: SIZE_MAX
 * where it is not told; what the program's own new[] asked for is not known.
 */
static inline void end_one(void *p, size_t size)
{
	delete(p, size, KMA_FAMILY_NEW, "operator delete");
}

static inline void end_array(void *p, size_t size)
{
	if (IS_REPLACED(_ZdlPv))
		_ZdlPv(p);
	else
		delete(p, IS_REPLACED(_Znam) ? SIZE_MAX : size, array_family(),
		       "operator delete[]");
}

static inline void end_aligned(void *p, size_t size)
{
	delete(p, size, KMA_FAMILY_ALIGNED, "aligned operator delete");
}

static inline void end_aligned_array(void *p, size_t size, size_t align)
{
	if (IS_REPLACED(_ZdlPvSt11align_val_t))
		_ZdlPvSt11align_val_t(p, align);
	else
		delete(p, IS_REPLACED(_ZnamSt11align_val_t) ? SIZE_MAX : size,
		       aligned_array_family(), "aligned operator delete[]");
}

static inline void delete_one(void *p, size_t size)
{
	if (IS_REPLACED(_ZdlPv))
		_ZdlPv(p);
	else
		end_one(p, size);
}

static inline void delete_array(void *p, size_t size)
{
	if (IS_REPLACED(_ZdaPv))
		_ZdaPv(p);
	else
		end_array(p, size);
}

static inline void delete_aligned(void *p, size_t size, size_t align)
{
	if (IS_REPLACED(_ZdlPvSt11align_val_t))
		_ZdlPvSt11align_val_t(p, align);
	else
		end_aligned(p, size);
}

static inline void delete_aligned_array(void *p, size_t size, size_t align)
{
	if (IS_REPLACED(_ZdaPvSt11align_val_t))
		_ZdaPvSt11align_val_t(p, align);
	else
		end_aligned_array(p, size, align);
}

OPERATOR(void, _ZdlPv, (void *p))
{ end_one(p, SIZE_MAX); }

OPERATOR(void, _ZdaPv, (void *p))
{ end_array(p, SIZE_MAX); }

OPERATOR(void, _ZdlPvm, (void *p, size_t size))
{ delete_one(p, size); }

OPERATOR(void, _ZdaPvm, (void *p, size_t size))
{ delete_array(p, size); }

OPERATOR(void, _ZdlPvSt11align_val_t, (void *p, size_t align))
{ (void)align; end_aligned(p, SIZE_MAX); }

OPERATOR(void, _ZdaPvSt11align_val_t, (void *p, size_t align))
{ end_aligned_array(p, SIZE_MAX, align); }

OPERATOR(void, _ZdlPvmSt11align_val_t, (void *p, size_t size, size_t align))
{ delete_aligned(p, size, align); }

OPERATOR(void, _ZdaPvmSt11align_val_t, (void *p, size_t size, size_t align))
{ delete_aligned_array(p, size, align); }

OPERATOR(void, _ZdlPvRKSt9nothrow_t, (void *p, const struct nothrow *tag))
{ (void)tag; delete_one(p, SIZE_MAX); }

OPERATOR(void, _ZdaPvRKSt9nothrow_t, (void *p, const struct nothrow *tag))
{ (void)tag; delete_array(p, SIZE_MAX); }

OPERATOR(void, _ZdlPvSt11align_val_tRKSt9nothrow_t,
	 (void *p, size_t align, const struct nothrow *tag))
{ (void)tag; delete_aligned(p, SIZE_MAX, align); }

OPERATOR(void, _ZdaPvSt11align_val_tRKSt9nothrow_t,
	 (void *p, size_t align, const struct nothrow *tag))
{ (void)tag; delete_aligned_array(p, SIZE_MAX, align); }
/* clang-format on */
