/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What glibc's manual promises of each entry point. */
#include "tests/contract/contract.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const size_t sizes[] = {
	0,     1,     7,      8,      15,     16,      17,      24,    31,
	32,    33,    63,     64,     65,     100,     127,     128,   129,
	255,   256,   257,    1000,   1023,   1024,    1025,    2049,  4095,
	4096,  4097,  5000,   8192,   8193,   16385,   40000,   65536, 65537,
	98304, 98305, 131071, 131072, 131073, 1 << 20, 5000001,
};

static bool aligned(const void *p, size_t align)
{
	return (uintptr_t)p % align == 0;
}

static bool filled(const unsigned char *p, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != (unsigned char)byte)
			return false;
	return true;
}

static void usable_as_asked_for(unsigned char *p, size_t size, size_t align)
{
	CHECK(p != NULL);
	CHECK(aligned(p, align));
	CHECK(malloc_usable_size(p) >= size);
	memset(p, 0x5a, size);
}

static void malloc_gives_writable_aligned_memory(void)
{
	unsigned char *p[COUNT(sizes)];

	for (size_t i = 0; i < COUNT(sizes); i++) {
		p[i] = malloc(opaque_size(sizes[i]));
		usable_as_asked_for(p[i], sizes[i], 16);
		memset(p[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < COUNT(sizes); i++) {
		CHECK(filled(p[i], (int)i, sizes[i])); /* none overlap */
		free(p[i]);
	}
}

static void calloc_gives_zeros(void)
{
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < COUNT(sizes); i++) {
			unsigned char *p = calloc(opaque_size(sizes[i]), 1);

			CHECK(p && aligned(p, 16));
			CHECK(filled(p, 0, sizes[i]));
			memset(p, 0xff, sizes[i]);
			free(p);
			p = malloc(opaque_size(sizes[i]));
			memset(p, 0xff, sizes[i]);
			free(p);
		}
}

static void failures_set_enomem(void)
{
	size_t huge = opaque_size(SIZE_MAX);
	void *kept = malloc(100);
	void *p = NULL;

	errno = 0;
	CHECK(!opaque(malloc(huge)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(malloc(huge / 2)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(malloc(huge / 2 + 1)) && errno == ENOMEM);
	errno = 0; /* 64 TiB: no overflow, but nobody has that */
	CHECK(!opaque(malloc(opaque_size((size_t)1 << 46))) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(calloc(huge / 2, 3)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(calloc(huge, huge)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(realloc(opaque(kept), huge - 4096)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(reallocarray(opaque(kept), huge / 4, 8)) &&
	      errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(memalign(64, huge - 10)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(aligned_alloc(4096, huge / 2 - 10)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(valloc(huge)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(pvalloc(huge)) && errno == ENOMEM);
	CHECK(posix_memalign(&p, 64, huge - 10) == ENOMEM && !p);
	memset(opaque(kept), 1, 100); /* a failed realloc leaves it as it was */
	free(opaque(kept));
}

static void free_keeps_errno(void)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		void *p = malloc(opaque_size(sizes[i]));

		errno = EDOM;
		free(p);
		CHECK(errno == EDOM);
	}
	errno = ERANGE;
	free(NULL);
	CHECK(errno == ERANGE);
}

static void realloc_keeps_contents(void)
{
	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t j = 0; j < COUNT(sizes); j++) {
			size_t from = sizes[i], to = sizes[j];
			unsigned char *p = malloc(opaque_size(from));

			memset(p, 0x3c, from);
			if (to == 0)
				to = 1; /* 0 frees: realloc_edges() */
			p = realloc(p, to);
			CHECK(p && aligned(p, 16));
			CHECK(malloc_usable_size(p) >= to);
			CHECK(filled(p, 0x3c, from < to ? from : to));
			memset(p, 0x3d, to);
			free(p);
		}
}

static void realloc_edges(void)
{
	unsigned char *p = realloc(opaque(NULL), 100);

	usable_as_asked_for(p, 100, 16);
	CHECK(!realloc(p, 0)); /* freed */
	p = reallocarray(NULL, 10, 10);
	usable_as_asked_for(p, 100, 16);
	p = reallocarray(p, 1000, 1000);
	CHECK(p && filled(p, 0x5a, 100));
	free(p);
	p = malloc(1);
	for (size_t size = 1; size < 40 << 20; size += size / 3 + 1) {
		p = realloc(p, size);
		CHECK(p);
		p[size - 1] = 7;
		p[size / 2] = 7;
	}
	for (size_t size = 40 << 20; size > 1; size /= 2) {
		p = realloc(p, size);
		CHECK(p);
	}
	free(p);
}

static void alignments(void)
{
	for (size_t align = 8; align <= 8 << 20; align *= 2)
		for (size_t i = 0; i < COUNT(sizes); i += 3) {
			void *p = NULL;
			size_t wanted = align < 16 ? 16 : align;

			CHECK(posix_memalign(&p, align, sizes[i]) == 0);
			usable_as_asked_for(p, sizes[i], wanted);
			void *q = aligned_alloc(align, opaque_size(sizes[i]));
			usable_as_asked_for(q, sizes[i], wanted);
			void *r = memalign(align, opaque_size(sizes[i]));
			usable_as_asked_for(r, sizes[i], wanted);
			free(q);
			free(p);
			r = realloc(r, sizes[i] + 1000);
			CHECK(filled(r, 0x5a, sizes[i]));
			free(r);
		}
}

static void alignment_edges(void)
{
	void *p = NULL;

	CHECK(posix_memalign(&p, opaque_size(3), 10) == EINVAL);
	CHECK(posix_memalign(&p, opaque_size(4), 10) == EINVAL);
	CHECK(posix_memalign(&p, opaque_size(0), 10) == EINVAL);
	CHECK(posix_memalign(&p, opaque_size(24), 10) == EINVAL);
	errno = EDOM;
	CHECK(posix_memalign(&p, 64, 10) == 0 && errno == EDOM);
	free(p);
	errno = 0;
	CHECK(!opaque(aligned_alloc(opaque_size(24), 48)) && errno == EINVAL);
	p = memalign(opaque_size(24), 48); /* rounded up, as glibc does */
	usable_as_asked_for(p, 48, 32);
	free(p);
	p = valloc(100);
	usable_as_asked_for(p, 100, 4096);
	free(p);
	p = pvalloc(100);
	usable_as_asked_for(p, 4096, 4096);
	free(p);
	free(opaque(valloc(0)));
}

static void zero_sizes_are_distinct(void)
{
	void *p[100];

	for (size_t i = 0; i < COUNT(p); i++) {
		p[i] = malloc(opaque_size(0));
		CHECK(p[i] != NULL);
		for (size_t j = 0; j < i; j++)
			CHECK(p[i] != p[j]);
	}
	for (size_t i = 0; i < COUNT(p); i++)
		free(p[i]);
	CHECK(malloc_usable_size(NULL) == 0);
}

static void large_ones(void)
{
	for (size_t size = 1 << 20; size <= (size_t)1 << 30; size *= 4) {
		unsigned char *p = calloc(1, opaque_size(size));

		CHECK(p && p[0] == 0 && p[size / 2] == 0 && p[size - 1] == 0);
		p[0] = p[size - 1] = 1;
		free(p);
	}
}

/* Memory that the system will not take back is not zero for being asked. The
 * lock may be refused; then this is one more test of calloc. */
static void calloc_gives_zeros_of_locked_pages(void)
{
	mlockall(MCL_CURRENT | MCL_FUTURE);
	for (size_t size = 200000; size < 64 << 20; size *= 3) {
		unsigned char *p = opaque(malloc(size));

		memset(p, 0x55, size);
		free(opaque(p));
		p = calloc(opaque_size(size), 1);
		CHECK(p);
		for (size_t i = 0; i < size; i++)
			CHECK(p[i] == 0);
		memset(p, 0x55, size);
		free(opaque(p));
	}
	munlockall();
}

static void questions_are_answered(void)
{
	struct mallinfo2 before = mallinfo2();
	void *p = opaque(malloc(1000000));
	struct mallinfo2 with = mallinfo2();
	char text[4096];
	FILE *stream = fmemopen(text, sizeof(text), "w");

	CHECK(with.uordblks >= before.uordblks + 1000000);
	CHECK(with.hblkhd >= before.hblkhd + 1000000);
	CHECK(with.arena >= with.uordblks);
	free(p);
	CHECK(stream && malloc_info(0, stream) == 0);
	fclose(stream);
	CHECK(strncmp(text, "<malloc version=\"1\">", 20) == 0);
	errno = 0;
	CHECK(malloc_info(1, stdout) == -1 && errno == EINVAL);
	CHECK(mallopt(M_MMAP_THRESHOLD, 65536) == 1);
	malloc_trim(0);
}

static void all_that_is_usable_is_writable(void)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		unsigned char *p = malloc(opaque_size(sizes[i]));
		unsigned char *q = malloc(opaque_size(sizes[i]));
		size_t usable = malloc_usable_size(p);

		memset(q, 0x11, malloc_usable_size(q));
		memset(p, 0x77, usable);
		CHECK(filled(q, 0x11, malloc_usable_size(q)));
		if (usable) { /* else it would be freed */
			p = realloc(p, usable);
			CHECK(p && filled(p, 0x77, usable));
		}
		free(q);
		free(p);
	}
}

/* C23's, which glibc may not have yet. */
static void sized_frees(void)
{
	void (*free_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
	void (*free_aligned_sized)(void *, size_t, size_t) =
		dlsym(RTLD_DEFAULT, "free_aligned_sized");

	CHECK(free_sized && free_aligned_sized);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		void *p = NULL;

		free_sized(malloc(opaque_size(sizes[i])), sizes[i]);
		free_sized(calloc(1, opaque_size(sizes[i])), sizes[i]);
		for (size_t align = 16; align <= 1 << 16; align *= 8) {
			p = aligned_alloc(align, opaque_size(sizes[i]));
			free_aligned_sized(p, align, sizes[i]);
		}
	}
	errno = EDOM;
	free_sized(NULL, 0);
	free_aligned_sized(NULL, 64, 0);
	CHECK(errno == EDOM);
}

/* A failure leaves what it was given, and what is given is left by success. */
static void failures_change_nothing(void)
{
	size_t huge = opaque_size((size_t)PTRDIFF_MAX);
	unsigned char *p = malloc(1000);
	void *untouched = &huge;

	memset(p, 0x42, 1000);
	errno = 0;
	CHECK(!opaque(realloc(opaque(p), huge)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(realloc(opaque(p), huge + 1)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(reallocarray(opaque(p), huge, 3)) && errno == ENOMEM);
	errno = 0;
	CHECK(!opaque(reallocarray(NULL, huge, huge)) && errno == ENOMEM);
	CHECK(filled(p, 0x42, 1000));
	CHECK(posix_memalign(&untouched, 64, huge) == ENOMEM);
	CHECK(untouched == &huge);
	CHECK(posix_memalign(&untouched, opaque_size(48), 1) == EINVAL);
	CHECK(untouched == &huge);
	CHECK(posix_memalign(&untouched, (size_t)1 << 50, 1) == ENOMEM);
	CHECK(untouched == &huge);
	errno = ERANGE;
	p = realloc(p, 2000);
	CHECK(p && errno == ERANGE && filled(p, 0x42, 1000));
	free(calloc(1, 100));
	free(aligned_alloc(64, 100));
	CHECK(errno == ERANGE);
	free(p);
}

static void zero_of_every_kind(void)
{
	void *p = NULL;
	void *zeros[] = {
		calloc(opaque_size(0), 0),
		calloc(opaque_size(0), 8),
		calloc(opaque_size(8), 0),
		realloc(NULL, opaque_size(0)),
		memalign(64, opaque_size(0)),
		aligned_alloc(64, opaque_size(0)),
		reallocarray(NULL, 0, opaque_size(8)),
		pvalloc(opaque_size(0)),
	};

	for (size_t i = 0; i < COUNT(zeros); i++) {
		CHECK(zeros[i]);
		for (size_t j = 0; j < i; j++)
			CHECK(zeros[i] != zeros[j]);
	}
	CHECK(posix_memalign(&p, 256, 0) == 0 && p && aligned(p, 256));
	free(p);
	for (size_t i = 0; i < COUNT(zeros); i++)
		free(zeros[i]);
}

/* Growing moves the contents and not the alignment: as glibc has it. */
static void realloc_of_aligned_memory(void)
{
	for (size_t align = 32; align <= 1 << 20; align *= 2) {
		unsigned char *p = aligned_alloc(align, opaque_size(5000));

		CHECK(p && aligned(p, align));
		memset(p, 0x29, 5000);
		p = realloc(p, opaque_size(50000));
		CHECK(p && aligned(p, 16) && filled(p, 0x29, 5000));
		p = realloc(p, opaque_size(100));
		CHECK(p && filled(p, 0x29, 100));
		free(p);
	}
}

/* An alignment that malloc's has anyway is no error for memalign. */
static void small_alignments(void)
{
	for (size_t align = 0; align <= 16; align++) {
		void *p = memalign(opaque_size(align), opaque_size(40));

		usable_as_asked_for(p, 40, 16);
		free(p);
	}
	for (size_t align = 1; align <= 16; align *= 2) {
		void *p = aligned_alloc(opaque_size(align), opaque_size(40));

		usable_as_asked_for(p, 40, 16);
		free(p);
	}
	errno = 0;
	CHECK(!opaque(aligned_alloc(opaque_size(0), 40)) && errno == EINVAL);
	errno = 0; /* no power of two is at or above it */
	CHECK(!opaque(memalign(opaque_size(SIZE_MAX), 40)) && errno == EINVAL);
}

/* realloc(p, 0) by its other names: freed, so that the next may have it, and
 * nothing is out of memory. */
static void resized_to_nothing(void)
{
	for (int round = 0; round < 100000; round++) {
		errno = EDOM;
		CHECK(!opaque(reallocarray(malloc(opaque_size(50000)), 0, 8)));
		CHECK(!opaque(reallocarray(malloc(opaque_size(50)), 8, 0)));
		CHECK(!opaque(realloc(malloc(opaque_size(500)), 0)));
		CHECK(errno == EDOM);
	}
	CHECK(mallinfo2().uordblks < 64 << 20);
}

/* What a buffer can hold is what realloc left it, in every direction. */
static void usable_size_follows_realloc(void)
{
	unsigned char *p = malloc(opaque_size(100));

	for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
		size_t size = sizes[i * 7 % COUNT(sizes)] + 1;

		p = realloc(p, size);
		CHECK(p && malloc_usable_size(p) >= size);
		memset(p, 0x66, malloc_usable_size(p));
	}
	free(p);
}

/* libc allocates for its callers, who free, grow and ask. */
static void what_libc_allocates(void)
{
	char *text = NULL, *line = NULL;
	size_t size = 0, room = 0;
	FILE *stream = open_memstream(&text, &size);

	CHECK(stream);
	for (int i = 0; i < 20000; i++)
		fprintf(stream, "line %d\n", i);
	CHECK(fclose(stream) == 0 && malloc_usable_size(text) > size);
	stream = fmemopen(text, size, "r");
	CHECK(stream);
	line = malloc(1);
	room = 1;
	for (int i = 0; i < 20000; i++)
		CHECK(getline(&line, &room, stream) > 0);
	CHECK(getline(&line, &room, stream) == -1);
	CHECK(malloc_usable_size(line) >= room);
	fclose(stream);
	free(line);
	text = realloc(text, 2 * size);
	CHECK(text && strncmp(text, "line 0\nline 1\n", 14) == 0);
	free(text);
	line = strdup("a word");
	CHECK(line && malloc_usable_size(line) >= 7);
	free(line);
	line = realpath("/proc/self/../self/exe", NULL);
	CHECK(line && line[0] == '/');
	free(line);
}

/* What the first took back is not there for the second. */
static void trimming(void)
{
	enum { BYTES = 4 << 20 };
	unsigned char *p = opaque(malloc(opaque_size(BYTES)));

	memset(p, 1, BYTES);
	free(opaque(p));
	malloc_trim(0);
	CHECK(malloc_trim(0) == 0);
	p = calloc(1, opaque_size(BYTES));
	CHECK(p && filled(p, 0, BYTES));
	free(p);
}

static void old_questions(void)
{
	void *p = opaque(malloc(opaque_size(300000)));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	struct mallinfo with = mallinfo();
#pragma GCC diagnostic pop

	CHECK(with.uordblks >= 300000 && with.arena >= with.uordblks);
	CHECK(mallopt(M_TRIM_THRESHOLD, 1 << 20) == 1);
	CHECK(mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_ARENA_MAX, 1) == 1);
	CHECK(opaque(malloc(opaque_size(0))) != p);
	free(p);
}

int main(void)
{
	malloc_gives_writable_aligned_memory();
	calloc_gives_zeros();
	failures_set_enomem();
	free_keeps_errno();
	realloc_keeps_contents();
	realloc_edges();
	alignments();
	alignment_edges();
	zero_sizes_are_distinct();
	large_ones();
	all_that_is_usable_is_writable();
	sized_frees();
	failures_change_nothing();
	zero_of_every_kind();
	realloc_of_aligned_memory();
	small_alignments();
	resized_to_nothing();
	usable_size_follows_realloc();
	what_libc_allocates();
	trimming();
	old_questions();
	questions_are_answered();
	calloc_gives_zeros_of_locked_pages();
	return 0;
}
