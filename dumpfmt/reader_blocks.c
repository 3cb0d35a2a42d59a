/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of one block: mapped, read or decompressed, and compared with
 * their checksum.
 */
#include "dumpfmt/crc.h"
#include "dumpfmt/reader_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zstd.h>

enum { MAPPINGS_USUAL = 65530 }; /* that a process may have */

static bool is_mapped(const struct reader_block *block)
{
	return block->entry.codec == DUMP_CODEC_STORED &&
	       block->state != BLOCK_UNREAD;
}

/* What a mapping of it adds to those of the process: two where it splits one,
 * one beside another block. */
static size_t mappings_of(const struct dump *dump,
			  const struct reader_block *block)
{
	return block > dump->blocks && is_mapped(block - 1) ? 1 : 2;
}

static bool may_map(struct dump *dump, const struct reader_block *block,
		    uint64_t offset)
{
	size_t more = mappings_of(dump, block);

	if (offset % DUMP_PAGE_SIZE)
		return false;
	if (dump->mappings + more >= dump->mappings_max)
		return false;
	dump->mappings += more;
	return true;
}

size_t reader_mappings_max(void)
{
	char text[32] = "";
	size_t all = MAPPINGS_USUAL;
	int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0)
			all = strtoul(text, NULL, 10);
		close(fd);
	}
	return all / 4 * 3;
}

/* Put the payload at place, mapped if that is possible and worth it. */
static struct err *fetch_stored(struct dump *dump,
				const struct reader_block *block,
				unsigned char *place)
{
	const struct dump_page_entry *e = &block->entry;
	uint64_t offset = e->offset + sizeof(struct dump_block_header);
	struct err *err = NULL;

	if (!may_map(dump, block, offset) ||
	    mmap(place, (size_t)e->size, PROT_READ,
		 MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, dump->fd,
		 (off_t)offset) == MAP_FAILED)
		err = reader_pread(dump, place, (size_t)e->size, offset);
	if (!err && dump_crc(0, place, (size_t)e->size) != e->payload_crc)
		err = err_new(ERR_CORRUPT, "bad checksum");
	return err;
}

static struct err *inflate_into(const unsigned char *payload, size_t size,
				unsigned char *place, size_t place_size)
{
	z_stream stream = {
		.next_in = (unsigned char *)(uintptr_t)payload,
		.avail_in = (unsigned)size,
		.next_out = place,
		.avail_out = (unsigned)place_size,
	};

	if (inflateInit(&stream) != Z_OK)
		return err_new(ERR_NO_MEMORY, "inflating");
	int status = inflate(&stream, Z_FINISH);
	bool whole = status == Z_STREAM_END && stream.avail_out == 0;
	inflateEnd(&stream);
	return whole ? NULL : err_new(ERR_CORRUPT, "bad compressed data");
}

static struct err *unzstd_into(struct reader_unpacker *unpacker, size_t size,
			       unsigned char *place, size_t place_size)
{
	if (!unpacker->zstd)
		unpacker->zstd = ZSTD_createDCtx();
	if (!unpacker->zstd)
		return err_new(ERR_NO_MEMORY, "decompressing");
	size_t got = ZSTD_decompressDCtx(unpacker->zstd, place, place_size,
					 unpacker->scratch, size);
	return got == place_size ? NULL
				 : err_new(ERR_CORRUPT, "bad compressed data");
}

static struct err *make_scratch(struct reader_unpacker *unpacker, size_t size)
{
	if (size <= unpacker->scratch_size)
		return NULL;
	free(unpacker->scratch);
	unpacker->scratch_size = 0;
	unpacker->scratch = malloc(size);
	if (!unpacker->scratch)
		return err_new(ERR_NO_MEMORY, "decompressing");
	unpacker->scratch_size = size;
	return NULL;
}

static struct err *fetch_packed(const struct dump *dump,
				const struct dump_page_entry *e,
				unsigned char *place,
				struct reader_unpacker *unpacker)
{
	size_t stored = (size_t)e->stored_size;
	struct err *err = make_scratch(unpacker, stored);

	if (!err)
		err = reader_pread(dump, unpacker->scratch, stored,
				   e->offset +
					   sizeof(struct dump_block_header));
	if (err)
		return err;
	if (dump_crc(0, unpacker->scratch, stored) != e->payload_crc)
		return err_new(ERR_CORRUPT, "bad checksum");
	if (e->codec == DUMP_CODEC_ZSTD)
		return unzstd_into(unpacker, stored, place, (size_t)e->size);
	return inflate_into(unpacker->scratch, stored, place, (size_t)e->size);
}

/* A page of a file that has no room on its disk would be a signal. */
static struct err *make_room(const struct reader_home *home,
			     const unsigned char *place, uint64_t size)
{
	const struct reader_reservation *reservation = home->reservation;

	if (reservation->fd < 0 ||
	    fallocate(reservation->fd, 0, place - reservation->base,
		      (off_t)size) == 0 ||
	    errno == EOPNOTSUPP)
		return NULL;
	return err_new(ERR_IO,
		       "no room for unpacked memory in TMPDIR, or /var/tmp: %s",
		       strerror(errno));
}

struct err *reader_unpack(struct dump *dump, const struct reader_block *block,
			  const struct reader_home *home,
			  struct reader_unpacker *unpacker)
{
	const struct dump_page_entry *e = &block->entry;
	unsigned char *place = home->base + (e->address - home->start);
	struct err *err = NULL;

	if (e->codec == DUMP_CODEC_ZERO)
		return NULL;
	if (e->codec == DUMP_CODEC_STORED)
		return fetch_stored(dump, block, place);
	err = make_room(home, place, e->size);
	if (!err)
		err = fetch_packed(dump, e, place, unpacker);
	return err;
}

void reader_unpacker_deinit(struct reader_unpacker *unpacker)
{
	free(unpacker->scratch);
	ZSTD_freeDCtx(unpacker->zstd);
}

size_t dump_block_count(const struct dump *dump)
{
	return dump->block_count;
}

void dump_block_get(const struct dump *dump, size_t i,
		    struct dump_page_entry *ret)
{
	*ret = dump->blocks[i].entry;
}

static struct err *check_stored(struct dump *dump,
				const struct dump_page_entry *e,
				unsigned char *place)
{
	struct err *err =
		reader_pread(dump, place, (size_t)e->size,
			     e->offset + sizeof(struct dump_block_header));

	if (!err && dump_crc(0, place, (size_t)e->size) != e->payload_crc)
		err = err_new(ERR_CORRUPT, "bad checksum");
	return err;
}

/* Nobody needs it while there is an index; a file that is cut has none. */
static struct err *check_header(const struct dump *dump,
				const struct dump_page_entry *e)
{
	struct dump_block_header header;
	struct err *err =
		reader_pread(dump, &header, sizeof(header), e->offset);

	if (err)
		return err;
	if (header.magic == DUMP_BLOCK_MAGIC && header.offset == e->offset &&
	    header.address == e->address && header.size == e->size &&
	    header.stored_size == e->stored_size && header.codec == e->codec &&
	    header.crc == dump_crc(0, &header,
				   offsetof(struct dump_block_header, crc)))
		return NULL;
	return err_new(ERR_CORRUPT, "bad header");
}

static struct err *check_payload(struct dump *dump,
				 const struct dump_page_entry *e)
{
	struct err *err = NULL;

	if (e->codec == DUMP_CODEC_ZERO)
		return NULL;
	unsigned char *place = malloc((size_t)e->size);
	if (!place)
		return err_new(ERR_NO_MEMORY, "checking a block");
	err = e->codec == DUMP_CODEC_STORED
		      ? check_stored(dump, e, place)
		      : fetch_packed(dump, e, place, &dump->unpacker);
	free(place);
	return err;
}

struct err *dump_block_check(struct dump *dump, size_t i)
{
	const struct dump_page_entry *e = &dump->blocks[i].entry;
	struct err *err = check_header(dump, e);

	if (!err)
		err = check_payload(dump, e);
	return err_wrap(err, "block at byte %" PRIu64 " (memory %#" PRIx64 ")",
			e->offset, e->address);
}
