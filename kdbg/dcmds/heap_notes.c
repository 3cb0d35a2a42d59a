/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/heap_notes.h"

void heap_notes(const struct heap *heap, struct sink *out)
{
	const struct heap_problem *problems;
	size_t count = heap_problems(heap, &problems);
	size_t lost = heap_problems_lost(heap);

	for (size_t i = 0; i < count; i++)
		sink_note(out, "damaged: %s", problems[i].text);
	if (lost)
		sink_note(out, "damaged: %zu more", lost);
}
