/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A virtual function of an object that was deleted. */
#include "tests/misuse/misuse.h"

struct base {
	virtual ~base() = default;
	virtual int answer() const
	{
		return 1;
	}
	long values[6] = { 0 };
};

struct derived : base {
	int answer() const override
	{
		return 2;
	}
};

static APART int ask(base *object)
{
	KEEP(object);
	return object->answer();
}

int main()
{
	base *object = new derived;

	if (ask(object) != 2)
		return 1;
	delete object;
	return ask(object);
}
