/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROOT_SIZE_MAX = 1 << 20, RECORD_SIZE_MAX = 4096 };

struct schema {
	size_t count;
	struct kma_schema_record records[];
};

struct err *schema_read_head(struct target *target, uint64_t root,
			     struct kma_root_head *ret)
{
	struct err *err = target_read(target, root, ret, sizeof(*ret));

	if (err)
		return err_wrap(err, "kma_root %#" PRIx64, root);
	if (ret->magic[0] != KMA_ROOT_MAGIC0 ||
	    ret->magic[1] != KMA_ROOT_MAGIC1)
		return err_new(ERR_CORRUPT, "kma_root %#" PRIx64 ": bad magic",
			       root);
	if (ret->self != root)
		return err_new(ERR_CORRUPT,
			       "kma_root %#" PRIx64
			       ": says that it lies at %#" PRIx64,
			       root, ret->self);
	if (ret->root_size < sizeof(*ret) || ret->root_size > ROOT_SIZE_MAX)
		return err_new(ERR_CORRUPT,
			       "kma_root %#" PRIx64 ": %" PRIu64 " bytes long",
			       root, ret->root_size);
	return NULL;
}

static const struct kma_schema_record *find(const struct schema *schema,
					    const char *owner, const char *name)
{
	for (size_t i = 0; i < schema->count; i++)
		if (strcmp(schema->records[i].name, name) == 0 &&
		    strcmp(schema->records[i].owner, owner) == 0)
			return &schema->records[i];
	return NULL;
}

static bool terminated(const char *name)
{
	return memchr(name, '\0', KMA_SCHEMA_NAME_SIZE) != NULL;
}

static bool sane_size(const struct kma_schema_record *record)
{
	uint64_t size = record->size;

	switch (record->kind) {
	case KMA_SCHEMA_UINT:
		return size == 1 || size == 2 || size == 4 || size == 8;
	case KMA_SCHEMA_POINTER:
		return size == 8;
	default:
		return size > 0 && size <= SCHEMA_STRUCT_MAX;
	}
}

/* All terms are at most SCHEMA_STRUCT_MAX, so no sum overflows. */
static bool lies_inside(const struct kma_schema_record *record,
			uint64_t struct_size)
{
	if (record->value > struct_size || record->count > SCHEMA_STRUCT_MAX ||
	    record->stride > SCHEMA_STRUCT_MAX)
		return false;
	if (record->stride != 0 && record->stride < record->size)
		return false;
	if (record->count == 0) /* flexible: elements follow the structure */
		return record->stride != 0;
	if (record->count > 1 && record->stride == 0)
		return false;
	return record->value + (record->count - 1) * (uint64_t)record->stride +
		       record->size <=
	       struct_size;
}

static const char *reject_reason(const struct schema *schema,
				 const struct kma_schema_record *record)
{
	const struct kma_schema_record *owner;

	if (record->kind == KMA_SCHEMA_CONSTANT)
		return record->owner[0] ? "a constant with an owner" : NULL;
	if (record->kind == 0 || record->kind >= KMA_SCHEMA_KIND_COUNT)
		return NULL; /* of a later version: nobody will ask for it */
	if (!sane_size(record))
		return "has no sane size";
	if (record->kind == KMA_SCHEMA_STRUCT)
		return NULL;
	owner = find(schema, record->owner, "");
	if (!owner || owner->kind != KMA_SCHEMA_STRUCT)
		return "belongs to no structure";
	if (owner->size > SCHEMA_STRUCT_MAX ||
	    !lies_inside(record, owner->size))
		return "lies outside its structure";
	return NULL;
}

static struct err *check_names(const struct schema *schema)
{
	for (size_t i = 0; i < schema->count; i++)
		if (!terminated(schema->records[i].owner) ||
		    !terminated(schema->records[i].name))
			return err_new(ERR_CORRUPT,
				       "record %zu has an endless name", i);
	return NULL;
}

static struct err *check_records(const struct schema *schema)
{
	struct err *err = check_names(schema);

	for (size_t i = 0; i < schema->count && !err; i++) {
		const struct kma_schema_record *record = &schema->records[i];
		const char *reason = reject_reason(schema, record);

		if (reason)
			err = err_new(ERR_CORRUPT, "record %zu, %s.%s, %s", i,
				      record->owner, record->name, reason);
	}
	return err;
}

static struct err *read_records(struct target *target,
				const struct kma_root_head *head,
				struct schema *schema)
{
	for (uint32_t i = 0; i < head->schema_count; i++) {
		uint64_t at =
			head->schema + (uint64_t)i * head->schema_record_size;
		struct err *err = target_read(target, at, &schema->records[i],
					      sizeof(schema->records[i]));
		if (err)
			return err_wrap(err, "record %" PRIu32, i);
		schema->count++;
	}
	return check_records(schema);
}

struct err *schema_read(struct target *target, const struct kma_root_head *head,
			struct schema **ret)
{
	struct schema *schema;
	struct err *err;

	if (head->schema_count == 0 || head->schema_count > KMA_SCHEMA_MAX)
		return err_new(ERR_CORRUPT, "schema: %" PRIu32 " records",
			       head->schema_count);
	if (head->schema_record_size < sizeof(struct kma_schema_record) ||
	    head->schema_record_size > RECORD_SIZE_MAX)
		return err_new(ERR_CORRUPT,
			       "schema: records of %" PRIu32 " bytes",
			       head->schema_record_size);
	schema =
		calloc(1, sizeof(*schema) + head->schema_count *
						    sizeof(schema->records[0]));
	if (!schema)
		return err_new(ERR_NO_MEMORY, "schema");
	err = read_records(target, head, schema);
	if (err) {
		schema_destroy(schema);
		return err_wrap(err, "schema at %#" PRIx64, head->schema);
	}
	*ret = schema;
	return NULL;
}

void schema_destroy(struct schema *schema)
{
	free(schema);
}

struct err *schema_find(const struct schema *schema, const char *owner,
			const char *name, enum kma_schema_kind kind,
			struct field *ret)
{
	const struct kma_schema_record *record = find(schema, owner, name);

	*ret = (struct field){ 0 };
	if (!record)
		return NULL;
	if (record->kind != kind)
		return err_new(ERR_UNSUPPORTED,
			       "%s.%s is of kind %" PRIu32 ", not %d", owner,
			       name, record->kind, (int)kind);
	*ret = (struct field){
		.offset = (uint32_t)record->value,
		.size = (uint32_t)record->size,
		.count = record->count,
		.stride = record->stride,
		.revision = record->revision,
		.present = true,
	};
	return NULL;
}

bool schema_constant(const struct schema *schema, const char *name,
		     uint64_t *ret)
{
	const struct kma_schema_record *record = find(schema, "", name);

	if (!record || record->kind != KMA_SCHEMA_CONSTANT)
		return false;
	*ret = record->value;
	return true;
}
