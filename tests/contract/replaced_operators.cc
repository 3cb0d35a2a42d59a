// SPDX-License-Identifier: GPL-3.0-or-later
// A program that replaces those operators that the others call by default. What
// its own hand out is no buffer's start: whoever passes them by is found out.
#include "tests/contract/silence.h"

#include <cstdint>
#include <cstring>
#include <new>

namespace
{

// Before what is handed out. Room for any alignment asked for here.
struct header {
	void *buffer;
	std::size_t kind;
};

enum { PLAIN = 1, ALIGNED = 2, MOST_ALIGNED = 256 };

std::size_t made, dropped; // by kind, of the last call

struct silence quiet;

#define HOLDS(condition)                     \
	do {                                 \
		if (!(condition))            \
			silence_end(&quiet); \
		CHECK(condition);            \
	} while (0)

void *hand_out(std::size_t size, std::size_t align, std::size_t kind)
{
	void *buffer = std::malloc(size + sizeof(header) + MOST_ALIGNED);

	if (!buffer)
		throw std::bad_alloc();
	std::uintptr_t at = (reinterpret_cast<std::uintptr_t>(buffer) +
			     sizeof(header) + align - 1) /
			    align * align;
	header *h = reinterpret_cast<header *>(at) - 1;
	*h = { buffer, kind };
	made = kind;
	return h + 1;
}

void take_back(void *p, std::size_t kind)
{
	header *h = static_cast<header *>(p) - 1;

	HOLDS(h->kind == kind);
	dropped = kind;
	std::free(h->buffer);
}

} // namespace

void *operator new(std::size_t size)
{
	return hand_out(size, 16, PLAIN);
}

void operator delete(void *p) noexcept
{
	take_back(p, PLAIN);
}

void *operator new(std::size_t size, std::align_val_t align)
{
	return hand_out(size, static_cast<std::size_t>(align), ALIGNED);
}

void operator delete(void *p, std::align_val_t) noexcept
{
	take_back(p, ALIGNED);
}

namespace
{

constexpr std::align_val_t wide = std::align_val_t(MOST_ALIGNED);

void *is_made(void *p, std::size_t kind)
{
	HOLDS(p && made == kind);
	made = 0;
	memset(opaque(p), 1, 100);
	return opaque(p);
}

void is_dropped(std::size_t kind)
{
	HOLDS(dropped == kind);
	dropped = 0;
}

void all_of_new(void *(&all)[8])
{
	all[0] = is_made(operator new(100), PLAIN);
	all[1] = is_made(operator new[](100), PLAIN);
	all[2] = is_made(operator new(100, std::nothrow), PLAIN);
	all[3] = is_made(operator new[](100, std::nothrow), PLAIN);
	all[4] = is_made(operator new(100, wide), ALIGNED);
	all[5] = is_made(operator new[](100, wide), ALIGNED);
	all[6] = is_made(operator new(100, wide, std::nothrow), ALIGNED);
	all[7] = is_made(operator new[](100, wide, std::nothrow), ALIGNED);
}

#define DROPPED(kind, ...) ((__VA_ARGS__), is_dropped(kind))

void all_of_new_and_delete()
{
	void *all[8], *more[8];

	all_of_new(all);
	DROPPED(PLAIN, operator delete(all[0]));
	DROPPED(PLAIN, operator delete(all[1], 100));
	DROPPED(PLAIN, operator delete(all[2], std::nothrow));
	DROPPED(PLAIN, operator delete[](all[3]));
	DROPPED(ALIGNED, operator delete(all[4], wide));
	DROPPED(ALIGNED, operator delete(all[5], 100, wide));
	DROPPED(ALIGNED, operator delete(all[6], wide, std::nothrow));
	DROPPED(ALIGNED, operator delete[](all[7], wide));
	all_of_new(more);
	DROPPED(PLAIN, operator delete[](more[0], 100));
	DROPPED(PLAIN, operator delete[](more[1], std::nothrow));
	DROPPED(PLAIN, operator delete[](more[2]));
	DROPPED(PLAIN, operator delete[](more[3]));
	DROPPED(ALIGNED, operator delete[](more[4], 100, wide));
	DROPPED(ALIGNED, operator delete[](more[5], wide, std::nothrow));
	DROPPED(ALIGNED, operator delete[](more[6], wide));
	DROPPED(ALIGNED, operator delete[](more[7], wide));
}

} // namespace

int main()
{
	quiet = silence_begin();
	all_of_new_and_delete();
	silence_end(&quiet);
	return 0;
}
