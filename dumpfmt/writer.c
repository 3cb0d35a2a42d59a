/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file as a whole: header, facts, memory, what could not be saved, the
 * index of pages, the directory, the trailer. What is written first survives a
 * full disk or a killed writer: facts before memory, and of the memory the
 * allocator's own before everything else.
 */
#include "dumpfmt/writer_impl.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "structures are written as they lie in memory");

enum { PIECES_MAX = 4 };

uint32_t writer_crc(const void *data, size_t size)
{
	return (uint32_t)crc32_z(0, data, size);
}

/* Write all of it, or set error. */
static void write_all(struct writer *w, struct iovec *iov, int count)
{
	while (count > 0) {
		ssize_t n = writev(w->fd, iov, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			w->error = n < 0 ? -errno : -EIO;
			return;
		}
		w->offset += (uint64_t)n;
		while (count > 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
}

void writer_append(struct writer *w, const struct writer_piece *pieces,
		   size_t count)
{
	struct iovec iov[PIECES_MAX];
	int used = 0;

	if (w->error)
		return;
	assert(count <= PIECES_MAX);
	for (size_t i = 0; i < count; i++)
		if (pieces[i].size > 0)
			iov[used++] = (struct iovec){
				.iov_base = (void *)(uintptr_t)pieces[i].data,
				.iov_len = pieces[i].size,
			};
	write_all(w, iov, used);
}

void writer_pad(struct writer *w, size_t size)
{
	static const unsigned char zeros[DUMP_PAGE_SIZE];

	assert(size <= sizeof(zeros));
	writer_append(w, &(struct writer_piece){ zeros, size }, 1);
}

/* A section without an entry in the directory: the directory itself. */
static struct dump_section_header append_section(struct writer *w,
						 uint32_t kind,
						 const void *payload,
						 size_t size)
{
	struct dump_section_header header = {
		.magic = DUMP_SECTION_MAGIC,
		.kind = kind,
		.offset = w->offset,
		.size = size,
		.version = 1,
		.payload_crc = writer_crc(payload, size),
	};

	header.crc =
		writer_crc(&header, offsetof(struct dump_section_header, crc));
	writer_append(w,
		      (struct writer_piece[]){ { &header, sizeof(header) },
					       { payload, size } },
		      2);
	writer_pad(w, -size % DUMP_ALIGN);
	return header;
}

static void flush_directory(struct writer *w)
{
	struct {
		uint64_t previous;
		struct dump_directory_entry entries[WRITER_DIRECTORY_ENTRIES];
	} payload;
	size_t size = w->directory_used * sizeof(payload.entries[0]);

	payload.previous = w->directory_previous;
	memcpy(payload.entries, w->directory, size);
	w->directory_used = 0;
	w->directory_previous =
		append_section(w, DUMP_SECTION_DIRECTORY, &payload,
			       sizeof(payload.previous) + size)
			.offset;
}

void writer_section(struct writer *w, uint32_t kind, const void *payload,
		    size_t size)
{
	if (w->directory_used == WRITER_DIRECTORY_ENTRIES)
		flush_directory(w);

	struct dump_section_header header =
		append_section(w, kind, payload, size);
	w->directory[w->directory_used++] = (struct dump_directory_entry){
		.kind = kind,
		.version = header.version,
		.offset = header.offset,
		.size = size,
		.payload_crc = header.payload_crc,
	};
}

static void append_header(struct writer *w)
{
	struct dump_header header = {
		.byte_order = DUMP_BYTE_ORDER,
		.version = DUMP_VERSION,
		.header_size = sizeof(header),
		.machine = DUMP_MACHINE_X86_64,
		.page_size = DUMP_PAGE_SIZE,
		.created_ns = w->source->process->dump_realtime_ns,
	};

	memcpy(header.magic, DUMP_MAGIC, DUMP_MAGIC_SIZE);
	header.crc = writer_crc(&header, offsetof(struct dump_header, crc));
	writer_append(w, &(struct writer_piece){ &header, sizeof(header) }, 1);
}

static void append_trailer(struct writer *w)
{
	struct dump_trailer trailer = {
		.directory_offset = w->directory_previous,
		.file_size = w->offset + sizeof(trailer),
	};

	memcpy(trailer.magic, DUMP_TRAILER_MAGIC, DUMP_MAGIC_SIZE);
	trailer.crc = writer_crc(&trailer, offsetof(struct dump_trailer, crc));
	writer_append(w, &(struct writer_piece){ &trailer, sizeof(trailer) },
		      1);
}

int dump_write(struct dump_writer_space *space, int fd,
	       const struct dump_source *source)
{
	struct writer *w = (struct writer *)space->bytes;

	memset(w, 0, offsetof(struct writer, pages));
	w->fd = fd;
	w->source = source;
	append_header(w);
	writer_facts(w);
	writer_memory(w);
	writer_messages(w);
	flush_directory(w);
	append_trailer(w);
	return w->error;
}
