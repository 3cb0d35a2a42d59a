/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/progress.h"

#include <inttypes.h>
#include <time.h>

/* Short commands show nothing, long ones no more often than the eye reads. */
enum { INTERVAL_MS = 200 };

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_show(struct session *session, const char *what, uint64_t done,
		   uint64_t total)
{
	uint64_t now = now_ms();

	if (!session->progress_ms)
		session->progress_ms = now;
	if (now - session->progress_ms < INTERVAL_MS)
		return;
	session->progress_ms = now;
	session->progress_shown = true;
	fprintf(stderr, "\r%s: %" PRIu64 "%%\033[K", what,
		total && done < total ? done * 100 / total : 100);
	fflush(stderr);
}

void progress_clear(struct session *session)
{
	if (session->progress_shown)
		fputs("\r\033[K", stderr);
	session->progress_shown = false;
	session->progress_ms = 0;
}
