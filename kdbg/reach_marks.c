/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks of many buffers, sixteen at a time. */
#include "kdbg/reach_mark.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef uint8_t sixteen __attribute__((vector_size(16)));

static uint64_t sum_of(sixteen counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(counts); i++)
		sum += counts[i];
	return sum;
}

/* Of sixteen buffers each, of which a byte can count no more than 255. */
static void count_marks(const uint8_t *marks, size_t groups, uint64_t *plain,
			uint64_t *possible)
{
	sixteen all, is_plain, plains = { 0 }, possibles = { 0 };

	for (; groups--; marks += sizeof(all)) {
		memcpy(&all, marks, sizeof(all));
		is_plain = (sixteen)((all & MARK_PLAIN) != 0); /* -1 */
		plains -= is_plain;
		possibles -= (sixteen)((all & MARK_POSSIBLE) != 0) & ~is_plain;
	}
	*plain += sum_of(plains);
	*possible += sum_of(possibles);
}

void marks_count(const uint8_t *marks, uint64_t count, uint64_t *plain,
		 uint64_t *possible)
{
	uint64_t groups = count / sizeof(sixteen);

	*plain = *possible = 0;
	for (uint64_t i = 0, part; i < groups; i += part) {
		part = groups - i < UINT8_MAX ? groups - i : UINT8_MAX;
		count_marks(marks + i * sizeof(sixteen), (size_t)part, plain,
			    possible);
	}
	for (uint64_t i = groups * sizeof(sixteen); i < count; i++) {
		*plain += !!(marks[i] & MARK_PLAIN);
		*possible += (marks[i] & (MARK_PLAIN | MARK_POSSIBLE)) ==
			     MARK_POSSIBLE;
	}
}

static bool any_lost(const uint8_t *marks)
{
	uint64_t parts[2];
	sixteen all;

	memcpy(&all, marks, sizeof(all));
	all = (sixteen)((all & (MARK_LIVE | MARK_PLAIN)) == MARK_LIVE);
	memcpy(parts, &all, sizeof(parts));
	return parts[0] | parts[1];
}

uint64_t marks_next_lost(const uint8_t *marks, uint64_t from, uint64_t upto)
{
	while (upto - from >= sizeof(sixteen) && !any_lost(marks + from))
		from += sizeof(sixteen);
	while (from < upto &&
	       (marks[from] & (MARK_LIVE | MARK_PLAIN)) != MARK_LIVE)
		from++;
	return from;
}
