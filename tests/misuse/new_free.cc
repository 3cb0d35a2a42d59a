/* SPDX-License-Identifier: GPL-3.0-or-later */
/* new, then free(): told, and no reason to stop. */
#include "tests/misuse/misuse.h"

static APART int *make_new()
{
	int *p = new int(1);

	KEEP(p);
	return p;
}

int main()
{
	drop(make_new());
	return 0;
}
