/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/process_roots.h"

#include <string.h>

static bool is_field(const struct kma_schema_record *record, const char *name)
{
	return record->kind == KMA_SCHEMA_UINT &&
	       (record->size == 4 || record->size == 8) &&
	       strncmp(record->owner, "kma_root", sizeof(record->owner)) == 0 &&
	       strncmp(record->name, name, sizeof(record->name)) == 0;
}

uint64_t process_root_number(struct dump_live *process, uint64_t root,
			     const char *field)
{
	struct kma_schema_record record;
	struct kma_root_head head;
	uint64_t number = 0;

	if (!dump_live_root_head(process, root, &head) ||
	    head.schema_count > KMA_SCHEMA_MAX ||
	    head.schema_record_size < sizeof(record))
		return 0;
	for (uint32_t i = 0; i < head.schema_count; i++) {
		uint64_t at =
			head.schema + (uint64_t)i * head.schema_record_size;

		if (dump_live_read(process, at, &record, sizeof(record)) <
		    sizeof(record))
			return 0;
		if (!is_field(&record, field) ||
		    record.value > head.root_size - record.size)
			continue;
		dump_live_read(process, root + record.value, &number,
			       (size_t)record.size);
		break;
	}
	return number;
}
