/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What glibc tells of its heap, told of ours: arena is the extent of the heap,
 * hblkhd what lies in large buffers, uordblks what the program has, fordblks
 * the rest. malloc_info() is the one function here that uses stdio: it is
 * handed a stream.
 */
#include "alloc/mallinfo.h"

#include "alloc/allocate.h"
#include "alloc/deferred.h"
#include "alloc/fast.h"
#include "alloc/guard.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/usage.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct mallinfo2 mallinfo2(void)
{
	struct mallinfo2 info = { .hblks = 0 };
	struct kma_thread *self = kma_thread_enter();
	size_t free_pages, extent;

	if (kma_thread_nested(self) || !kma_init()) {
		kma_thread_leave(self);
		return info;
	}
	kma_pages_count(&free_pages, &extent);
	info.arena = extent * KMA_PAGE_SIZE;
	kma_lock_acquire(&kma_thread_lock);
	for (unsigned i = 0; i < kma_cache_count; i++) {
		struct kma_usage usage = kma_usage_of(kma_caches[i]);

		info.ordblks += usage.total - usage.in_use;
		info.uordblks += usage.in_use * kma_caches[i]->bufsize;
		if (kma_caches[i]->bufsize == 0) {
			info.hblks = usage.in_use;
			info.hblkhd = usage.pages * KMA_PAGE_SIZE -
				      kma_large_quarantined() -
				      kma_guard_quarantined();
		}
	}
	kma_lock_release(&kma_thread_lock);
	kma_thread_leave(self);
	info.uordblks += info.hblkhd;
	info.fordblks =
		info.arena > info.uordblks ? info.arena - info.uordblks : 0;
	info.keepcost = free_pages * KMA_PAGE_SIZE;
	return info;
}

static int clamp(size_t value)
{
	return value > INT_MAX ? INT_MAX : (int)value;
}

struct mallinfo mallinfo(void)
{
	struct mallinfo2 info = mallinfo2();

	return (struct mallinfo){
		.arena = clamp(info.arena),
		.ordblks = clamp(info.ordblks),
		.hblks = clamp(info.hblks),
		.hblkhd = clamp(info.hblkhd),
		.uordblks = clamp(info.uordblks),
		.fordblks = clamp(info.fordblks),
		.keepcost = clamp(info.keepcost),
	};
}

/* glibc's parameters shape an allocator of another design: known ones are
 * taken and change nothing. */
int mallopt(int parameter, int value)
{
	enum { M_ARENA_MAX_ = -8, M_MXFAST_ = 1 };

	(void)value;
	return parameter >= M_ARENA_MAX_ && parameter <= M_MXFAST_ &&
	       parameter != 0;
}

int malloc_trim(size_t pad)
{
	(void)pad;
	return kma_trim() > 0;
}

struct text {
	char at[1024];
	size_t size;
};

static void add(struct text *text, const char *string)
{
	size_t size = strlen(string);

	if (size > sizeof(text->at) - text->size)
		return;
	memcpy(text->at + text->size, string, size);
	text->size += size;
}

static void add_number(struct text *text, size_t number)
{
	char digits[24];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	add(text, at);
}

static void add_field(struct text *text, const char *before, size_t number,
		      const char *after)
{
	add(text, before);
	add_number(text, number);
	add(text, after);
}

int malloc_info(int options, FILE *stream)
{
	struct mallinfo2 info = mallinfo2();
	struct text text = { .size = 0 };

	if (options) {
		errno = EINVAL;
		return -1;
	}
	add(&text, "<malloc version=\"1\">\n<heap nr=\"0\">\n");
	add_field(&text, "<total type=\"mmap\" count=\"", info.hblks, "\"");
	add_field(&text, " size=\"", info.hblkhd, "\"/>\n");
	add_field(&text, "<system type=\"current\" size=\"", info.arena,
		  "\"/>\n");
	add_field(&text, "<aspace type=\"total\" size=\"", info.arena,
		  "\"/>\n");
	add_field(&text, "<total type=\"rest\" count=\"", info.ordblks, "\"");
	add_field(&text, " size=\"", info.fordblks, "\"/>\n");
	add(&text, "</heap>\n</malloc>\n");
	return fwrite(text.at, 1, text.size, stream) == text.size ? 0 : -1;
}

void malloc_stats(void)
{
	struct mallinfo2 info = mallinfo2();
	struct text text = { .size = 0 };

	add_field(&text, "system bytes     = ", info.arena, "\n");
	add_field(&text, "in use bytes     = ", info.uordblks, "\n");
	add_field(&text, "large regions    = ", info.hblks, "\n");
	add_field(&text, "large bytes      = ", info.hblkhd, "\n");
	if (kma_deferred_lost)
		add_field(&text, "lost in handlers = ", kma_deferred_lost,
			  "\n");
	sys_write(2, text.at, text.size);
}
