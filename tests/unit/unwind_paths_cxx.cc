/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unwind_paths.h"

#include <string>

namespace
{

struct caller {
	struct path *path;
	int *result;

	~caller()
	{
		*result = path_call(path);
	}
};

__attribute__((noinline)) void throw_past(struct path *path, int *result)
{
	caller guard{ path, result };
	throw path->left;
}

} // namespace

extern "C" int path_try(struct path *path)
{
	std::string text(40 + static_cast<size_t>(path->left), 'x');

	try {
		return path_call(path) + (text.size() == 1);
	} catch (const std::string &) {
		return -1;
	}
}

extern "C" int path_destructor(struct path *path)
{
	int result = -1;

	try {
		throw_past(path, &result);
	} catch (int) {
		return result;
	}
	return -1;
}

extern "C" int path_catch(struct path *path)
{
	try {
		throw std::string("through here");
	} catch (const std::string &text) {
		return path_call(path) + (text.size() == 1);
	}
}
