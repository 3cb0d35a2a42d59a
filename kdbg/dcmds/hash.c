/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::hash - the elements of a hash table of linked lists. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/links.h"
#include "kdbg/target.h"

enum { POINTER_SIZE = 8 };

/* Buckets side by side, each of which begins with a pointer. */
struct buckets {
	uint64_t address, stride, count;
	struct type *type; /* of an element; NULL: not known yet */
};

/* The pointer that a bucket is, or begins with. */
static struct type *element_of(struct type *bucket)
{
	const struct type_member *members;

	bucket = type_peel(bucket);
	if (type_is_aggregate(bucket) && type_members(bucket, &members))
		bucket = type_peel(members[0].type);
	return bucket->kind == TYPE_POINTER ? type_target(bucket) : NULL;
}

/* Of a variable that is an array of buckets, or points to the first, most is
 * known. */
static struct err *of_variable(const struct dcmd_call *call,
			       struct type_place *place,
			       struct buckets *buckets)
{
	struct err *err = links_step_through(call, place);
	struct type *type = type_peel(place->type);

	if (err)
		return err;
	if (type->kind == TYPE_ARRAY) {
		buckets->count = type->count;
		type = type_target(type);
	}
	buckets->address = place->address;
	buckets->type = element_of(type);
	if (!type_size(type, &buckets->stride))
		buckets->stride = POINTER_SIZE;
	return NULL;
}

/* A type that is named is the elements'; where the table is a variable, that
 * still tells how many buckets there are. */
static struct err *read_buckets(const struct dcmd_call *call, int *used,
				struct buckets *buckets)
{
	struct type_place place, table;
	int none = 0;
	struct err *err = type_place_of_words(call->session, call->has_address,
					      call->address, call->argc,
					      call->argv, &place, used);

	*buckets = (struct buckets){ .address = call->address,
				     .stride = POINTER_SIZE };
	if (err)
		return err;
	if (*used == 0 || !call->has_address)
		return of_variable(call, &place, buckets);
	err = type_place_of_words(call->session, true, call->address, 0, NULL,
				  &table, &none);
	if (!err && type_peel(table.type)->kind == TYPE_ARRAY)
		err = of_variable(call, &table, buckets);
	err_free(err); /* no variable's: then all is named */
	buckets->type = place.type;
	return NULL;
}

static struct err *hash_words(const struct dcmd_call *call,
			      struct buckets *buckets, struct links *links)
{
	int used = 0;
	struct err *err = read_buckets(call, &used, buckets);

	if (err)
		return err;
	if (!buckets->type)
		return err_new(ERR_USAGE, "what type have the elements?");
	if (!buckets->address)
		return err_new(ERR_USAGE,
			       "needs the address of the table before ::");
	if (used + 1 < call->argc && !buckets->count) {
		struct dcmd_call rest = *call;

		err = session_evaluate(call->session,
				       call->argv[call->argc - 1],
				       &buckets->count);
		rest.argc--;
		return err ? err
			   : links_of_words(&rest, used, 1, buckets->type,
					    links);
	}
	if (!buckets->count)
		return err_new(ERR_USAGE, "how many buckets?");
	return links_of_words(call, used, 1, buckets->type, links);
}

static struct err *hash_run(const struct dcmd_call *call, struct sink *out)
{
	struct links links = { .out = out };
	struct buckets buckets;
	struct err *err = hash_words(call, &buckets, &links);

	links.call = call;
	for (uint64_t i = 0; !err && i < buckets.count && links_go_on(&links);
	     i++) {
		uint64_t head = buckets.address + i * buckets.stride, node = 0;

		err = target_read_uint(call->session->target, head,
				       POINTER_SIZE, &node);
		if (!err)
			err = links_follow(&links, node, head);
	}
	address_set_deinit(&links.met);
	return err_wrap(err, "bucket");
}

const struct dcmd dcmd_hash = {
	.name = "hash",
	.summary = "the elements of a hash table of linked lists",
	.help = "The table at the address is an array of pointers, or of "
		"structures that begin with one, to the first element of a "
		"list each; the member links elements. Of a variable that is "
		"an array, the type of the elements and the number of buckets "
		"are known; of one that points to the first bucket the type. "
		"What is not known is named: TABLE::hash 'struct item' next "
		"COUNT.\n\n"
		"With -e pointers lead to the member that the link lies in, as "
		"with ::list; an empty list may point to its own head.",
	.example = "&kma_root.caches::hash 'struct kma_cache' next 1",
	.arguments = "[type] member [count]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "table",
	.options = links_options,
	.option_count = 1,
	.options_size = sizeof(struct links_options),
	.tables = links_tables,
	.table_count = 1,
	.run = hash_run,
};
