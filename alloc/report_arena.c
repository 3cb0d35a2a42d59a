/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a report about an arena. */
#include "alloc/report_text.h"

#include "alloc/vmem.h"

static void line(struct kma_text *text, const char *string)
{
	kma_text_string(text, "kma:   ");
	kma_text_string(text, string);
}

void kma_report_vmem_call(struct kma_text *text,
			  const struct kma_report *report)
{
	kma_text_string(text, report->vmem->name);
	switch (report->code) {
	case KMA_ERROR_LEAK:
		return;
	case KMA_ERROR_BADADDR:
	case KMA_ERROR_BADSIZE:
		kma_text_string(text, ", ");
		kma_text_hex(text, report->address);
		return;
	default:
		kma_text_string(text, ", ");
		kma_text_decimal(text, report->claimed_size);
	}
	if (report->code == KMA_ERROR_BADFLAGS) {
		kma_text_string(text, ", flags ");
		kma_text_hex(text, report->address);
	}
}

/* The first of what is still allocated. */
static void add_live(struct kma_text *text, const struct kma_vmem *vmem,
		     uint64_t now, void (*write)(struct kma_text *text))
{
	enum { TOLD = 8 };
	const struct kma_vmem_seg *seg = vmem->head.next;
	unsigned told = 0;

	for (; seg != &vmem->head && told < TOLD; seg = seg->next) {
		if (seg->type != KMA_VMEM_SEG_ALLOC)
			continue;
		told++;
		line(text, "");
		kma_text_hex(text, seg->start);
		kma_text_string(text, ", size ");
		kma_text_decimal(text, seg->size);
		kma_text_string(text, seg->time ? ", " : "\n");
		if (seg->time) {
			kma_report_event(text, "allocated", seg->thread,
					 seg->time, now);
			kma_report_stack(text, seg->stack, seg->time, write);
		}
		write(text);
	}
}

void kma_report_vmem(struct kma_text *text, const struct kma_report *report,
		     uint64_t now, void (*write)(struct kma_text *text))
{
	const struct kma_vmem *vmem = report->vmem;

	line(text, "arena ");
	kma_text_string(text, vmem->name);
	kma_text_string(text, " has ");
	kma_text_decimal(text, vmem->in_use);
	kma_text_string(text, " of ");
	kma_text_decimal(text, vmem->total);
	kma_text_string(text, " bytes allocated\n");
	if (report->code == KMA_ERROR_BADSIZE) {
		line(text, "it was allocated with size ");
		kma_text_decimal(text, report->real_size);
		kma_text_string(text, "\n");
	}
	if (report->code == KMA_ERROR_LEAK)
		add_live(text, vmem, now, write);
}
