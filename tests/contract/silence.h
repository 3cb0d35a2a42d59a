/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For programs that do nothing wrong, whatever it looks like: what the library
 * says meanwhile goes to a file, what a check of ours says does not. */
#ifndef TESTS_CONTRACT_SILENCE_H
#define TESTS_CONTRACT_SILENCE_H

#include "tests/contract/contract.h"

#include <sys/mman.h>

struct silence {
	int file, console;
};

static inline struct silence silence_begin(void)
{
	struct silence silence = { memfd_create("stderr", 0),
				   dup(STDERR_FILENO) };

	CHECK(silence.file >= 0 && silence.console >= 0);
	CHECK(dup2(silence.file, STDERR_FILENO) >= 0);
	return silence;
}

static inline void silence_end(const struct silence *silence)
{
	char said[4000];
	ssize_t length = pread(silence->file, said, sizeof(said) - 1, 0);

	dup2(silence->console, STDERR_FILENO);
	CHECK(length >= 0);
	said[length] = '\0';
	fputs(said, stderr);
	CHECK(length == 0);
}

#endif
