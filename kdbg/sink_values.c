/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/sink_values.h"

static void values_row(struct sink *sink, const struct value *values,
		       const char *text)
{
	struct value_receiver *receiver = sink->impl;
	size_t column = table_address_column(sink->table);

	(void)text;
	if (column == sink->table->column_count || values[column].absent)
		return;
	if (!receiver->value(receiver->context, values[column].number))
		sink->failed = true;
}

static void values_note(struct sink *sink, const char *text)
{
	struct value_receiver *receiver = sink->impl;

	if (receiver->notes)
		sink_note(receiver->notes, "%s", text);
}

static const struct sink_ops values_sink_ops = {
	.row = values_row,
	.note = values_note,
};

bool sink_is_pipe(const struct sink *sink)
{
	return sink->ops == &values_sink_ops;
}

void values_sink_init(struct sink *sink, struct value_receiver *receiver)
{
	*sink = (struct sink){ .ops = &values_sink_ops, .impl = receiver };
}
