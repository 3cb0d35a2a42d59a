/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::retained - what would be freed with this buffer? */
#include "kdbg/retained.h"

#include "kdbg/dcmds/dcmds.h"
#include "kdbg/refs.h"

static const struct column retained_columns[] = {
	{ "ADDR", VALUE_ADDRESS },   { "SIZE", VALUE_SIZE },
	{ "RETAINED", VALUE_SIZE },  { "BUFFERS", VALUE_COUNT },
	{ "REACHABLE", VALUE_SIZE }, { "REACHED", VALUE_COUNT },
};

static const struct table retained_tables[] = {
	{ "default", retained_columns,
	  sizeof(retained_columns) / sizeof(retained_columns[0]) },
};

static struct err *retained_run(const struct dcmd_call *call, struct sink *out)
{
	struct retained found;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (!err)
		err = retained_find(call->session,
				    refs_buffer_address(heap, call->address),
				    &found);
	if (err)
		return err;
	SINK_ROW(out, ADDRESS(found.buffer.user), SIZE(found.buffer.size),
		 SIZE(found.bytes), COUNT(found.buffers),
		 SIZE(found.reach_bytes), COUNT(found.reach_buffers));
	return NULL;
}

const struct dcmd dcmd_retained = {
	.name = "retained",
	.summary = "how much would be freed with this buffer",
	.help = "RETAINED is the bytes, and BUFFERS the number, of the live "
		"buffers that can be got at through this one alone, itself "
		"included; REACHABLE and REACHED what it leads to whether or "
		"not something else does too. A bufctl stands for its buffer.",
	.example = "::walk bufctl | ::head 1 | ::retained",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "buffer",
	.tables = retained_tables,
	.table_count = 1,
	.run = retained_run,
};
