/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pointer in a new buffer is followed that was never set. */
#include "tests/misuse/misuse.h"

struct list {
	struct list *next;
	int value;
};

static APART int second(const struct list *list)
{
	KEEP(list);
	return list->next->value;
}

int main(void)
{
	return second((const struct list *)make(sizeof(struct list)));
}
