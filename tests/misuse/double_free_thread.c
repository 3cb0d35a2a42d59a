/* SPDX-License-Identifier: GPL-3.0-or-later */
/* By another thread. */
#include "tests/misuse/misuse.h"

#include <pthread.h>
#include <sys/prctl.h>

static void *other_thread(void *p)
{
	prctl(PR_SET_NAME, "other");
	free(p);
	KEEP(p);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	char *p = make(24);

	drop(p);
	pthread_create(&thread, NULL, other_thread, p);
	pthread_join(thread, NULL);
	return 0;
}
