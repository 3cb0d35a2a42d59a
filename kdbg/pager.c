/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/pager.h"

#include "kdbg/session.h"
#include "kdbg/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NOT_FOUND = 127, KEPT_MIN = 4096 };

static const char *program_name(void)
{
	const char *name = getenv("PAGER");

	return name ? name : "less";
}

bool pager_wanted(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && *program_name() &&
	       !(terminal && strcmp(terminal, "dumb") == 0);
}

/* Move to where c leaves the cursor: long lines take several rows. */
static void advance(struct pager *pager, char c)
{
	if (c == '\n') {
		pager->line++;
		pager->column = 0;
	} else if (((unsigned char)c & 0xc0) != 0x80) { /* starts a character */
		if (pager->columns && pager->column == pager->columns) {
			pager->line++;
			pager->column = 0;
		}
		pager->column++;
	}
}

static bool keep(struct pager *pager, const char *text, size_t size)
{
	if (pager->kept_capacity - pager->kept_size < size) {
		size_t capacity = (pager->kept_size + size) * 2 + KEPT_MIN;
		char *kept = realloc(pager->kept, capacity);

		if (!kept)
			return false;
		pager->kept = kept;
		pager->kept_capacity = capacity;
	}
	memcpy(pager->kept + pager->kept_size, text, size);
	pager->kept_size += size;
	return true;
}

static void start_program(struct pager *pager)
{
	fflush(pager->terminal);
	setenv("LESS", "R", 0); /* colours, and its own defaults */
	pager->program = popen(program_name(), "we");
	if (pager->program)
		fwrite(pager->kept, 1, pager->kept_size, pager->program);
}

static ssize_t write_text(void *cookie, const char *text, size_t size)
{
	struct pager *pager = cookie;
	FILE *to = pager->program;

	if (*pager->log)
		fwrite(text, 1, size, *pager->log);
	if (!to && *pager->wanted && pager->rows) {
		for (size_t i = 0; i < size; i++)
			advance(pager, text[i]);
		if (keep(pager, text, size) && pager->line >= pager->rows)
			start_program(pager);
		if (pager->program)
			return (ssize_t)size; /* as part of what was kept */
	}
	if (!to)
		to = pager->terminal;
	if (fwrite(text, 1, size, to) == size && fflush(to) == 0)
		return (ssize_t)size;
	errno = EPIPE;
	return -1;
}

void pager_begin(struct pager *pager, const struct session *session,
		 struct sink *out)
{
	static const cookie_io_functions_t functions = { .write = write_text };
	struct winsize size;

	*pager = (struct pager){ .wanted = &session->pager,
				 .log = &session->log,
				 .terminal = out->stream };
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1) {
		pager->rows = size.ws_row - 1U;
		pager->columns = size.ws_col;
	}
	pager->stream = fopencookie(pager, "w", functions);
	if (!pager->stream)
		return;
	setvbuf(pager->stream, NULL, _IOLBF, 0);
	out->stream = pager->stream;
}

bool pager_end(struct pager *pager, struct sink *out)
{
	int status = 0;

	if (!pager->stream)
		return true;
	fclose(pager->stream);
	out->stream = pager->terminal;
	if (pager->program) {
		status = pclose(pager->program);
		out->failed = false; /* the reader had seen enough */
	}
	free(pager->kept);
	return !(status != -1 && WIFEXITED(status) &&
		 WEXITSTATUS(status) == STATUS_NOT_FOUND);
}
