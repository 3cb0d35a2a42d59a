// SPDX-License-Identifier: BSD-2-Clause
// Alive by pointers to inside only: arrays behind their cookies, one of none
// and one of wide elements among them, a block aligned by hand and a second
// base, which show that this is how they are held; an intrusive list, which
// does not and is a possible leak.
#include "corpus/escape.h"

#include <cstdint>
#include <cstdlib>

namespace
{

struct named {
	char name[24];
	~named()
	{
		escape(name);
	}
};

struct alignas(64) wide {
	char text[100];
	~wide()
	{
		escape(text);
	}
};

struct readable {
	virtual ~readable() = default;
	long reads = 0;
};

struct writable {
	virtual ~writable() = default;
	long writes = 0;
};

struct file : readable, writable {
};

struct link {
	link *next;
};

struct job {
	long id;
	link queue;
};

named *volatile names;
named *volatile nobody;
wide *volatile row;
void *volatile aligned;
writable *volatile output;
link *volatile jobs;

NOINLINE void keep_array()
{
	names = new named[5];
}

NOINLINE void keep_empty_array()
{
	nobody = new named[static_cast<std::size_t>(times(0))];
}

NOINLINE void keep_wide_array()
{
	row = new wide[static_cast<std::size_t>(times(3))];
}

NOINLINE void keep_aligned()
{
	char *start = static_cast<char *>(malloc(1000));
	auto address = (reinterpret_cast<std::uintptr_t>(start) + 8 + 255) &
		       ~std::uintptr_t{ 255 };
	auto *block = reinterpret_cast<void **>(address);

	block[-1] = start; // for free()
	aligned = block;
}

NOINLINE void keep_second_base()
{
	output = new file;
}

NOINLINE void keep_jobs()
{
	for (int i = 0; i < times(3); i++) {
		auto *added = static_cast<job *>(malloc(sizeof(job)));

		added->id = 1000 + i;
		added->queue.next = jobs;
		jobs = &added->queue;
	}
}

} // namespace

int main()
{
	keep_array();
	keep_empty_array();
	keep_wide_array();
	keep_aligned();
	keep_second_base();
	keep_jobs();
	forget();
}
