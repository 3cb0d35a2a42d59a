/* SPDX-License-Identifier: GPL-3.0-or-later */
/* new[], then delete. */
#include "tests/misuse/misuse.h"

static APART char *make_array()
{
	char *p = new char[24];

	KEEP(p);
	return p;
}

static APART void drop_delete(char *p)
{
	delete p;
	KEEP(p);
}

int main()
{
	drop_delete(make_array());
	return 0;
}
