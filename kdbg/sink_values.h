/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sink of a pipe: of each row, only the value that goes on to the next
 * stage, handed over while the command still runs. Notes are passed to the
 * sink at the pipeline's end, so a reader learns what could not be read.
 */
#ifndef KDBG_SINK_VALUES_H
#define KDBG_SINK_VALUES_H

#include "kdbg/sink.h"

struct value_receiver {
	void *context;
	/* False: no more values are wanted; the sink fails. */
	bool (*value)(void *context, uint64_t value);
	struct sink *notes; /* or NULL */
};

/* Does sink feed another command? */
bool sink_is_pipe(const struct sink *sink);

/* The receiver must outlive the sink. */
void values_sink_init(struct sink *sink, struct value_receiver *receiver);

#endif
