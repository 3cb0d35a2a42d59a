// SPDX-License-Identifier: BSD-2-Clause
// Strings as libstdc++ had them before C++11, which several owners share: the
// pointer is to the text, behind length, capacity and number of uses.
#define _GLIBCXX_USE_CXX11_ABI 0
#include "corpus/escape.h"

#include <string>
#include <vector>

namespace
{

std::string name;
std::vector<std::string> *names;

NOINLINE void keep_string()
{
	name = "a string that fits in no register and no small buffer";
	name += '!';
}

NOINLINE void keep_strings()
{
	names = new std::vector<std::string>;
	for (int i = 0; i < times(10); i++)
		names->push_back(std::string(std::size_t(i * 100), 'x'));
}

} // namespace

int main()
{
	static const std::string copy = (keep_string(), name);

	keep_strings();
	forget();
}
