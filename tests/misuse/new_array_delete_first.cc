/* SPDX-License-Identifier: GPL-3.0-or-later */
/* delete instead of delete[], of objects that have a destructor. */
#include "tests/misuse/misuse.h"

struct part {
	~part()
	{
		count = 0;
	}
	int count = 1;
};

static APART void release(part *parts)
{
	delete parts;
}

int main()
{
	part *parts = new part[3];

	KEEP(parts);
	release(parts);
	return 0;
}
