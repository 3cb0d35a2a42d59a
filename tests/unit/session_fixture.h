/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session on a small target, and what commands print in it.
 *
 * Memory from MEMORY_BASE on: the words 11111111, 22222222, ... of 8 bytes,
 * the string "hello\n\x1b!" and bytes 0 to 255. Commands are those the test
 * hands in.
 */
#ifndef TESTS_SESSION_FIXTURE_H
#define TESTS_SESSION_FIXTURE_H

#include "kdbg/dcmd.h"

enum {
	MEMORY_BASE = 0x10000,
	MEMORY_STRING = MEMORY_BASE + 0x40,
	MEMORY_BYTES = MEMORY_BASE + 0x100,
	MEMORY_SIZE = 0x200,
};

struct fixture {
	struct session session;
	struct sink out;
	char *text;
	size_t text_size;
	char *errors;
	size_t errors_size;
};

void fixture_init(struct fixture *fixture, const struct dcmd *const *dcmds,
		  const struct walker *const *walkers);
/* The same on a target of the test's own, which the session takes over. */
void fixture_init_on(struct fixture *fixture, struct target *target,
		     const struct dcmd *const *dcmds,
		     const struct walker *const *walkers);
void fixture_deinit(struct fixture *fixture);

/* Run text; what it printed, and what it said of errors, until the next run.
 */
const char *fixture_run(struct fixture *fixture, const char *text);
const char *fixture_json(struct fixture *fixture, const char *text);
const char *fixture_errors(const struct fixture *fixture);

/* Both at once, as assertions. */
void assert_prints(struct fixture *fixture, const char *text,
		   const char *output);
void assert_complains(struct fixture *fixture, const char *text,
		      const char *errors);

#endif
