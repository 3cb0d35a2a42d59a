/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::percpu - memory that each processor has a part of. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap.h"
#include "kdbg/heap_clients.h"

#include <inttypes.h>

static const struct column percpu_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "SIZE", VALUE_COUNT, .width = 6 },
	{ "CPU", VALUE_COUNT, .width = 4 },
	{ "PART", VALUE_ADDRESS },
};

static const struct table percpu_tables[] = {
	{ "default", percpu_columns,
	  sizeof(percpu_columns) / sizeof(percpu_columns[0]) },
};

enum { PROCESSORS_MAX = 1 << 16 };

static void emit_parts(const struct dcmd_call *call,
		       const struct heap_percpu *percpu, struct sink *out)
{
	for (uint64_t i = 0;
	     i < percpu->count && i < PROCESSORS_MAX && !out->failed &&
	     !session_interrupted(call->session);
	     i++)
		SINK_ROW(out, ADDRESS(percpu->address), COUNT(percpu->size),
			 COUNT(i), ADDRESS(percpu->first + i * percpu->stride));
}

static struct err *percpu_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_percpu *percpus;
	bool found = false;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_percpus(heap, &percpus);

	for (size_t i = 0; i < count; i++)
		if (!call->has_address || percpus[i].address == call->address) {
			emit_parts(call, &percpus[i], out);
			found = true;
		}
	if (call->has_address && !found)
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is no percpu",
			       call->address);
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_percpu = {
	.name = "percpu",
	.summary = "memory that each processor has a part of",
	.help = "For each percpu allocation, or for the one at the address, "
		"where the part of each processor is.",
	.example = "::percpu",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "percpu",
	.tables = percpu_tables,
	.table_count = 1,
	.run = percpu_run,
};
