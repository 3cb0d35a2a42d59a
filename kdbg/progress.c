/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/progress.h"

#include <time.h>

/* Short commands show nothing, long ones no more often than the eye reads. */
enum { INTERVAL_MS = 200, ESTIMATE_MS = 1000 };

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* How much is done and, once it can be guessed, how long it still takes. */
static void put(const char *what, uint64_t ms, uint64_t done, uint64_t total)
{
	double share = done < total ? (double)done / (double)total : 1;

	fprintf(stderr, "\r%s: %.0f%%", what, share * 100);
	if (ms >= ESTIMATE_MS && share > 0 && share < 1)
		fprintf(stderr, ", %.0f s left",
			(double)ms * (1 - share) / share / 1000);
	fputs("\033[K", stderr);
}

void progress_show(struct session *session, const char *what, uint64_t done,
		   uint64_t total)
{
	uint64_t now = now_ms();

	if (!session->progress_ms)
		session->progress_ms = session->progress_start_ms = now;
	if (now - session->progress_ms < INTERVAL_MS)
		return;
	session->progress_ms = now;
	session->progress_shown = true;
	put(what, now - session->progress_start_ms, done, total);
	fflush(stderr);
}

void progress_clear(struct session *session)
{
	if (session->progress_shown)
		fputs("\r\033[K", stderr);
	session->progress_shown = false;
	session->progress_ms = 0;
}
