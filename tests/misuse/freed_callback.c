/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A call through a pointer in a buffer that was freed. */
#include "tests/misuse/misuse.h"

struct object {
	long values[3];
	int (*answer)(struct object *object);
};

static APART int answer(struct object *object)
{
	KEEP(object);
	return 0;
}

static APART int ask(struct object *object)
{
	KEEP(object);
	int result = object->answer(object);

	KEEP(result);
	return result;
}

int main(void)
{
	struct object *object = (struct object *)make(sizeof(*object));

	object->answer = answer;
	if (ask(object))
		return 1;
	drop(object);
	return ask(object);
}
