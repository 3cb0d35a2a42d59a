/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The prompt: line editing, history, completion. */
#ifndef KDBG_PROMPT_H
#define KDBG_PROMPT_H

struct session;
struct sink;

/* Read and run lines until ::quit or the end of the input. */
void prompt_run(struct session *session, struct sink *out);

#endif
