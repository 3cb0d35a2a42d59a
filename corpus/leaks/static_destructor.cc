// SPDX-License-Identifier: BSD-2-Clause
// A static container of plain pointers: its destructor frees the table and
// loses what the table held. A check at the end of main would miss it.
#include "corpus/escape.h"

#include <vector>

namespace
{

struct session {
	long id;
	char state[120];
};

std::vector<session *> sessions;

NOINLINE void open_session(long id)
{
	auto *opened = new session;

	opened->id = id;
	escape(opened);
	sessions.push_back(opened);
}

} // namespace

int main()
{
	sessions.reserve(16);
	for (long i = 0; i < times(9); i++)
		open_session(i);
	forget();
}
