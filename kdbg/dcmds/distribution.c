/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/distribution.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINS_USUAL = 16, BAR = 40 };

const struct column distribution_columns[DISTRIBUTION_COLUMNS] = {
	{ "low", VALUE_COUNT },
	{ "high", VALUE_COUNT },
	{ "count", VALUE_COUNT },
	{ "cache", VALUE_TEXT },
};

static const struct table distribution_table = {
	"distribution",
	distribution_columns,
	DISTRIBUTION_COLUMNS,
	.no_header = true,
};

static int by_value(const void *a, const void *b)
{
	const struct distribution_pair *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

/* Sort, and make one of pairs with the same value. */
static void settle(struct distribution *d)
{
	size_t kept = 0;

	if (d->count == 0)
		return;
	qsort(d->pairs, d->count, sizeof(d->pairs[0]), by_value);
	for (size_t i = 1; i < d->count; i++)
		if (d->pairs[i].value == d->pairs[kept].value)
			d->pairs[kept].count += d->pairs[i].count;
		else
			d->pairs[++kept] = d->pairs[i];
	d->count = kept + 1;
}

/* A full array is settled first: few values come often. */
static bool make_room(struct distribution *d)
{
	size_t capacity = d->capacity ? d->capacity * 2 : 1024;
	struct distribution_pair *pairs;

	if (d->count < d->capacity)
		return true;
	settle(d);
	if (d->count < d->capacity / 2)
		return true;
	pairs = reallocarray(d->pairs, capacity, sizeof(pairs[0]));
	if (!pairs)
		return false;
	d->pairs = pairs;
	d->capacity = capacity;
	return true;
}

void distribution_add(struct distribution *d, uint64_t value)
{
	if (d->failed || !make_room(d)) {
		d->failed = true;
		return;
	}
	d->pairs[d->count++] = (struct distribution_pair){ value, 1 };
}

void distribution_deinit(struct distribution *d)
{
	free(d->pairs);
	*d = (struct distribution){ 0 };
}

static uint64_t linear_width(const struct distribution *d,
			     const struct distribution_options *options)
{
	uint64_t span = d->pairs[d->count - 1].value - d->pairs[0].value;
	uint64_t bins = options->most_bins ? options->most_bins : BINS_USUAL;
	uint64_t width = span / bins + 1;

	return width < options->least_bin ? options->least_bin : width;
}

/* The bin that holds value. */
static void find_bin(const struct distribution *d,
		     const struct distribution_options *options, uint64_t value,
		     uint64_t *low, uint64_t *high)
{
	uint64_t first = d->pairs[0].value, width;

	*low = *high = value;
	if (options->raw || value == 0)
		return;
	if (options->geometric) {
		*low = UINT64_C(1) << (63 - __builtin_clzl(value));
		*high = *low - 1 + *low;
		return;
	}
	width = linear_width(d, options);
	*low = first + (value - first) / width * width;
	*high = *low + (width - 1);
	if (*high < *low)
		*high = UINT64_MAX;
}

static void emit_bin(uint64_t low, uint64_t high, uint64_t count, uint64_t most,
		     const char *cache, struct sink *out)
{
	char range[64], bar[BAR + 1], text[192];
	size_t length = (size_t)((double)count / (double)most * BAR + 0.5);

	for (size_t i = 0; i < BAR; i++)
		bar[i] = i < length ? '@' : ' ';
	bar[BAR] = '\0';
	if (low == high)
		snprintf(range, sizeof(range), "%" PRIu64, low);
	else
		snprintf(range, sizeof(range), "%" PRIu64 "..%" PRIu64, low,
			 high);
	snprintf(text, sizeof(text), "%17s |%s %" PRIu64, range, bar, count);
	SINK_ROW_AS(out, text, COUNT(low), COUNT(high), COUNT(count),
		    TEXT(cache));
}

struct err *distribution_emit(struct distribution *d,
			      const struct distribution_options *options,
			      const char *cache, struct sink *out)
{
	uint64_t most = 0;

	if (d->failed)
		return err_new(ERR_NO_MEMORY, "distribution");
	settle(d);
	sink_table(out, &distribution_table);
	sink_line(out, "%17s  %-40s %s", "value",
		  "------------- Distribution -------------", "count");
	/* Twice: the longest bar is that of the fullest bin. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < d->count;) {
			uint64_t low, high, count = 0;

			find_bin(d, options, d->pairs[i].value, &low, &high);
			for (; i < d->count && d->pairs[i].value <= high; i++)
				count += d->pairs[i].count;
			if (pass == 0)
				most = count > most ? count : most;
			else
				emit_bin(low, high, count, most, cache, out);
		}
	return NULL;
}
