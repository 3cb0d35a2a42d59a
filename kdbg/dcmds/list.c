/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::list - the addresses of what is linked.
 *
 * A list is followed until its link is NULL, leads back to the first element,
 * cannot be read, or leads to an element that was met before: damaged lists end
 * in circles.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/links.h"

static struct err *needs_address(const struct dcmd_call *call)
{
	const struct links_options *options = call->options;

	return err_new(
		ERR_USAGE,
		options->embedded
			? "needs the address of the list's head before ::"
			: "needs the address of the first element "
			  "before ::");
}

/* From the head, which is a node in no element. */
static struct err *follow_embedded(struct links *links, uint64_t head)
{
	uint64_t node = 0;
	struct err *err = links_next(links, 0, head, &node);

	return err ? err : links_follow(links, node, head);
}

static struct err *follow(struct links *links, uint64_t first)
{
	uint64_t node = 0;
	struct err *err = first ? links_yield(links, first) : NULL;

	if (!first || err || !address_set_add(&links->met, first))
		return err;
	err = links_next(links, 0, first, &node);
	return err ? err : links_follow(links, node, first);
}

static struct err *list_run(const struct dcmd_call *call, struct sink *out)
{
	const struct links_options *options = call->options;
	struct links links = { .out = out };
	struct type_place first;
	int used = 0;
	struct err *err = type_place_of_words(call->session, call->has_address,
					      call->address, call->argc,
					      call->argv, &first, &used);

	if (!err && !call->has_address && !first.address)
		err = needs_address(call);
	if (!err && !options->embedded)
		err = links_step_through(call, &first);
	if (!err)
		err = links_of_words(call, used, 1, first.type, &links);
	if (!err)
		err = options->embedded ? follow_embedded(&links, first.address)
					: follow(&links, first.address);
	address_set_deinit(&links.met);
	return err;
}

const struct dcmd dcmd_list = {
	.name = "list",
	.summary = "follow a linked list: the address of each element",
	.help = "Begins with the element at the address and follows the "
		"member that links to the next one, until it is 0 or leads "
		"back to the first. A list that runs into a circle of its own "
		"is followed once around, and that is told; a link that cannot "
		"be read is an error behind the elements found.\n\n"
		"Of a variable the type is known, and of one that points to "
		"the first element what it points to. The member may be a "
		"path: links.next, or of BSD's macros entry.tqe_next.\n\n"
		"With -e links lead to the member in the next element that the "
		"link lies in (node, of node.next), and the address is the "
		"list's head, which lies in no element: "
		"&head::list -e 'struct item' node.next.",
	.example = "::walk kmem_cache | ::head -n 1 | "
		   "::list 'struct kma_cache' next",
	.arguments = "[type] member [variable]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "first element",
	.options = links_options,
	.option_count = 1,
	.options_size = sizeof(struct links_options),
	.tables = links_tables,
	.table_count = 1,
	.run = list_run,
};
