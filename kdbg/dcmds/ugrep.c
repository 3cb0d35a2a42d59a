/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::ugrep - where in memory a value, a string or bytes stand. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/memory_search.h"
#include "kdbg/target.h"
#include "kdbg/whatis.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct ugrep_options {
	bool verbose, unaligned;
	uint64_t lowest, highest, distance, mask, inverse_mask, size;
	const char *string, *bytes;
};

#define FIELD(f) offsetof(struct ugrep_options, f)

static const struct option ugrep_options[] = {
	{ 'v', NULL, OPTION_FLAG, FIELD(verbose), NULL,
	  "also the word that matched, and what holds it" },
	{ 'a', NULL, OPTION_NUMBER, FIELD(lowest), "address",
	  "only at this address or above it" },
	{ 'A', NULL, OPTION_NUMBER, FIELD(highest), "address",
	  "only below this address" },
	{ 'd', NULL, OPTION_NUMBER, FIELD(distance), "bytes",
	  "words from the value on, less than so much above it: pointers into "
	  "an object" },
	{ 'm', NULL, OPTION_NUMBER, FIELD(mask), "mask",
	  "compare these bits only" },
	{ 'M', NULL, OPTION_NUMBER, FIELD(inverse_mask), "mask",
	  "compare all bits but these" },
	{ 's', NULL, OPTION_NUMBER, FIELD(size), "bytes",
	  "a word is 1, 2, 4 or 8 (default) bytes" },
	{ 'u', "unaligned", OPTION_FLAG, FIELD(unaligned), NULL,
	  "words at any address, as in packed structures" },
	{ 0, "string", OPTION_TEXT, FIELD(string), "text",
	  "this text, at any address, instead of a value" },
	{ 0, "bytes", OPTION_TEXT, FIELD(bytes), "hex",
	  "these bytes, two digits each, instead of a value" },
};

static const struct column short_columns[] = { { "ADDR", VALUE_ADDRESS } };
static const struct column long_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "VALUE", VALUE_ADDRESS },
	{ "IN", VALUE_TEXT },
};

enum { TABLE_SHORT, TABLE_LONG };
static const struct table ugrep_tables[] = {
	[TABLE_SHORT] = { "default", short_columns, 1, .no_header = true },
	[TABLE_LONG] = { "-v", long_columns, 3 },
};

struct ugrep {
	const struct dcmd_call *call;
	const struct ugrep_options *options;
	struct sink *out;
	unsigned size;
};

static void describe(struct session *session, uint64_t address, char *text,
		     size_t size)
{
	struct whatis_answer answer;

	if (!whatis_find(session, address, &answer, 1)) {
		snprintf(text, size, "unknown");
		return;
	}
	char base[24];
	snprintf(base, sizeof(base), "%" PRIx64, answer.base);
	snprintf(text, size, "%s+%" PRIx64 ", %s",
		 answer.name[0] ? answer.name : base, address - answer.base,
		 answer.what);
}

static bool emit(void *context, uint64_t address)
{
	struct ugrep *g = context;
	struct session *session = g->call->session;
	uint64_t value = 0;
	char text[1400];

	if (!g->options->verbose) {
		SINK_ROW(g->out, ADDRESS(address));
		return !g->out->failed;
	}
	err_free(target_read_uint(session->target, address, g->size, &value));
	describe(session, address, text, sizeof(text));
	SINK_ROW(g->out, ADDRESS(address), ADDRESS(value), TEXT(text));
	return !g->out->failed;
}

static struct err *check(const struct dcmd_call *call)
{
	const struct ugrep_options *options = call->options;
	bool text = options->string || options->bytes;
	int ways = (options->distance != 0) + (options->mask != 0) +
		   (options->inverse_mask != 0);
	uint64_t size = options->size;

	if (options->string && options->bytes)
		return err_new(ERR_USAGE, "either --string or --bytes");
	if (!text && !call->has_address)
		return err_new(ERR_USAGE, "what to look for: VALUE::ugrep, "
					  "--string or --bytes");
	if (ways > (text ? 0 : 1))
		return err_new(ERR_USAGE, "at most one of -d, -m and -M, and "
					  "with a value only");
	if (size && size != 1 && size != 2 && size != 4 && size != 8)
		return err_new(ERR_USAGE, "a word is 1, 2, 4 or 8 bytes");
	if (call->argc)
		return err_new(ERR_USAGE, "%s: not an option", call->argv[0]);
	return NULL;
}

static int digit_value(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* "de ad beef" in place of the text, which is at least as long. */
static struct err *parse_bytes(const char *text, unsigned char *bytes,
			       size_t *ret)
{
	size_t count = 0;

	while (*text) {
		int high = digit_value(text[0]);
		int low = high < 0 ? -1 : digit_value(text[1]);

		if (*text == ' ') {
			text++;
			continue;
		}
		if (low < 0)
			return err_new(ERR_USAGE,
				       "bytes are two hexadecimal digits "
				       "each, not '%.8s'",
				       text);
		bytes[count++] = (unsigned char)(high << 4 | low);
		text += 2;
	}
	*ret = count;
	return count ? NULL : err_new(ERR_USAGE, "no bytes to look for");
}

static struct err *make_bytes(const struct ugrep_options *options,
			      struct memory_pattern *pattern,
			      unsigned char **owned)
{
	const char *text = options->string ? options->string : options->bytes;
	struct err *err = NULL;

	if (!text)
		return NULL;
	*owned = (unsigned char *)strdup(text);
	if (!*owned)
		return err_new(ERR_NO_MEMORY, "out of memory");
	pattern->bytes = *owned;
	pattern->length = strlen(text);
	if (options->bytes)
		err = parse_bytes(text, *owned, &pattern->length);
	if (!err && !pattern->length)
		err = err_new(ERR_USAGE, "no text to look for");
	return err;
}

static struct memory_pattern make_pattern(const struct dcmd_call *call)
{
	const struct ugrep_options *options = call->options;
	struct memory_pattern pattern = {
		.size = options->size ? (unsigned)options->size : 8,
		.unaligned = options->unaligned,
		.mask = UINT64_MAX,
	};

	if (options->mask)
		pattern.mask = options->mask;
	if (options->inverse_mask)
		pattern.mask = ~options->inverse_mask;
	pattern.low = call->address & pattern.mask;
	if (options->distance)
		pattern.span = options->distance - 1;
	return pattern;
}

static struct err *ugrep_run(const struct dcmd_call *call, struct sink *out)
{
	const struct ugrep_options *options = call->options;
	struct memory_pattern pattern = make_pattern(call);
	struct memory_range range = { options->lowest,
				      options->highest ? options->highest
						       : UINT64_MAX };
	struct ugrep g = { call, options, out, pattern.size };
	unsigned char *owned = NULL;
	struct err *err = check(call);

	if (!err && !call->session->target)
		err = err_new(ERR_NOT_FOUND, "no target is open");
	if (!err)
		err = make_bytes(options, &pattern, &owned);
	if (!err) {
		if (options->verbose)
			sink_table(out, &ugrep_tables[TABLE_LONG]);
		uint64_t missing =
			memory_search(call->session, &pattern, range, emit, &g);
		if (missing)
			sink_note(out, "%" PRIu64 " bytes could not be read",
				  missing);
	}
	free(owned);
	return err;
}

static const char *const ugrep_aliases[] = { "kgrep", NULL };

const struct dcmd dcmd_ugrep = {
	.name = "ugrep",
	.aliases = ugrep_aliases,
	.summary = "find a value, text or bytes in memory",
	.help = "Looks through all memory that the target holds for aligned "
		"words that are the value, for a text or for bytes, and lists "
		"where they stand. Who points into a buffer of 40 bytes: "
		"BUFFER::ugrep -d 40. A text or bytes must lie in one mapping. "
		"Read-only parts of files that a dump leaves out are not "
		"searched.",
	.example = "<rsp::ugrep -d 100 -v",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "value",
	.options = ugrep_options,
	.option_count = sizeof(ugrep_options) / sizeof(ugrep_options[0]),
	.options_size = sizeof(struct ugrep_options),
	.tables = ugrep_tables,
	.table_count = 2,
	.run = ugrep_run,
};
