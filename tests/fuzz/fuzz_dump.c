/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as a dump: opened, and all of it looked at. Checksums would keep
 * most damage from the code behind them, so the bytes are tried twice: as they
 * are, and with every checksum made right.
 */
#include "dumpfmt/reader.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

enum { LOOKED_AT = 1 << 20 }; /* bytes of one extent */

static void look(struct dump *dump)
{
	const struct dump_extent *extents;
	size_t count = dump_extents(dump, &extents);
	struct dump_extent run;

	for (size_t i = 0; i < count; i++) {
		uint64_t size = extents[i].end - extents[i].start;
		const unsigned char *bytes;
		unsigned sum = 0;

		if (size > LOOKED_AT)
			size = LOOKED_AT;
		struct err *err =
			dump_view(dump, extents[i].start, (size_t)size,
				  (const void **)&bytes);
		for (uint64_t at = 0; !err && at < size; at += 512)
			sum += bytes[at];
		err_free(err);
		dump_next_data(dump, extents[i].start + sum % 2, UINT64_MAX,
			       &run);
	}
}

static void try_bytes(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	struct dump *dump;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct err *err = dump_open(path, &dump);
	if (!err) {
		look(dump);
		dump_close(dump);
	}
	err_free(err);
	close(fd);
}

static uint32_t crc_of(const uint8_t *data, size_t size)
{
	return (uint32_t)crc32_z(0, data, size);
}

/* The checksums of the payload and of the header that ends with one. */
static void mend(uint8_t *data, size_t size, size_t at, size_t header_size,
		 size_t payload_field, size_t size_field)
{
	uint64_t payload, offset = at;
	uint32_t crc;

	if (header_size > size - at)
		return;
	memcpy(&payload, data + at + size_field, sizeof(payload));
	memcpy(data + at + 8, &offset, sizeof(offset));
	if (payload <= size - at - header_size) {
		crc = crc_of(data + at + header_size, (size_t)payload);
		memcpy(data + at + payload_field, &crc, sizeof(crc));
	}
	crc = crc_of(data + at, header_size - 4);
	memcpy(data + at + header_size - 4, &crc, sizeof(crc));
}

static void mend_all(uint8_t *data, size_t size)
{
	uint32_t magic, crc;

	for (size_t at = 0; at + 4 <= size; at += 8) {
		memcpy(&magic, data + at, sizeof(magic));
		if (magic == DUMP_SECTION_MAGIC)
			mend(data, size, at, sizeof(struct dump_section_header),
			     28, 16);
		else if (magic == DUMP_BLOCK_MAGIC)
			mend(data, size, at, sizeof(struct dump_block_header),
			     40, 32);
	}
	if (size < sizeof(struct dump_header) + sizeof(struct dump_trailer))
		return;
	crc = crc_of(data, sizeof(struct dump_header) - 4);
	memcpy(data + sizeof(struct dump_header) - 4, &crc, sizeof(crc));
	uint8_t *trailer = data + size - sizeof(struct dump_trailer);
	uint64_t file_size = size;
	memcpy(trailer, DUMP_TRAILER_MAGIC, DUMP_MAGIC_SIZE);
	memcpy(trailer + 16, &file_size, sizeof(file_size));
	crc = crc_of(trailer, sizeof(struct dump_trailer) - 4);
	memcpy(trailer + sizeof(struct dump_trailer) - 4, &crc, sizeof(crc));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	try_bytes(data, size);
	memcpy(copy, data, size);
	memcpy(copy, DUMP_MAGIC,
	       size < DUMP_MAGIC_SIZE ? size : DUMP_MAGIC_SIZE);
	mend_all(copy, size);
	try_bytes(copy, size);
	free(copy);
	return 0;
}
