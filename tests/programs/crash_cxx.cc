// SPDX-License-Identifier: GPL-3.0-or-later
// Dies of an exception that nobody catches, below names that are mangled.
#include "tests/programs/crash.h"

#include <stdexcept>
#include <string>

namespace crash_space
{
template <typename T> struct crash_thrower {
	T value;
	__attribute__((noinline)) int crash_throw(const std::string &text)
	{
		throw std::runtime_error(text + std::to_string(value));
	}
};
} // namespace crash_space

int crash_cxx(int n)
{
	crash_space::crash_thrower<long> thrower = { n };
	int sum = thrower.crash_throw("nobody catches ");

	__asm__ volatile("" : "+r"(sum));
	return sum;
}
