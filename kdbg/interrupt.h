/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ctrl-C at a terminal stops the command and not the debugger. */
#ifndef KDBG_INTERRUPT_H
#define KDBG_INTERRUPT_H

struct session;

/* From now on SIGINT sets session->interrupted. */
void interrupt_install(struct session *session);

#endif
