// SPDX-License-Identifier: GPL-3.0-or-later
// Containers of the C++ library, with known contents and one that lies, and an
// abort, for print_library.py.
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

struct node {
	int number;
	std::unique_ptr<node> next;
};

struct everything {
	std::string empty, short_text{ "short" };
	std::string long_text{ "a text that is too long for its own object" };
	std::vector<int> none, numbers{ 1, 2, 3 };
	std::vector<std::string> words{ "one", "two" };
	std::vector<bool> bits{ true, false };
	std::list<short> list{ 7, 8 };
	std::deque<long> deque;
	std::map<int, std::string> map{ { 2, "b" }, { 1, "a" }, { 3, "c" } };
	std::multiset<char> letters{ 'z', 'a', 'z' };
	std::unordered_map<int, int> table{ { 5, 50 } };
	std::unordered_set<std::string> names{ "only" };
	std::unique_ptr<node> owned;
	std::shared_ptr<int> shared, nobody;
	std::map<int, int> lying{ { 1, 1 } };
};

struct leaf {
	int number;
	leaf *left, *right;
};

leaf leaves[] = { { 1, nullptr, nullptr },
		  { 3, nullptr, nullptr },
		  { 2, &leaves[0], &leaves[1] },
		  { 5, &leaves[2], &leaves[2] } };
leaf *root = &leaves[2], *damaged = &leaves[3];

everything *all;
std::pair<int, std::string> tagged(7, "of a tagged type");

struct counted {
	int first = 1, second = 2;
	int ask() const
	{
		return first;
	}
	virtual int answer()
	{
		return second;
	}
};
int counted::*to_member = &counted::second, counted::*to_none = nullptr;
int (counted::*to_function)() const = &counted::ask;
int (counted::*to_virtual)() = &counted::answer;
thread_local int own = 9;

int main()
{
	all = new everything;
	for (long i = 0; i < 200; i++) {
		all->deque.push_back(i);
		if (i % 3 == 0)
			all->deque.pop_front();
	}
	all->owned.reset(new node{ 1, nullptr });
	all->owned->next.reset(new node{ 2, nullptr });
	all->shared = std::make_shared<int>(own);
	// The count of a tree is the last word of it.
	size_t count = 1000;
	memcpy(reinterpret_cast<char *>(&all->lying) + sizeof(all->lying) -
		       sizeof(count),
	       &count, sizeof(count));
	abort();
}
