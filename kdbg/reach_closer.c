/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pointers where words are not looked for: at multiples of four, as a structure
 * packed to four bytes has them, and with bits above the address, as a tag.
 * Only to the start of what is leaked as yet, and not more than a possible
 * reference: what looks like one by chance is rarer than a program that packs
 * its structures.
 *
 * Only slabs are looked at of which marking, which had their words before it,
 * saw that some may hide one.
 */
#include "kdbg/reach_marker.h"

/* A word that points into the heap, from where words are not looked for. */
static void probe_hidden(struct marker *m, uint64_t word)
{
	const struct scan_slab *slab;
	struct scan_extent extent;
	uint8_t *mark;
	uint32_t index;

	slab = scan_slab_of(m->scan, word, &index);
	if (!slab)
		return;
	mark = &m->marks[slab->first_buffer + index];
	if ((__atomic_load_n(mark, __ATOMIC_RELAXED) & ~MARK_ASK) != MARK_LIVE)
		return;
	extent = scan_extent_in(m->scan, slab, index);
	if (word == extent.user && marker_set_found(m, mark))
		marker_push(m, slab, index, extent);
}

void marker_look_closer(struct marker *m, const char *words, size_t count)
{
	const uint64_t low = m->scan->low, span = m->scan->span;
	const uint64_t address = (UINT64_C(1) << HIDDEN_ADDRESS_BITS) - 1;

	if (!hidden_may(&m->hidden, words, count))
		return;
	for (size_t i = 0; i < count; i++) {
		uint64_t word = scan_load(words, i);

		if ((word & address) - low < span && word > address)
			probe_hidden(m, word & address);
		if (i + 1 == count)
			break;
		word = scan_load(words + 4, i);
		if (word - low < span)
			probe_hidden(m, word);
	}
}

void marker_look_at_slabs(struct marker *m)
{
	const struct scan *scan = m->scan;

	for (size_t slab = m->lane; slab < scan->slab_count; slab += m->lanes) {
		const struct scan_slab *s = &scan->slabs[slab];
		const uint8_t *marks = &m->marks[s->first_buffer];

		if (!s->bytes || !scan_hides(s))
			continue;
		for (uint32_t i = 0; i < s->buffers; i++) {
			struct scan_extent extent;
			uint64_t start;

			if (!(__atomic_load_n(&marks[i], __ATOMIC_RELAXED) &
			      (MARK_PLAIN | MARK_POSSIBLE)))
				continue;
			extent = scan_extent_in(scan, s, i);
			start = (extent.user + 7) & ~(uint64_t)7;
			marker_look_closer(m, s->bytes + (start - s->first),
					   scan_word_count(extent));
		}
	}
}
