/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/references.h"

#include "kdbg/session.h"
#include "kdbg/word_scan.h"

bool reference_get(const struct reach *reach, uint64_t word,
		   struct reference *ret)
{
	struct scan *scan = reach_scan(reach);

	if (!scan_in_range(scan, word) || !scan_find(scan, word, &ret->to))
		return false;
	ret->number = scan_number(scan, ret->to);
	if (reach_class_of(reach, ret->number) == REACH_NOT_LIVE)
		return false;
	ret->extent = scan_extent(scan, ret->to);
	ret->offset = word - ret->extent.user;
	ret->plain =
		!ret->offset || scan_by_design(scan, &scan->slabs[ret->to.slab],
					       ret->extent, word);
	return ret->offset <= ret->extent.size;
}

struct root_walk {
	const struct scan *aligned;
	struct scan unaligned; /* reads words alone */
	const struct root *root;
	root_words_fn *each;
	void *context;
};

static bool visit(void *context, uint64_t address, const char *words,
		  size_t count)
{
	const struct root_walk *walk = context;
	const struct scan *scan =
		walk->root->unaligned ? &walk->unaligned : walk->aligned;
	const struct root_words chunk = { walk->root, scan, address, words,
					  scan_pointers(scan, count) };

	return walk->each(walk->context, &chunk);
}

struct err *references_each_root(struct session *session,
				 const struct reach *reach, root_words_fn *each,
				 void *context)
{
	const struct root *roots;
	size_t count = roots_list(reach_roots(reach), &roots);
	struct root_walk walk = { .aligned = reach_scan(reach),
				  .unaligned = *reach_scan(reach),
				  .each = each,
				  .context = context };
	struct err *err = NULL;
	bool enough = false;

	walk.unaligned.forms.unaligned = true;
	for (size_t i = 0; !err && !enough && i < count; i++) {
		walk.root = &roots[i];
		if (roots[i].words)
			enough = !visit(&walk, 0, roots[i].words,
					roots[i].words_size / 8);
		else
			err = word_scan(session, roots[i].start, roots[i].end,
					visit, &walk, &enough);
	}
	return err;
}
