/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "! words": the user's shell, alone or at the end of a pipeline. */
#ifndef KDBG_SHELL_H
#define KDBG_SHELL_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct shell {
	pid_t pid;
	FILE *stream; /* to its standard input; NULL: that is kdbg's */
};

/* Start $SHELL -c command, with a pipe to write into if piped. Else its input
 * is the terminal, or nothing: never the rest of a script that kdbg reads. */
struct err *shell_open(struct shell *shell, const char *command,
		       bool piped) MUST_USE;
/* Wait for its end; its exit status, 128 + signal when killed. */
int shell_close(struct shell *shell);

#endif
