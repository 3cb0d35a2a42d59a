/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a structure owns is freed after the structure. */
#include "tests/misuse/misuse.h"

struct owner {
	long count;
	char *text;
};

static APART void close_owner(struct owner *owner)
{
	drop(owner);
	drop(owner->text);
}

int main(void)
{
	struct owner *owner = (struct owner *)make(sizeof(*owner));

	owner->text = make(20);
	close_owner(owner);
	return 0;
}
