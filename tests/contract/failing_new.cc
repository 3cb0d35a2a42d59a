// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Under KMA_DEBUG=audit,mtbf=N: a new that failed, of any form, either throws,
 * is NULL, or gives what a second try got: aligned, and of that form's delete.
 */
#include "tests/contract/contract.h"

#include <cstdint>
#include <new>

namespace
{

struct alignas(256) wide {
	char bytes[300];
};

int handled, thrown, absent;

void count()
{
	handled++;
}

template <typename T> T *opaque(T *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

/* One of each form; what cannot be had is counted. */
template <typename T> void use()
{
	try {
		delete opaque(new T);
	} catch (const std::bad_alloc &) {
		thrown++;
	}
	try {
		delete[] opaque(new T[2]);
	} catch (const std::bad_alloc &) {
		thrown++;
	}
	T *one = opaque(new (std::nothrow) T);
	T *two = opaque(new (std::nothrow) T[2]);

	absent += !one + !two;
	CHECK(reinterpret_cast<uintptr_t>(one) % alignof(T) == 0);
	CHECK(reinterpret_cast<uintptr_t>(two) % alignof(T) == 0);
	delete one;
	delete[] two;
}

void use_all()
{
	for (int i = 0; i < 500; i++) {
		use<long>();
		use<wide>();
	}
}

} // namespace

int main()
{
	use_all();
	CHECK(thrown > 0 && absent > 0);
	thrown = absent = 0;
	std::set_new_handler(count);
	use_all();
	CHECK(handled > 0 && thrown == 0 && absent == 0);
	return 0;
}
