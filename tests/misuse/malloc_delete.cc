/* SPDX-License-Identifier: GPL-3.0-or-later */
/* malloc, then delete. */
#include "tests/misuse/misuse.h"

static APART void drop_delete(char *p)
{
	::operator delete(p);
	KEEP(p);
}

int main()
{
	/* new is used too: this program has no copy of the operators. */
	char *other = static_cast<char *>(::operator new(24));

	KEEP(other);
	drop_delete(other);
	drop_delete(make(24));
	return 0;
}
