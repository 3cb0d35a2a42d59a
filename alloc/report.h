/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Misuse: one report for each, to stderr and to the message ring, without
 * allocating, from a heap that may be broken; then the dump if one was asked
 * for, then SIGABRT, or go on (noabort).
 *
 * The lines of a report, which tests hold to the letter:
 *
 *	kma: NAME: what happened, in a sentence
 *	kma:   address 0xA is N bytes WHERE the SIZE-byte buffer 0xB (CACHE)
 *	kma:   expected XX XX .., found YY YY .. at offset N
 *	kma:   allocated by thread T (NAME), S.mmm s ago, stack:
 *	kma:     0xPC MODULE+0xOFFSET
 *	kma:   freed by thread T (NAME), S.mmm s ago, stack:
 *	kma:     ...
 *	kma:   reported by thread T (NAME), stack:
 *	kma:     ...
 *	kma:   before it: SIZE-byte buffer 0xB, WHAT by thread T (NAME), ...
 *	kma:   after it: ...
 *	kma:   thread T (NAME) was created by thread T (NAME), ..., stack:
 *	kma:     ...
 *
 * WHERE is inside, before or after, WHAT is allocated or freed; the line of a
 * neighbour ends with how long ago that was, and its caller's place.
 *
 * The sentences are in report_sentence.c. A pointer that no cache owns has a
 * line "address 0xA is ..." that tells what is there instead. Bytes and offsets
 * are those of the first damage; an offset counts from the buffer's start.
 * Lines that do not apply are left out. New and free mixed are told, but are no
 * reason to stop; nor is what is found at exit, nor a fault in a guard or by a
 * fill, of which the process dies by the signal that told us.
 */
#ifndef ALLOC_REPORT_H
#define ALLOC_REPORT_H

#include "alloc/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names as in the manuals; the text after "kma: ". */
enum kma_error_code {
	KMA_ERROR_NONE,
	KMA_ERROR_BADADDR,    /* free of a pointer that no cache owns */
	KMA_ERROR_BADBASE,    /* free of a pointer inside a buffer */
	KMA_ERROR_DUPFREE,    /* free of a buffer that is free */
	KMA_ERROR_REDZONE,    /* bytes after the buffer were changed */
	KMA_ERROR_UNDERFLOW,  /* bytes before the buffer were changed */
	KMA_ERROR_MODIFIED,   /* a free buffer was changed */
	KMA_ERROR_BADSIZE,    /* freed with another size */
	KMA_ERROR_BADCACHE,   /* freed to another cache */
	KMA_ERROR_BADFAMILY,  /* new/delete/malloc/free mixed */
	KMA_ERROR_GUARDFAULT, /* access to a guard page or freed page */
	KMA_ERROR_ZEROSIZE,   /* a request for nothing */
	KMA_ERROR_BADFLAGS,   /* flags that mean nothing, or two things */
	KMA_ERROR_IMPOSSIBLE, /* a request that would sleep for ever */
	KMA_ERROR_LIMIT,      /* no room, for one that cannot do without */
	KMA_ERROR_LEAK,       /* destroyed with something still allocated */
	KMA_ERROR_BADTYPE,    /* freed with another type */
	KMA_ERROR_NULLFREE,   /* free of NULL */
	KMA_ERROR_BUSY,       /* in use by somebody else */
	KMA_ERROR_CTORFAIL,   /* a constructor failed that must not */
	KMA_ERROR_SLEEPINTR,  /* would sleep in a signal handler */
	KMA_ERROR_DEADLOCK,   /* every thread sleeps */
	KMA_ERROR_FILLFAULT,  /* went where the fill of unused memory points */
	KMA_ERROR_COUNT
};

/* One report, kept for the debugger. */
struct kma_error {
	uint32_t code;
	uint32_t thread;
	char name[16];
	uint64_t time;
	uint64_t address; /* what was passed, or the first damaged byte */
	uint64_t buffer;  /* user's pointer of the buffer concerned, or 0 */
	uint64_t size;    /* its request */
	int64_t offset;   /* of address from buffer */
	struct kma_bufctl *bufctl;
	struct kma_slab *slab;
	struct kma_cache *cache;
	uint64_t expected, found; /* 8 bytes at address, when compared */
	uint32_t stack;           /* depot id of the reporting stack */
	uint32_t alloc_stack, free_stack; /* as they were when it happened */
	uint32_t alloc_thread, free_thread;
	uint32_t pad;
	char message[160]; /* the first line, without "kma: " */
};

enum { KMA_ERROR_RECORDS = 16, KMA_MESSAGE_RING = 8192 };

struct kma_errors {
	uint64_t count;        /* ever reported; records keep the first ones */
	uint32_t record_count; /* in record[] */
	uint32_t pad;
	struct kma_error record[KMA_ERROR_RECORDS];
	uint64_t ring_position; /* bytes ever written to the ring */
	char ring[KMA_MESSAGE_RING];
};

/*
 * Report, dump, abort or return. address is what the program passed or where
 * damage begins; buffer may be NULL. found is NULL, or points at count bytes
 * that should have read expected[].
 */
struct kma_vmem;

struct kma_report {
	enum kma_error_code code;
	uintptr_t address;
	const struct kma_buffer *buffer;
	const char *function; /* "free", "realloc", "operator delete"; NULL */
	const char *detail;   /* behind the sentence; NULL */
	uintptr_t passed;     /* to function, where that is not address */
	const unsigned char *expected, *found;
	size_t count;
	size_t claimed_size;    /* BADSIZE */
	enum kma_family family; /* BADFAMILY: of the release */
	bool is_write;          /* GUARDFAULT */
	bool at_exit;
	/* Misuse of an arena; address is what was passed, flags with BADFLAGS.
	 */
	const struct kma_vmem *vmem;
	size_t real_size; /* BADSIZE: as it was allocated */
	bool may_go_on;   /* told, and no reason to stop */
};

void kma_report(const struct kma_report *report);

/* Has this process, since it was forked, reported anything? */
bool kma_report_told(void);

/* In the child of a fork, where the reporter may be gone. */
void kma_report_fork_child(void);

/* A line of our own to stderr and the ring: "kma: " and text. */
void kma_message(const char *text);

#endif
