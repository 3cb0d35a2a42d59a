/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ::findleaks looked at, what it did not, and what it could not. */
#include "kdbg/dcmds/findleaks.h"
#include "kdbg/heap_unserved.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_SIZE = 512 };

static void put_gap(struct sink *out, const struct root_gap *gap)
{
	char range[64] = "", thread[32] = "";

	if (gap->end)
		snprintf(range, sizeof(range), " [%#" PRIx64 ", %#" PRIx64 ")",
			 gap->start, gap->end);
	if (gap->tid)
		snprintf(thread, sizeof(thread), " of thread %u", gap->tid);
	sink_note(out, "findleaks: %s%s%s: %s",
		  gap->missing ? "missing" : "not a root", range, thread,
		  gap->reason);
}

void findleaks_statistics(const struct reach *reach, struct sink *out)
{
	const struct reach_totals *totals = reach_totals(reach);
	const struct root_gap *gaps;
	size_t count = roots_gaps(reach_roots(reach), &gaps);

	sink_note(out,
		  "findleaks: %" PRIu64 " live buffers, %" PRIu64
		  " bytes: %" PRIu64 " reachable, %" PRIu64
		  " possible, %" PRIu64 " leaked",
		  totals->buffers, totals->bytes, totals->plain,
		  totals->possible, totals->leaked);
	sink_note(out,
		  "findleaks: %" PRIu64 " words scanned, %" PRIu64
		  " lead to a live buffer",
		  totals->words, totals->references);
	for (size_t i = 0; i < count; i++)
		put_gap(out, &gaps[i]);
}

void findleaks_trust(const struct reach *reach, const struct leaks *leaks,
		     bool possible, struct sink *out)
{
	const struct leaks_totals *totals = leaks_totals(leaks);
	const struct reach_totals *marked = reach_totals(reach);
	const bool one = totals->buffers[LEAK_POSSIBLE] == 1;
	char text[TEXT_SIZE];

	if (totals->buffers[LEAK_POSSIBLE] && !possible)
		sink_note(out,
			  "%" PRIu64 " more %s, %" PRIu64
			  " bytes, %s only by pointers to what is inside "
			  "(-p shows %s)",
			  totals->buffers[LEAK_POSSIBLE],
			  one ? "buffer" : "buffers",
			  totals->bytes[LEAK_POSSIBLE],
			  one ? "is held" : "are held", one ? "it" : "them");
	roots_describe(reach_roots(reach), text, sizeof(text));
	sink_note(out, "%s", text);
	if (marked->unread)
		sink_note(out, "missing: %" PRIu64 " bytes of live buffers",
			  marked->unread);
	if (marked->unread || roots_missing(reach_roots(reach)) ||
	    roots_blind_threads(reach_roots(reach)))
		sink_note(out, "what is missing may hold pointers: a "
			       "leak told here may be none");
}

/* Nothing is found where there was nothing to look at. */
void findleaks_none(struct heap *heap, const struct findleaks_filter *filter,
		    struct sink *out)
{
	const char *unserved = heap_unserved(heap);

	if (unserved)
		sink_note(out, "findleaks: no buffers: %s", unserved);
	else
		sink_note(out, "findleaks: no memory leaks %s",
			  filter->high ? "from that caller" : "detected");
}
