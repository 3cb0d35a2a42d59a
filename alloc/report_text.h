/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a report; report.h has its form. */
#ifndef ALLOC_REPORT_TEXT_H
#define ALLOC_REPORT_TEXT_H

#include "alloc/report.h"
#include "alloc/text.h"

/* "DUPFREE" */
const char *kma_error_name(enum kma_error_code code);

/* "DUPFREE: free(0x...): ...", the first line without "kma: ". */
void kma_report_sentence(struct kma_text *text,
			 const struct kma_report *report);

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
