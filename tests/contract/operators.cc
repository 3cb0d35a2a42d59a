// SPDX-License-Identifier: GPL-3.0-or-later
// Every form of new and delete, and what a failing one does.
#include "tests/contract/contract.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace
{

struct alignas(256) wide {
	char text[300];
};

int handler_calls;

void give_up_after_three()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

void throw_something_else()
{
	throw std::string("from the handler");
}

void all_forms()
{
	int *one = new int(7);
	int *many = new int[100];
	int *maybe = new (std::nothrow) int(8);
	int *perhaps = new (std::nothrow) int[100];
	wide *apart = new wide;
	wide *row = new wide[3];
	wide *risky = new (std::nothrow) wide;

	CHECK(reinterpret_cast<std::uintptr_t>(apart) % 256 == 0);
	CHECK(reinterpret_cast<std::uintptr_t>(row) % 256 == 0);
	CHECK(reinterpret_cast<std::uintptr_t>(risky) % 256 == 0);
	memset(many, 1, 400);
	memset(static_cast<void *>(row), 1, sizeof(wide) * 3);
	delete one;
	delete[] many;
	operator delete(maybe, std::nothrow);
	operator delete[](perhaps, std::nothrow);
	delete apart;
	delete[] row;
	delete risky;
	operator delete(operator new(100), 100);
	operator delete[](operator new[](100), 100);
	delete static_cast<int *>(opaque(nullptr));
}

void failing_throws_and_runs_the_handler()
{
	std::size_t huge = opaque_size(SIZE_MAX / 2);
	bool caught = false;

	try {
		opaque(operator new(huge));
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	CHECK(caught);
	CHECK(!opaque(operator new(huge, std::nothrow)));
	CHECK(!opaque(operator new[](huge, std::nothrow)));

	std::set_new_handler(give_up_after_three);
	caught = false;
	try {
		opaque(operator new[](huge));
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	CHECK(caught && handler_calls == 3);

	handler_calls = 0;
	std::set_new_handler(give_up_after_three);
	CHECK(!opaque(operator new(huge, std::nothrow)));
	CHECK(handler_calls == 3);

	std::set_new_handler(throw_something_else);
	caught = false;
	try {
		opaque(operator new(huge, std::align_val_t(64)));
	} catch (const std::string &) {
		caught = true;
	}
	CHECK(caught);
	std::set_new_handler(nullptr);
}

void no_alignment_fails()
{
	for (std::size_t align : { 0, 24, 255 }) {
		auto none = std::align_val_t(opaque_size(align));
		bool caught = false;

		try {
			opaque(operator new(8, none));
		} catch (const std::bad_alloc &) {
			caught = true;
		}
		CHECK(caught);
		CHECK(!opaque(operator new(8, none, std::nothrow)));
		CHECK(!opaque(operator new[](8, none, std::nothrow)));
	}
}

void library_types_work()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 4; i++)
		threads.emplace_back([i] {
			std::vector<std::string> strings;

			for (int j = 0; j < 1000; j++)
				strings.push_back(
					std::string(std::size_t(j), 'x') +
					std::to_string(i));
		});
	for (auto &thread : threads)
		thread.join();
}

} // namespace

int main()
{
	all_forms();
	failing_throws_and_runs_the_handler();
	no_alignment_fails();
	library_types_work();
	return 0;
}
