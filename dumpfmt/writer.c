/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file as a whole: header, facts, memory, names, what could not be saved,
 * the index of pages, the directory, the trailer. What is written first
 * survives a full disk or a killed writer: facts before memory, and of the
 * memory the allocator's own before everything else.
 */
#include "dumpfmt/crc.h"
#include "dumpfmt/writer_impl.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "structures are written as they lie in memory");

uint32_t writer_crc(const void *data, size_t size)
{
	return dump_crc(0, data, size);
}

/* Where the next record goes: the workers know, too. */
static uint64_t *writer_end(struct writer *w)
{
	return w->queue ? writer_queue_end(w->queue) : &w->offset;
}

/* Write all of it, or set error. Alone one only appends, so that fd may be a
 * pipe; with workers each writes where it has claimed room. */
static void write_all(struct writer *w, uint64_t offset, struct iovec *iov,
		      int count)
{
	while (count > 0 && !w->error) {
		ssize_t n = w->queue ? pwritev(w->fd, iov, count, (off_t)offset)
				     : writev(w->fd, iov, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			w->error = n < 0 ? -errno : -EIO;
			return;
		}
		offset += (uint64_t)n;
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

static size_t padding(size_t size)
{
	return -size % DUMP_ALIGN;
}

struct writer_record writer_claim(struct writer *w, size_t header_size,
				  size_t payload_size, bool on_page)
{
	uint64_t *end = writer_end(w);
	uint64_t at = __atomic_load_n(end, __ATOMIC_RELAXED);
	struct writer_record record = { .header_size = header_size,
					.payload_size = payload_size };
	size_t size = header_size + payload_size + padding(payload_size);

	do
		record.lead =
			on_page ? (size_t)(-(at + header_size) % DUMP_PAGE_SIZE)
				: 0;
	while (!__atomic_compare_exchange_n(end, &at, at + record.lead + size,
					    false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED));
	record.offset = at + record.lead;
	return record;
}

void writer_put(struct writer *w, const struct writer_record *record,
		const void *header, const void *payload)
{
	static const unsigned char zeros[DUMP_PAGE_SIZE];
	const struct iovec all[] = {
		{ (void *)(uintptr_t)zeros, record->lead },
		{ (void *)(uintptr_t)header, record->header_size },
		{ (void *)(uintptr_t)payload, record->payload_size },
		{ (void *)(uintptr_t)zeros, padding(record->payload_size) },
	};
	struct iovec used[sizeof(all) / sizeof(all[0])];
	int count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].iov_len > 0)
			used[count++] = all[i];
	write_all(w, record->offset - record->lead, used, count);
}

/* A section without an entry in the directory: the directory itself. */
static struct dump_section_header append_section(struct writer *w,
						 uint32_t kind,
						 const void *payload,
						 size_t size)
{
	struct writer_record record = writer_claim(
		w, sizeof(struct dump_section_header), size, false);
	struct dump_section_header header = {
		.magic = DUMP_SECTION_MAGIC,
		.kind = kind,
		.offset = record.offset,
		.size = size,
		.version = 1,
		.payload_crc = writer_crc(payload, size),
	};

	header.crc =
		writer_crc(&header, offsetof(struct dump_section_header, crc));
	writer_put(w, &record, &header, payload);
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

static void append_plain(struct writer *w, const void *data, size_t size)
{
	struct writer_record record = writer_claim(w, size, 0, false);

	writer_put(w, &record, data, NULL);
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
	append_plain(w, &header, sizeof(header));
}

static void append_trailer(struct writer *w)
{
	struct dump_trailer trailer = {
		.directory_offset = w->directory_previous,
		.file_size = w->offset + sizeof(trailer),
	};

	memcpy(trailer.magic, DUMP_TRAILER_MAGIC, DUMP_MAGIC_SIZE);
	trailer.crc = writer_crc(&trailer, offsetof(struct dump_trailer, crc));
	append_plain(w, &trailer, sizeof(trailer));
}

int dump_write(struct dump_writer_space *space, int fd,
	       const struct dump_source *source,
	       const struct dump_write_options *options)
{
	struct writer *w = (struct writer *)space->bytes;

	memset(w, 0, offsetof(struct writer, pages));
	w->fd = fd;
	w->source = source;
	append_header(w);
	writer_facts(w);
	writer_codec_init(w, options ? options->codec : dump_codec_default());
	writer_workers_start(w, options ? options->workers : 0);
	writer_memory(w);
	writer_symbols(w);
	writer_messages(w);
	flush_directory(w);
	append_trailer(w);
	return w->error;
}
