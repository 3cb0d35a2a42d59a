/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a report; report.h has its form. */
#ifndef ALLOC_REPORT_TEXT_H
#define ALLOC_REPORT_TEXT_H

#include "alloc/report.h"
#include "alloc/text.h"

struct kma_thread;

/* "DUPFREE" */
const char *kma_error_name(enum kma_error_code code);

/* "DUPFREE: free(0x...): ...", the first line without "kma: ". */
void kma_report_sentence(struct kma_text *text,
			 const struct kma_report *report);

/* "thread 12 (name)", as the thread of that time was called last. */
void kma_report_thread(struct kma_text *text, uint32_t tid, uint64_t time);

/* Threads of which their creation is to be told; those that created them are
 * added as it is. */
enum { KMA_REPORT_CREATIONS_MAX = 8 };

struct kma_report_creations {
	const struct kma_thread *thread[KMA_REPORT_CREATIONS_MAX];
	unsigned count;
};

void kma_report_creations_add(struct kma_report_creations *creations,
			      uint32_t tid, uint64_t time);
/* "thread 12 (name) was created by thread 10 (name), 0.001 s ago, stack:" and
 * the stack, for each. */
void kma_report_creations(struct kma_text *text,
			  struct kma_report_creations *creations, uint64_t now,
			  void (*write)(struct kma_text *text));

/* "allocated by thread 12 (name), 0.001 s ago, " */
void kma_report_event(struct kma_text *text, const char *verb, uint32_t tid,
		      uint64_t time, uint64_t now);

/* "stack:" and a line for each frame. */
void kma_report_stack(struct kma_text *text, uint32_t id, uint64_t time,
		      void (*write)(struct kma_text *text));

/* Of an arena (report_arena.c): what was passed, and the lines about it. */
void kma_report_vmem_call(struct kma_text *text,
			  const struct kma_report *report);
void kma_report_vmem(struct kma_text *text, const struct kma_report *report,
		     uint64_t now, void (*write)(struct kma_text *text));

/* The whole rest, block by block to write(). now: ticks. */
void kma_report_body(struct kma_text *text, const struct kma_report *report,
		     uint64_t now, uint32_t stack,
		     void (*write)(struct kma_text *text));

#endif
