/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the records of a file lie: by its directory, which the trailer at the
 * end leads to; where that is missing or damaged, by scanning for headers. A
 * header counts only if its checksum is right and it names its own offset.
 */
#include "dumpfmt/crc.h"
#include "dumpfmt/reader_impl.h"

#include "dumpfmt/cursor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SCAN_BUFFER = 1 << 20 };

static const char *const section_names[DUMP_SECTION_KIND_COUNT] = {
	[DUMP_SECTION_PROCESS] = "process",
	[DUMP_SECTION_THREADS] = "threads",
	[DUMP_SECTION_MAPS] = "maps",
	[DUMP_SECTION_MODULES] = "modules",
	[DUMP_SECTION_ROOTS] = "roots",
	[DUMP_SECTION_AUXV] = "auxv",
	[DUMP_SECTION_ENVIRONMENT] = "environment",
	[DUMP_SECTION_MESSAGES] = "messages",
	[DUMP_SECTION_PAGES] = "pages",
	[DUMP_SECTION_DIRECTORY] = "directory",
	[DUMP_SECTION_SYMBOLS] = "symbols",
};

const char *reader_section_name(uint32_t kind)
{
	if (kind < DUMP_SECTION_KIND_COUNT && section_names[kind])
		return section_names[kind];
	return "unknown";
}

static uint32_t crc_of(const void *data, size_t size)
{
	return dump_crc(0, data, size);
}

/* A record of this size, header and payload, lies in the file. */
static bool lies_inside(const struct dump *dump, uint64_t offset,
			uint64_t header_size, uint64_t payload_size)
{
	return offset <= dump->file_size &&
	       header_size <= dump->file_size - offset &&
	       payload_size <= dump->file_size - offset - header_size;
}

static struct err *add_section(struct dump *dump,
			       const struct dump_directory_entry *entry)
{
	if (!reader_grow(&dump->sections, dump->section_count,
			 sizeof(*dump->sections)))
		return err_new(ERR_NO_MEMORY, "list of sections");
	dump->sections[dump->section_count++] = (struct reader_section){
		.kind = entry->kind,
		.version = entry->version,
		.offset = entry->offset,
		.size = entry->size,
		.payload_crc = entry->payload_crc,
	};
	return NULL;
}

static struct err *load_payload(const struct dump *dump,
				struct reader_section *section)
{
	const char *name = reader_section_name(section->kind);

	if (section->size > DUMP_SECTION_MAX)
		return err_new(ERR_CORRUPT,
			       "section %s at byte %" PRIu64 ": %" PRIu64
			       " bytes are more than any has",
			       name, section->offset, section->size);
	if (!lies_inside(dump, section->offset,
			 sizeof(struct dump_section_header), section->size))
		return err_new(ERR_CORRUPT,
			       "section %s at byte %" PRIu64
			       ": runs past the end of the file",
			       name, section->offset);
	section->payload = malloc((size_t)section->size + 1);
	if (!section->payload)
		return err_new(ERR_NO_MEMORY, "section %s", name);

	struct err *err = reader_pread(
		dump, section->payload, (size_t)section->size,
		section->offset + sizeof(struct dump_section_header));
	if (!err && crc_of(section->payload, (size_t)section->size) !=
			    section->payload_crc)
		err = err_new(ERR_CORRUPT, "bad checksum");
	if (!err)
		return NULL;
	free(section->payload);
	section->payload = NULL;
	return err_wrap(err, "section %s at byte %" PRIu64, name,
			section->offset);
}

static bool section_header_valid(const struct dump_section_header *header,
				 uint64_t offset)
{
	return header->magic == DUMP_SECTION_MAGIC &&
	       header->offset == offset &&
	       header->crc == crc_of(header,
				     offsetof(struct dump_section_header, crc));
}

static bool block_header_valid(const struct dump_block_header *header,
			       uint64_t offset)
{
	return header->magic == DUMP_BLOCK_MAGIC && header->offset == offset &&
	       header->crc ==
		       crc_of(header, offsetof(struct dump_block_header, crc));
}

/* One part of the directory: its entries, and where an earlier part lies. */
static struct err *read_directory_part(struct dump *dump, uint64_t offset,
				       uint64_t *previous)
{
	struct dump_section_header header;

	if (!lies_inside(dump, offset, sizeof(header), 0))
		return err_new(ERR_CORRUPT,
			       "section directory at byte %" PRIu64
			       ": lies outside the file",
			       offset);
	struct err *err = reader_pread(dump, &header, sizeof(header), offset);
	if (err)
		return err;
	if (!section_header_valid(&header, offset) ||
	    header.kind != DUMP_SECTION_DIRECTORY)
		return err_new(ERR_CORRUPT,
			       "section directory at byte %" PRIu64
			       ": bad header",
			       offset);

	struct reader_section section = {
		.kind = header.kind,
		.offset = offset,
		.size = header.size,
		.payload_crc = header.payload_crc,
	};
	err = load_payload(dump, &section);
	if (err)
		return err;

	struct cursor c;
	cursor_init(&c, section.payload, (size_t)section.size,
		    "section directory");
	c.origin = offset + sizeof(header);
	*previous = cursor_u64(&c, "previous");
	while (!err && !c.bad_field && c.pos < c.size) {
		struct dump_directory_entry entry;
		const void *bytes = cursor_bytes(&c, sizeof(entry), "entry");

		if (bytes) {
			memcpy(&entry, bytes, sizeof(entry));
			err = add_section(dump, &entry);
		}
	}
	free(section.payload);
	return err ? err : cursor_error(&c);
}

static struct err *read_trailer(const struct dump *dump, uint64_t *directory)
{
	struct dump_trailer trailer;
	uint64_t at = dump->file_size - sizeof(trailer);

	if (dump->file_size < sizeof(struct dump_header) + sizeof(trailer))
		return err_new(ERR_CORRUPT,
			       "no trailer: file is cut at byte %" PRIu64,
			       dump->file_size);
	struct err *err = reader_pread(dump, &trailer, sizeof(trailer), at);
	if (err)
		return err;
	if (memcmp(trailer.magic, DUMP_TRAILER_MAGIC, DUMP_MAGIC_SIZE) != 0)
		return err_new(ERR_CORRUPT,
			       "no trailer: file is cut at byte %" PRIu64,
			       dump->file_size);
	if (trailer.crc != crc_of(&trailer, offsetof(struct dump_trailer, crc)))
		return err_new(ERR_CORRUPT,
			       "trailer at byte %" PRIu64 ": bad checksum", at);
	if (trailer.file_size != dump->file_size)
		return err_new(ERR_CORRUPT,
			       "trailer at byte %" PRIu64 ": file has %" PRIu64
			       " bytes, not %" PRIu64,
			       at, dump->file_size, trailer.file_size);
	*directory = trailer.directory_offset;
	return NULL;
}

/* A chain of parts; each lies before the one that names it, so it ends. */
static struct err *read_directory(struct dump *dump)
{
	uint64_t offset = 0, previous = 0;

	struct err *err = read_trailer(dump, &offset);
	while (!err) {
		err = read_directory_part(dump, offset, &previous);
		if (err || previous == 0)
			break;
		if (previous >= offset)
			err = err_new(ERR_CORRUPT,
				      "section directory at byte %" PRIu64
				      ": the part before it lies after it",
				      offset);
		offset = previous;
	}
	return err;
}

static int by_offset(const void *a, const void *b)
{
	const struct reader_section *left = a, *right = b;

	return (left->offset > right->offset) - (left->offset < right->offset);
}

static struct err *add_block(struct dump *dump,
			     const struct dump_page_entry *entry)
{
	if (!reader_grow(&dump->blocks, dump->block_count,
			 sizeof(*dump->blocks)))
		return err_new(ERR_NO_MEMORY, "list of blocks");
	dump->blocks[dump->block_count++] =
		(struct reader_block){ .entry = *entry };
	return NULL;
}

static struct err *read_pages(struct dump *dump,
			      const struct reader_section *section)
{
	struct cursor c;
	struct err *err = NULL;

	cursor_init(&c, section->payload, (size_t)section->size,
		    "section pages");
	c.origin = section->offset + sizeof(struct dump_section_header);
	while (!err && c.pos < c.size && !c.bad_field) {
		struct dump_page_entry entry;
		const void *bytes = cursor_bytes(&c, sizeof(entry), "entry");

		if (bytes) {
			memcpy(&entry, bytes, sizeof(entry));
			err = add_block(dump, &entry);
		}
	}
	return err ? err : cursor_error(&c);
}

/*
 * A header was found at offset. *next is where to look further; a record whose
 * payload is cut off is told of and not entered.
 */
static struct err *scan_section(struct dump *dump,
				const struct dump_section_header *header,
				uint64_t *next)
{
	if (!lies_inside(dump, header->offset, sizeof(*header), header->size)) {
		reader_warn(dump,
			    "section %s at byte %" PRIu64
			    ": cut off by the end of the file",
			    reader_section_name(header->kind), header->offset);
		return NULL;
	}
	*next = header->offset + sizeof(*header) + header->size;
	return add_section(dump, &(struct dump_directory_entry){
					 .kind = header->kind,
					 .version = header->version,
					 .offset = header->offset,
					 .size = header->size,
					 .payload_crc = header->payload_crc,
				 });
}

static struct err *scan_block(struct dump *dump,
			      const struct dump_block_header *header,
			      uint64_t *next)
{
	if (!lies_inside(dump, header->offset, sizeof(*header),
			 header->stored_size)) {
		reader_warn(dump,
			    "block at byte %" PRIu64 " (memory %#" PRIx64
			    "): cut off by the end of the file",
			    header->offset, header->address);
		return NULL;
	}
	*next = header->offset + sizeof(*header) + header->stored_size;
	return add_block(dump, &(struct dump_page_entry){
				       .address = header->address,
				       .size = header->size,
				       .offset = header->offset,
				       .stored_size = header->stored_size,
				       .codec = header->codec,
				       .payload_crc = header->payload_crc,
			       });
}

/* Look at one place: data holds the bytes from offset on, size of them. */
static struct err *scan_at(struct dump *dump, const unsigned char *data,
			   size_t size, uint64_t offset, uint64_t *next)
{
	struct dump_section_header section;
	struct dump_block_header block;
	uint32_t magic;

	*next = offset + DUMP_ALIGN;
	memcpy(&magic, data, sizeof(magic));
	if (magic == DUMP_SECTION_MAGIC && size >= sizeof(section)) {
		memcpy(&section, data, sizeof(section));
		if (section_header_valid(&section, offset))
			return scan_section(dump, &section, next);
	}
	if (magic == DUMP_BLOCK_MAGIC && size >= sizeof(block)) {
		memcpy(&block, data, sizeof(block));
		if (block_header_valid(&block, offset))
			return scan_block(dump, &block, next);
	}
	return NULL;
}

static struct err *scan_file(struct dump *dump, unsigned char *buffer,
			     size_t size)
{
	uint64_t offset = sizeof(struct dump_header);
	uint64_t start = 0, held = 0; /* the part of the file in buffer */
	struct err *err = NULL;

	while (!err && offset < dump->file_size &&
	       dump->file_size - offset >= sizeof(uint32_t)) {
		uint64_t left = dump->file_size - offset;
		uint64_t want = sizeof(struct dump_block_header);

		if (want > left)
			want = left;
		if (offset < start || offset + want > start + held) {
			start = offset;
			held = left < size ? left : size;
			err = reader_pread(dump, buffer, (size_t)held, start);
			if (err)
				break;
		}
		err = scan_at(dump, buffer + (offset - start),
			      (size_t)(held - (offset - start)), offset,
			      &offset);
		offset =
			(offset + DUMP_ALIGN - 1) & ~(uint64_t)(DUMP_ALIGN - 1);
	}
	return err;
}

/* Forget what the directory said and find everything by scanning. */
static struct err *scan(struct dump *dump)
{
	size_t size = dump->file_size < SCAN_BUFFER ? (size_t)dump->file_size
						    : SCAN_BUFFER;
	unsigned char *buffer = malloc(size);

	if (!buffer)
		return err_new(ERR_NO_MEMORY, "scanning the file");
	for (size_t i = 0; i < dump->section_count; i++)
		free(dump->sections[i].payload);
	dump->section_count = 0;
	dump->block_count = 0;
	dump->scanned = true;
	struct err *err = scan_file(dump, buffer, size);
	free(buffer);
	if (!err)
		reader_warn(dump,
			    "read by scanning: %zu sections and %zu blocks "
			    "of memory found",
			    dump->section_count, dump->block_count);
	return err;
}

/*
 * Load the payload of every section that we know. *index_whole: the pages can
 * be trusted. Sections are disjoint, so those that are larger together than
 * the file are lies: what a small file makes us allocate stays small.
 */
static void load_sections(struct dump *dump, bool *index_whole)
{
	uint64_t budget = dump->file_size;

	*index_whole = true;
	for (size_t i = 0; i < dump->section_count; i++) {
		struct reader_section *section = &dump->sections[i];
		struct err *err = NULL;

		if (section->kind >= DUMP_SECTION_KIND_COUNT)
			continue;
		if (section->size > budget)
			err = err_new(ERR_CORRUPT,
				      "section %s at byte %" PRIu64
				      ": overlaps others",
				      reader_section_name(section->kind),
				      section->offset);
		else
			err = load_payload(dump, section);
		if (!err)
			budget -= section->size;
		if (err && section->kind == DUMP_SECTION_PAGES)
			*index_whole = false;
		if (err)
			reader_warn_err(dump, err);
	}
}

static struct err *read_index(struct dump *dump)
{
	struct err *err = NULL;

	for (size_t i = 0; i < dump->section_count && !err; i++)
		if (dump->sections[i].kind == DUMP_SECTION_PAGES &&
		    dump->sections[i].payload)
			err = read_pages(dump, &dump->sections[i]);
	return err;
}

static bool has_section(const struct dump *dump, uint32_t kind)
{
	for (size_t i = 0; i < dump->section_count; i++)
		if (dump->sections[i].kind == kind)
			return true;
	return false;
}

struct err *reader_find_records(struct dump *dump)
{
	bool index_whole;

	struct err *err = read_directory(dump);
	if (!err) {
		load_sections(dump, &index_whole);
		if (index_whole && has_section(dump, DUMP_SECTION_PAGES))
			err = read_index(dump);
		else
			err = err_new(ERR_CORRUPT, "section pages: no index");
	}
	if (err) {
		reader_warn_err(dump, err);
		err = scan(dump);
		if (err)
			return err;
		load_sections(dump, &index_whole);
	}
	if (dump->section_count == 0 && dump->block_count == 0)
		return err_new(ERR_CORRUPT,
			       "file is cut or damaged: no section found in "
			       "%" PRIu64 " bytes",
			       dump->file_size);
	if (dump->section_count > 0)
		qsort(dump->sections, dump->section_count,
		      sizeof(*dump->sections), by_offset);
	return NULL;
}
