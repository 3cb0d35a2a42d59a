/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A container of the C++ library as what it holds. */
#include "kdbg/dcmds/print_tree.h"

#include <inttypes.h>
#include <stdio.h>

enum { NAME_SIZE = 32, PATH_SIZE = 1024, ERROR_SIZE = 256 };

bool print_is_container(struct print *print, const struct type_place *place,
			struct container *ret)
{
	struct err *err;

	if (print->options.raw || print->options.holes)
		return false;
	err = container_open(print->call->session, place, ret);
	err_free(err); /* then its members tell what is wrong with it */
	return ret->shape != CONTAINER_NONE;
}

bool print_elements(struct print *print, const struct print_label *label,
		    struct container *c, print_element_fn *each)
{
	uint64_t limit = print->value.elements;
	char name[NAME_SIZE], path[PATH_SIZE], message[ERROR_SIZE];
	const struct print_label inner = { path, name, label->depth + 1 };
	bool more = true;

	for (uint64_t i = 0; more && c->left && i < limit; i++) {
		struct type_place element;
		struct err *err =
			container_next(print->call->session, c, &element);

		snprintf(name, sizeof(name), "[%" PRIu64 "]", i);
		snprintf(path, sizeof(path), "%s[%" PRIu64 "]", label->path, i);
		if (element.address)
			more = each(print, &inner, &element);
		if (!err)
			continue;
		err_describe(err, message, sizeof(message));
		err_free(err);
		sink_note(print->out, "after %s: %s", path, message);
		return more;
	}
	return more;
}

static bool print_run(struct print *print, const struct print_label *label,
		      const struct type_place *place, const struct container *c)
{
	const char *empty = c->shape == CONTAINER_STRING ? "\"\"" : "[]";

	if (c->shape != CONTAINER_POINTER && !c->count)
		return print_row(print, label, place, empty, empty);
	print->value.bare_text = c->shape == CONTAINER_STRING;
	bool more = print_place(print, label, &c->run);
	print->value.bare_text = false;
	return more;
}

bool print_container(struct print *print, const struct print_label *label,
		     const struct type_place *place, struct container *c)
{
	char head[NAME_SIZE + NAME_SIZE];
	bool more;

	if (c->shape <= CONTAINER_POINTER)
		return print_run(print, label, place, c);
	snprintf(head, sizeof(head), "%s of %" PRIu64 " {", c->name, c->count);
	more = print_row(print, label, place, head, NULL) &&
	       print_elements(print, label, c, print_place);
	if (more && c->left)
		print_line(print, label->depth + 1, place->address, "...");
	print_line(print, label->depth, place->address, "}");
	return more;
}
