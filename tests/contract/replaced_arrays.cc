// SPDX-License-Identifier: GPL-3.0-or-later
// A program with a new[] of its own and no delete[], and of those with an
// alignment the other way round: the other half is what C++ makes of delete,
// and of new. Nothing is wrong with that.
#include "tests/contract/silence.h"

#include <new>

namespace
{

constexpr std::align_val_t wide = std::align_val_t(64);
int called;

} // namespace

void *operator new[](std::size_t size)
{
	called++;
	return operator new(size + 100);
}

void operator delete[](void *p, std::align_val_t align) noexcept
{
	called++;
	operator delete(p, align);
}

int main()
{
	struct silence silence = silence_begin();

	operator delete[](opaque(operator new[](10)));
	operator delete[](opaque(operator new[](10)), 10);
	operator delete[](opaque(operator new[](10, std::nothrow)),
			  std::nothrow);
	operator delete[](opaque(operator new[](10, wide)), wide);
	operator delete[](opaque(operator new[](10, wide)), 10, wide);
	operator delete[](opaque(operator new[](10, wide, std::nothrow)), wide,
			  std::nothrow);
	silence_end(&silence);
	CHECK(called == 6);
	return 0;
}
