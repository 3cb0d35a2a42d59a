/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/word_scan.h"

#include "kdbg/session.h"
#include "kdbg/target.h"

enum { CHUNK = 1 << 20, PAGE = 4096 };

struct word_scan {
	struct target *target;
	word_scan_fn *each;
	void *context;
	bool enough;
};

/* Of a chunk that is damaged, the pages that are not. */
static void scan_chunk(struct word_scan *scan, uint64_t at, uint64_t size)
{
	const void *words;
	struct err *err = target_view(scan->target, at, (size_t)size, &words);

	if (!err) {
		scan->enough =
			!scan->each(scan->context, at, words, (size_t)size / 8);
		return;
	}
	err_free(err);
	if (size <= PAGE)
		return;
	for (uint64_t end = at + size, next; at < end && !scan->enough;
	     at = next) {
		next = (at + PAGE) & ~(uint64_t)(PAGE - 1);
		scan_chunk(scan, at, (next < end ? next : end) - at);
	}
}

struct err *word_scan(struct session *session, uint64_t start, uint64_t end,
		      word_scan_fn *each, void *context, bool *enough)
{
	struct word_scan scan = { .target = session->target,
				  .each = each,
				  .context = context };
	struct dump_extent run;

	for (uint64_t at = start; !scan.enough && at < end &&
				  target_next_data(scan.target, at, end, &run);
	     at = run.end) {
		run.start &= ~(uint64_t)7;
		if (run.end > run.start + CHUNK)
			run.end = run.start + CHUNK;
		run.end = (run.end + 7) & ~(uint64_t)7;
		if (run.end > end)
			run.end = end;
		scan_chunk(&scan, run.start, run.end - run.start);
		if (session_interrupted(session))
			return err_new(ERR_IO, "interrupted while searching");
	}
	*enough = scan.enough;
	return NULL;
}
