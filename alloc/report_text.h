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

/* The whole rest, block by block to write(). now: ticks. */
void kma_report_body(struct kma_text *text, const struct kma_report *report,
		     uint64_t now, uint32_t stack,
		     void (*write)(struct kma_text *text));

#endif
