/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neither fill is an address that there can be. The processor refuses such a
 * one without saying which it was (SI_KERNEL, no address), so it is looked for
 * in the registers and where a call reads its target, and beside it a pointer
 * to the buffer that it was read in: that is most often there still.
 */
#include "alloc/fault.h"

#include "alloc/arch.h"
#include "alloc/foreign.h"
#include "alloc/pattern.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/word.h"

#include <string.h>

static bool is_near(uint64_t word, uint64_t fill)
{
	enum { NEAR = 64 << 10 }; /* a member, an index */

	return word - fill + NEAR <= 2 * NEAR;
}

const char *kma_fill_meaning(uint64_t word)
{
	if (is_near(word, KMA_FILL_FREE))
		return "what a freed buffer reads: "
		       "the pointer was read in one";
	if (is_near(word, KMA_FILL_UNINITIALISED))
		return "what a buffer reads before it is written: "
		       "the pointer was read in one";
	return NULL;
}

/* Is address in a buffer that reads this fill? */
static bool find_source(uintptr_t address, bool is_free, struct kma_buffer *ret)
{
	enum kma_buffer_state state =
		is_free ? KMA_BUFFER_FREE : KMA_BUFFER_ALLOCATED;

	return kma_buffer_find_any(address, ret) && ret->bufctl &&
	       kma_word_state(kma_word_load(ret)) == state;
}

/* What a call or a jump read where it was to lead, of which no register tells:
 * p->function(). It is in a buffer, at *place, or 0. */
static uintptr_t read_target(const ucontext_t *context, uintptr_t *place)
{
	struct kma_buffer buffer;
	uintptr_t target;

	*place = kma_arch_branch_place(context);
	if (!*place || !kma_buffer_find_any(*place, &buffer))
		return 0;
	memcpy(&target, (const void *)*place, sizeof(target));
	return target;
}

bool kma_fault_by_fill(const siginfo_t *info, const ucontext_t *context)
{
	enum { PLACE, TARGET, REGISTERS, VALUES = REGISTERS + KMA_ARCH_VALUES };
	uintptr_t value[VALUES];
	struct kma_report report = { .code = KMA_ERROR_FILLFAULT };
	struct kma_buffer buffer;
	uintptr_t pc = kma_arch_context_values(context, value + REGISTERS);

	if (info->si_code != SI_KERNEL ||
	    pc - kma_root.text_base < kma_root.text_end - kma_root.text_base)
		return false;
	value[TARGET] = read_target(context, &value[PLACE]);
	for (unsigned i = 0; i < VALUES && !report.address; i++)
		if (kma_fill_meaning(value[i]))
			report.address = value[i];
	if (!report.address)
		return false;
	report.detail = kma_fill_meaning(report.address);

	bool is_free = is_near(report.address, KMA_FILL_FREE);
	for (unsigned i = 0; i < VALUES && !report.buffer; i++)
		if (find_source(value[i], is_free, &buffer)) {
			report.buffer = &buffer;
			report.address = value[i];
		}
	kma_report(&report);
	return true;
}
