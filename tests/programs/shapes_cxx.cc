// SPDX-License-Identifier: GPL-3.0-or-later
// Classes: bases, several and virtual, members of all kinds, templates.
#include "tests/programs/shapes.h"

#include <string>
#include <utility>

namespace shapes
{
enum class kind : unsigned char { round = 1, flat = 200 };

class shape
{
      public:
	explicit shape(int number) : number_(number)
	{
	}
	virtual ~shape()
	{
	}
	virtual int area() const
	{
		return 0;
	}
	static int made;
	enum { none, some } state = some;

      protected:
	int number_;
};

int shape::made = 3;

struct named {
	const char *name = "a name";
	kind which = kind::flat;
	struct part {
		int weight = 12;
	} part;
};

class circle : public shape, public named
{
      public:
	explicit circle(int radius) : shape(1), radius_(radius)
	{
	}
	int area() const override
	{
		return 3 * radius_ * reference_;
	}

      private:
	int radius_;
	int &reference_ = radius_;
};

struct top {
	virtual ~top()
	{
	}
	int t = 1;
};
struct left : virtual top {
	int l = 2;
};
struct right : virtual top {
	int r = 3;
};
struct bottom : left, right {
	int b = 4;
};

template <class T, int N> struct box {
	T items[N];
	box *self;
	bool full : 1;
};

namespace
{
struct hidden {
	unsigned value = 5;
};
} // namespace

circle round_one(7);
bottom diamond;
box<short, 3> small = { { 1, -2, 3 }, &small, true };
hidden secret;
std::pair<int, double> pair(1, 0.5);
int circle::*member_pointer = nullptr;
decltype(nullptr) nothing = nullptr;
} // namespace shapes

shapes::shape *some_shape = &shapes::round_one;

void make_shapes()
{
	shapes::round_one.which = shapes::kind::round;
	shapes::secret.value++;
}
