/* SPDX-License-Identifier: BSD-2-Clause */
/* The first line of a report: what happened, by the name of the misuse. */
#include "alloc/report_text.h"

#include "alloc/family.h"
#include "alloc/word.h"

const char *kma_error_name(enum kma_error_code code)
{
	static const char *const name[KMA_ERROR_COUNT] = {
		[KMA_ERROR_NONE] = "NONE",
		[KMA_ERROR_BADADDR] = "BADADDR",
		[KMA_ERROR_BADBASE] = "BADBASE",
		[KMA_ERROR_DUPFREE] = "DUPFREE",
		[KMA_ERROR_REDZONE] = "REDZONE",
		[KMA_ERROR_UNDERFLOW] = "UNDERFLOW",
		[KMA_ERROR_MODIFIED] = "MODIFIED",
		[KMA_ERROR_BADSIZE] = "BADSIZE",
		[KMA_ERROR_BADCACHE] = "BADCACHE",
		[KMA_ERROR_BADFAMILY] = "BADFAMILY",
		[KMA_ERROR_GUARDFAULT] = "GUARDFAULT",
		[KMA_ERROR_ZEROSIZE] = "ZEROSIZE",
		[KMA_ERROR_BADFLAGS] = "BADFLAGS",
		[KMA_ERROR_IMPOSSIBLE] = "IMPOSSIBLE",
		[KMA_ERROR_BADTYPE] = "BADTYPE",
		[KMA_ERROR_NULLFREE] = "NULLFREE",
		[KMA_ERROR_BUSY] = "BUSY",
		[KMA_ERROR_CTORFAIL] = "CTORFAIL",
		[KMA_ERROR_SLEEPINTR] = "SLEEPINTR",
		[KMA_ERROR_DEADLOCK] = "DEADLOCK",
		[KMA_ERROR_LIMIT] = "LIMIT",
		[KMA_ERROR_LEAK] = "LEAK",
		[KMA_ERROR_FILLFAULT] = "FILLFAULT",
	};

	return code < KMA_ERROR_COUNT ? name[code] : "UNKNOWN";
}

static const char *what_happened(enum kma_error_code code)
{
	static const char *const what[KMA_ERROR_COUNT] = {
		[KMA_ERROR_BADADDR] = "not a buffer of this allocator",
		[KMA_ERROR_BADBASE] = "not the start of a buffer",
		[KMA_ERROR_DUPFREE] = "this buffer is free already",
		[KMA_ERROR_REDZONE] =
			"bytes after the end of a buffer were changed",
		[KMA_ERROR_UNDERFLOW] =
			"bytes before the start of a buffer were changed",
		[KMA_ERROR_MODIFIED] =
			"a buffer was changed after it was freed",
		[KMA_ERROR_BADSIZE] = "not the size it was allocated with",
		[KMA_ERROR_BADCACHE] = "freed to another cache",
		[KMA_ERROR_BADFAMILY] = "allocated by ",
		[KMA_ERROR_FILLFAULT] = "a bad access, by a pointer that is ",
		[KMA_ERROR_BADTYPE] = "not the type it was allocated with",
		[KMA_ERROR_BADFLAGS] =
			"these flags are not of this call, or exclude each "
			"other",
		[KMA_ERROR_ZEROSIZE] = "nothing is asked for",
		[KMA_ERROR_NULLFREE] = "NULL is not a buffer",
		[KMA_ERROR_BUSY] = "in use by somebody else",
		[KMA_ERROR_CTORFAIL] =
			"the constructor failed, which it must not here",
		[KMA_ERROR_SLEEPINTR] =
			"may sleep, and was called in a signal handler",
		[KMA_ERROR_IMPOSSIBLE] =
			"this could not be granted if nothing were "
			"allocated",
		[KMA_ERROR_DEADLOCK] =
			"every thread of the process sleeps for memory",
		[KMA_ERROR_LIMIT] =
			"there is no room, and the caller cannot do without",
		[KMA_ERROR_LEAK] =
			"destroyed while something is allocated from it",
	};

	return code < KMA_ERROR_COUNT && what[code] ? what[code] : "heap error";
}

static enum kma_family family_of(const struct kma_buffer *buffer)
{
	return kma_word_of(buffer) ? kma_word_family(kma_word_load(buffer))
				   : KMA_FAMILY_MALLOC;
}

static bool is_never_used(const struct kma_buffer *buffer)
{
	return buffer && kma_word_of(buffer) &&
	       kma_word_state(kma_word_load(buffer)) == KMA_BUFFER_NEVER;
}

static void add_access(struct kma_text *text, const struct kma_report *report)
{
	uintptr_t user = kma_buffer_user(report->buffer);
	uintptr_t end = user + kma_buffer_size(report->buffer);

	kma_text_string(text, report->is_write ? "a write" : "a read");
	if (report->address < user)
		kma_text_string(text, " before the start of a buffer");
	else if (report->address >= end)
		kma_text_string(text, " after the end of a buffer");
	if (kma_word_state(kma_word_load(report->buffer)) == KMA_BUFFER_FREE)
		kma_text_string(text,
				report->address >= user && report->address < end
					? " of a buffer that was freed"
					: " that was freed");
}

void kma_report_sentence(struct kma_text *text, const struct kma_report *report)
{
	kma_text_string(text, kma_error_name(report->code));
	kma_text_string(text, ": ");
	if (report->at_exit) {
		kma_text_string(text, "found at exit: ");
	} else if (report->function) {
		kma_text_string(text, report->function);
		kma_text_string(text, "(");
		if (report->vmem)
			kma_report_vmem_call(text, report);
		else if (report->passed || report->address)
			kma_text_hex(text, report->passed ? report->passed
							  : report->address);
		if (report->code == KMA_ERROR_BADSIZE) {
			kma_text_string(text, ", ");
			kma_text_decimal(text, report->claimed_size);
		}
		kma_text_string(text, "): ");
	}
	if (report->code == KMA_ERROR_GUARDFAULT)
		add_access(text, report);
	else if (report->code == KMA_ERROR_MODIFIED &&
		 is_never_used(report->buffer))
		kma_text_string(text, "memory was changed that was never "
				      "handed out");
	else
		kma_text_string(text, what_happened(report->code));
	if (report->code == KMA_ERROR_BADFAMILY)
		kma_text_string(
			text, kma_family_allocator(family_of(report->buffer)));
	if (report->detail) {
		if (report->code != KMA_ERROR_FILLFAULT)
			kma_text_string(text, ": ");
		kma_text_string(text, report->detail);
	}
}
