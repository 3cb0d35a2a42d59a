/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stacks of all users as one tree, from the outermost function in.
 *
 *	    bytes    count      %  function
 *	   409600      100  97.2%  main
 *	   327680       80  77.8%    load_table
 *	    81920       20  19.4%    load_index
 *
 * A path is a stack by the entries of its functions, outermost first. Sorted
 * paths have what they share side by side: a node is a range of them, its
 * children are the parts of the range that go on alike. Only where the way
 * forks the next level is indented.
 */
#include "kdbg/dcmds/kmausers.h"

#include "kdbg/session.h"
#include "kdbg/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 256, NAME_SIZE = 512, PART_MIN = 100 };

struct step {
	uint64_t function; /* its entry; without symbols the return address */
	uint64_t pc;
};

struct path {
	const struct user *user;
	struct step *steps;
	size_t depth;
};

struct node { /* paths that are alike up to a depth */
	const struct path *paths;
	size_t count;
	uint64_t bytes, buffers;
};

struct tree {
	const struct dcmd_call *call;
	struct symbols *symbols; /* or NULL */
	struct path *paths;
	size_t count;
	uint64_t bytes;
	uint64_t bytes_min; /* of what is shown */
	uint64_t left_out;
	struct sink *out;
};

static struct step step_of(struct symbols *symbols, uint64_t pc, uint64_t ticks)
{
	struct symbol symbol;

	if (symbols && symbols_at_then(symbols, pc - 1, ticks, &symbol) &&
	    symbol.name)
		return (struct step){ symbol.value, pc };
	return (struct step){ pc, pc };
}

static bool fill_path(struct tree *tree, struct heap *heap,
		      const struct user *user, struct path *path)
{
	const uint64_t *pcs;
	size_t depth = heap_stack(heap, user->event.instance, user->event.stack,
				  &pcs, NULL);

	path->user = user;
	path->depth = depth < DEPTH_MAX ? depth : DEPTH_MAX;
	path->steps = calloc(path->depth + 1, sizeof(*path->steps));
	if (!path->steps)
		return false;
	for (size_t i = 0; i < path->depth; i++)
		path->steps[i] = step_of(tree->symbols, pcs[depth - 1 - i],
					 user->event.time);
	return true;
}

static int compare_paths(const void *a, const void *b)
{
	const struct path *x = a, *y = b;

	for (size_t i = 0; i < x->depth && i < y->depth; i++)
		if (x->steps[i].function != y->steps[i].function)
			return x->steps[i].function < y->steps[i].function ? -1
									   : 1;
	return (x->depth > y->depth) - (x->depth < y->depth);
}

static int by_bytes(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->paths > y->paths) - (x->paths < y->paths);
}

/* The nodes below one, most bytes first; NULL, with *count 0: none. */
static struct node *children(const struct node *node, size_t depth,
			     size_t *count)
{
	struct node *list = calloc(node->count, sizeof(*list));
	uint64_t last = 0;

	*count = 0;
	for (size_t i = 0; list && i < node->count; i++) {
		const struct path *path = &node->paths[i];
		uint64_t function;

		if (path->depth <= depth)
			continue; /* it ends here */
		function = path->steps[depth].function;
		if (!*count || function != last)
			list[(*count)++].paths = path;
		last = function;
		list[*count - 1].count++;
		list[*count - 1].bytes += path->user->count * path->user->size;
		list[*count - 1].buffers += path->user->count;
	}
	if (*count)
		qsort(list, *count, sizeof(*list), by_bytes);
	return list;
}

/* The function's name, without what of it differs from path to path. */
static void put_name(const struct tree *tree, const struct node *node,
		     size_t depth, char *name, size_t size)
{
	const struct path *path = node->paths;
	const struct step *step = &path->steps[depth];
	struct symbol symbol;

	if (!tree->symbols || !symbols_at_then(tree->symbols, step->pc - 1,
					       path->user->event.time, &symbol))
		snprintf(name, size, "%#" PRIx64, step->pc);
	else if (symbol.name)
		snprintf(name, size, "%s", symbol.name);
	else
		snprintf(name, size, "%s+%#" PRIx64, symbol.module,
			 symbol.module_offset);
}

static void emit(const struct tree *tree, const struct node *node, size_t depth,
		 unsigned indent)
{
	char name[NAME_SIZE], text[NAME_SIZE + 2 * DEPTH_MAX];
	double percent = 100 * (double)node->bytes /
			 (double)(tree->bytes + !tree->bytes);

	put_name(tree, node, depth, name, sizeof(name));
	snprintf(text, sizeof(text),
		 "%12" PRIu64 " %8" PRIu64 " %5.1f%%  %*s%s", node->bytes,
		 node->buffers, percent, (int)(2 * indent), "", name);
	SINK_ROW_AS(tree->out, text, SIZE(node->bytes), COUNT(node->buffers),
		    REAL(percent), COUNT(depth), TEXT(name));
}

static bool descend(struct tree *tree, const struct node *node, size_t depth,
		    unsigned indent)
{
	size_t count, shown = 0;
	struct node *list = children(node, depth, &count);
	bool done = list;

	while (shown < count && list[shown].bytes >= tree->bytes_min)
		shown++;
	tree->left_out += count - shown;
	indent += shown > 1 && depth > 0;
	for (size_t i = 0; done && i < shown && !tree->out->failed; i++) {
		emit(tree, &list[i], depth, indent);
		done = descend(tree, &list[i], depth + 1, indent);
	}
	free(list);
	return done;
}

static bool grow_tree(struct tree *tree, struct heap *heap,
		      const struct user *users, size_t count)
{
	tree->paths = calloc(count + 1, sizeof(*tree->paths));
	if (!tree->paths)
		return false;
	for (; tree->count < count; tree->count++) {
		const struct user *user = &users[tree->count];

		if (!fill_path(tree, heap, user, &tree->paths[tree->count]))
			return false;
		tree->bytes += user->count * user->size;
	}
	qsort(tree->paths, count, sizeof(*tree->paths), compare_paths);
	return true;
}

struct err *kmausers_tree(const struct dcmd_call *call, struct heap *heap,
			  const struct user *users, size_t count, bool everyone,
			  struct sink *out)
{
	struct tree tree = { .call = call, .out = out };
	struct node root = { 0 };
	bool done;

	err_free(session_symbols(call->session, &tree.symbols));
	sink_table(out, &kmausers_tables[USERS_TREE]);
	sink_line(out, "%12s %8s %6s  %s", "bytes", "count", "%", "function");
	done = grow_tree(&tree, heap, users, count);
	tree.bytes_min = everyone ? 0 : tree.bytes / PART_MIN;
	root.paths = tree.paths;
	root.count = count;
	done = done && (count == 0 || descend(&tree, &root, 0, 0));
	if (tree.left_out)
		sink_note(out,
			  "%" PRIu64 " branches of less than 1 %% are left out "
			  "(-e shows them)",
			  tree.left_out);
	for (size_t i = 0; tree.paths && i < tree.count; i++)
		free(tree.paths[i].steps);
	free(tree.paths);
	return done ? NULL : err_new(ERR_NO_MEMORY, "kmausers");
}
