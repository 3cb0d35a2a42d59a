/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A size given back that is not the size asked for. */
#include "tests/misuse/misuse.h"

#include <new>

static APART char *make_new(size_t size)
{
	char *p = static_cast<char *>(::operator new(size));

	KEEP(p);
	return p;
}

static APART void drop_sized(char *p, size_t size)
{
	::operator delete(p, size);
	KEEP(p);
}

int main()
{
	drop_sized(make_new(24), 24);
	drop_sized(make_new(24), 32);
	return 0;
}
