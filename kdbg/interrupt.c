/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/interrupt.h"

#include "kdbg/session.h"

#include <signal.h>
#include <stddef.h>

/* A signal handler is given nothing but a number. */
static struct session *interruptible;

static void on_interrupt(int number)
{
	(void)number;
	interruptible->interrupted = 1;
}

void interrupt_install(struct session *session)
{
	/* Restart: half-written output would be lost. */
	struct sigaction action = { .sa_handler = on_interrupt,
				    .sa_flags = SA_RESTART };

	interruptible = session;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
}
