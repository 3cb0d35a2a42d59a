/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/mapping.h"

#include "alloc/sys.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

/* /proc/self/maps, a byte at a time: a line may be longer than any buffer. */
struct stream {
	int fd;
	size_t at, filled;
	char buffer[1024];
};

/* The next byte, or -1 at the end. */
static int stream_next(struct stream *s)
{
	if (s->at == s->filled) {
		long n = sys_call(SYS_read, s->fd, (long)s->buffer,
				  sizeof(s->buffer), 0, 0, 0);
		if (n <= 0)
			return -1;
		s->filled = (size_t)n;
		s->at = 0;
	}
	return (unsigned char)s->buffer[s->at++];
}

/* A number in hex; *stop is the byte after it. */
static uintptr_t stream_hex(struct stream *s, int *stop)
{
	uintptr_t value = 0;

	for (;;) {
		int c = *stop = stream_next(s);

		if (c >= '0' && c <= '9')
			value = value << 4 | (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uintptr_t)(c - 'a' + 10);
		else
			return value;
	}
}

static int stream_skip_to(struct stream *s, int wanted)
{
	int c;

	do
		c = stream_next(s);
	while (c != wanted && c != '\n' && c != -1);
	return c;
}

/* The rest of a line after the permissions: offset device inode path. */
static void read_path(struct stream *s, char *path, size_t size)
{
	size_t length = 0;
	int c = ' ';

	for (int field = 0; field < 3 && c == ' '; field++)
		c = stream_skip_to(s, ' ');
	while (c == ' ')
		c = stream_next(s);
	for (; c != '\n' && c != -1; c = stream_next(s))
		if (length + 1 < size)
			path[length++] = (char)c;
	path[length] = '\0';
}

static bool search(struct stream *s, uintptr_t address, struct kma_mapping *ret,
		   char *path, size_t path_size)
{
	int c;

	for (;;) {
		uintptr_t start = stream_hex(s, &c);
		uintptr_t end = c == '-' ? stream_hex(s, &c) : 0;

		if (c != ' ' || start > address)
			return false; /* end of file, or past the place */
		if (address < end) {
			*ret = (struct kma_mapping){ start, end,
						     stream_next(s) == 'r' };
			stream_skip_to(s, ' ');
			if (path)
				read_path(s, path, path_size);
			return true;
		}
		if (stream_skip_to(s, '\n') == -1)
			return false;
	}
}

/* From Linux 6.11 on the list answers for one address: by a tenth of the time
 * that reading it takes. As linux/fs.h has it where that is new enough. */
struct map_query {
	uint64_t size, wanted, address;
	uint64_t start, end, flags, page_size, offset, inode;
	uint32_t device[2], name_size, id_size;
	uint64_t name, id; /* where the kernel puts them */
};
static_assert(sizeof(struct map_query) == 104, "the kernel's structure");

enum { MAP_QUERY_READABLE = 1 };

/* 0, -ENOENT for what is not mapped, or why it does not answer. */
static long ask(long fd, uintptr_t address, struct kma_mapping *ret, char *path,
		size_t path_size)
{
	struct map_query query = {
		.size = sizeof(query),
		.address = address,
		.name = (uintptr_t)path,
		.name_size = path ? (uint32_t)path_size : 0,
	};
	long result =
		sys_call(SYS_ioctl, fd, (long)_IOWR('f', 17, struct map_query),
			 (long)&query, 0, 0, 0);

	if (result < 0)
		return result;
	if (path && !query.name_size)
		path[0] = '\0';
	*ret = (struct kma_mapping){ query.start, query.end,
				     (query.flags & MAP_QUERY_READABLE) != 0 };
	return 0;
}

bool kma_mapping_find(uintptr_t address, struct kma_mapping *ret, char *path,
		      size_t path_size)
{
	struct stream s;
	long fd = sys_call(SYS_openat, AT_FDCWD, (long)"/proc/self/maps",
			   O_RDONLY | O_CLOEXEC, 0, 0, 0);

	if (fd < 0)
		return false;
	long answer = ask(fd, address, ret, path, path_size);
	bool found = answer == 0;

	s.fd = (int)fd;
	s.at = s.filled = 0;
	if (answer < 0 && answer != -ENOENT)
		found = search(&s, address, ret, path, path_size);
	sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
	return found;
}
