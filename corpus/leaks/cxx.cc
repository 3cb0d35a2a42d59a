// SPDX-License-Identifier: BSD-2-Clause
// What C++ loses: new, new[] with and without destructors, and the buffers
// that a lost std::string or std::vector held.
#include "corpus/escape.h"

#include <string>
#include <vector>

namespace
{

struct shape {
	virtual ~shape() = default;
	double area = 0;
};

struct circle : shape {
	double radius = 1;
};

NOINLINE void lose_object()
{
	escape(new circle);
}

NOINLINE void lose_array()
{
	escape(new int[25]);
}

NOINLINE void lose_string()
{
	escape(new std::string(100, 'x')); // 32 bytes hold 101
}

NOINLINE void lose_vector()
{
	auto *shapes = new std::vector<shape *>; // 24 bytes hold 32

	shapes->reserve(4);
	for (int i = 0; i < times(4); i++)
		shapes->push_back(new circle); // 24 bytes each
	escape(shapes);
}

} // namespace

int main()
{
	for (int i = 0; i < times(20); i++)
		lose_object();
	lose_array();
	lose_string();
	lose_vector();
	forget();
}
