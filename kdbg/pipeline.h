/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running a statement's stages.
 *
 *	::walk kmem | ::grep (*.>100) | ::whatis -v
 *	  rows -> values sink -> ::grep, once per value -> values sink -> ...
 *
 * Values stream: a stage runs for each value while the one before it is still
 * at work, so the first results come at once and nothing is gathered. A command
 * that takes the whole list (takes_list) runs when the stage before it has
 * ended. Stopping goes the other way: when a stage fails, has enough, or its
 * reader went away, the sink of the stage before it fails, and that stage
 * stops.
 */
#ifndef KDBG_PIPELINE_H
#define KDBG_PIPELINE_H

#include "kdbg/session.h"
#include "kdbg/sink.h"
#include "kdbg/syntax.h"

/* Rows of the last stage go to out. *usage, if the error is about how a command
 * was called, is that command. */
struct err *pipeline_run(struct session *session, const struct stage *stages,
			 struct sink *out, const struct dcmd **usage) MUST_USE;

#endif
