/* SPDX-License-Identifier: GPL-3.0-or-later */
/* C++ names for test_symbols.c to find. */
namespace shapes
{
struct Shape {
	int width, height;
	int area() const;
};

__attribute__((noinline)) int Shape::area() const
{
	return width * height;
}

static inline __attribute__((always_inline)) int inner(int x)
{
	asm volatile("nop; nop; nop" : "+r"(x));
	return x * 3;
}
} // namespace shapes

int symbols_cpp_function(int a, const char *b)
{
	shapes::Shape shape = { a, b ? 1 : 2 };

	return shape.area();
}

extern "C" const unsigned symbols_cpp_line;
const unsigned symbols_cpp_line = __LINE__ + 5;

int symbols_cpp_inliner(int x);
__attribute__((noinline)) int symbols_cpp_inliner(int x)
{
	return shapes::inner(x);
}

namespace
{
struct Hidden {
	int factor;
	int body(int x);
};

/* All that it is given is used and not known, lest it be cloned. */
__attribute__((noinline)) int Hidden::body(int x)
{
	asm volatile("nop" : "+r"(x));
	return x * factor;
}
} // namespace

int symbols_cpp_hidden(int x);
int symbols_cpp_hidden(int x)
{
	Hidden hidden = { x };

	return hidden.body(x) + hidden.body(x + 1);
}
