/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One more thread, for work that can be cut in two.
 *
 *	worker_begin(worker, second_half, &b);
 *	first_half(&a);
 *	worker_end(worker);
 *
 * Targets and views are of one thread: what runs on the other may touch bytes
 * that were viewed, and its own, and nothing of a session. The thread takes no
 * signals. Where there is no second processor, or no thread is to be had, the
 * work is done by worker_begin() itself.
 */
#ifndef KDBG_WORKER_H
#define KDBG_WORKER_H

struct worker;

struct worker *worker_create(void); /* NULL: do it alone; all take NULL */
void worker_destroy(struct worker *worker);

void worker_begin(struct worker *worker, void (*work)(void *context),
		  void *context);
void worker_end(struct worker *worker);

#endif
