/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as commands: parsed, and run without commands, target and shell. */
#include "kdbg/arena.h"
#include "kdbg/dcmd.h"
#include "kdbg/parser.h"
#include "kdbg/pipeline.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dcmd *const no_dcmds[] = { NULL };
static const struct walker *const no_walkers[] = { NULL };

static void run_statements(struct session *session, const char *text,
			   struct sink *out)
{
	struct source source = { .text = text, .radix = session->radix };
	const struct statement *statement = NULL;
	struct err *err;

	do {
		struct arena arena = { 0 };
		const struct dcmd *usage;
		size_t before = source.at;

		err = parse_statement(&source, &arena, &statement);
		if (!err && statement && statement->stages)
			err = pipeline_run(session, statement->stages, out,
					   &usage);
		if (source.at < before || source.at > strlen(text) ||
		    source.bad.start > strlen(text))
			abort();
		arena_deinit(&arena);
		err_free(err);
	} while (err || statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session session;
	struct sink out = { .ops = &text_sink_ops };
	uint64_t value;
	char *text = malloc(size + 1); /* exact, for the sanitizer */

	memcpy(text, data, size);
	text[size] = '\0';
	if (session_init(&session, NULL, no_dcmds, no_walkers))
		abort();
	session.interrupted = 1; /* repetitions end at once */
	out.stream = fopen("/dev/null", "w");
	run_statements(&session, text, &out);
	err_free(session_evaluate(&session, text, &value));
	fclose(out.stream);
	session_deinit(&session);
	free(text);
	return 0;
}
