/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in the file. All integers are little-endian. See FORMAT.md.
 *
 *	header | record | record | ... | directory | trailer
 *
 * A record is a section (facts that memory does not tell) or a block (a run of
 * pages). Each begins with a magic number, its own offset in the file and a
 * checksum of its header, so that a file without a directory can be read by
 * scanning, and the bytes of a dump that lies in a dumped memory are not taken
 * for a record.
 */
#ifndef DUMPFMT_FORMAT_H
#define DUMPFMT_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* As PNG's: a seven-bit or newline-translating transfer damages it. */
#define DUMP_MAGIC         "\x89KDBG\r\n\x1a"
#define DUMP_TRAILER_MAGIC "KDBGEND\n"

enum {
	DUMP_MAGIC_SIZE = 8,
	DUMP_VERSION = 1,
	DUMP_BYTE_ORDER = 0x01020304,
	DUMP_MACHINE_X86_64 = 62,    /* EM_X86_64 */
	DUMP_PAGE_SIZE = 4096,       /* addresses and sizes of blocks */
	DUMP_ALIGN = 8,              /* of a record in the file */
	DUMP_BLOCK_MAX = 1 << 20,    /* memory of one block, zero ones apart */
	DUMP_SECTION_MAX = 64 << 20, /* bytes of one section */
	DUMP_SECTION_MAGIC = 0x54434553, /* "SECT" */
	DUMP_BLOCK_MAGIC = 0x4b434c42,   /* "BLCK" */
};

/* A reader refuses a file with a feature that it does not know. */
#define DUMP_FEATURES_KNOWN UINT64_C(0)

/*
 * A section may come in several parts, each a record of its own: their
 * payloads are joined in the order of the file. A reader skips unknown kinds.
 */
enum dump_section_kind {
	DUMP_SECTION_PROCESS = 1,
	DUMP_SECTION_THREADS = 2,
	DUMP_SECTION_MAPS = 3,
	DUMP_SECTION_MODULES = 4,
	DUMP_SECTION_ROOTS = 5,
	DUMP_SECTION_AUXV = 6,
	DUMP_SECTION_ENVIRONMENT = 7,
	DUMP_SECTION_MESSAGES = 8, /* what the writer could not save, and why */
	DUMP_SECTION_PAGES = 9,    /* struct dump_page_entry for each block */
	DUMP_SECTION_DIRECTORY = 10,
	DUMP_SECTION_SYMBOLS = 11, /* names, for who has not the files */
	DUMP_SECTION_KIND_COUNT
};

enum dump_codec {
	DUMP_CODEC_ZERO = 0,   /* no payload: every byte is 0 */
	DUMP_CODEC_STORED = 1, /* payload begins on a page of the file */
	DUMP_CODEC_ZLIB = 2,
	DUMP_CODEC_ZSTD = 3,
	DUMP_CODEC_COUNT
};

struct dump_header {
	unsigned char magic[DUMP_MAGIC_SIZE];
	uint32_t byte_order;
	uint32_t version;
	uint32_t header_size;
	uint32_t machine;
	uint64_t features;
	uint32_t page_size;
	uint32_t reserved;
	uint64_t created_ns; /* CLOCK_REALTIME */
	uint64_t reserved2;
	uint32_t reserved3;
	uint32_t crc; /* CRC-32 of the bytes before it, as all below */
};
static_assert(sizeof(struct dump_header) == 64, "on-disk size");
static_assert(offsetof(struct dump_header, features) == 24, "on-disk offset");
static_assert(offsetof(struct dump_header, created_ns) == 40, "on-disk offset");
static_assert(offsetof(struct dump_header, crc) == 60, "on-disk offset");

struct dump_section_header {
	uint32_t magic;
	uint32_t kind;    /* enum dump_section_kind */
	uint64_t offset;  /* of this header in the file */
	uint64_t size;    /* of the payload that follows */
	uint32_t version; /* of this kind of section; 1 */
	uint32_t payload_crc;
	uint32_t reserved;
	uint32_t crc;
};
static_assert(sizeof(struct dump_section_header) == 40, "on-disk size");
static_assert(offsetof(struct dump_section_header, crc) == 36,
	      "on-disk offset");

struct dump_block_header {
	uint32_t magic;
	uint32_t codec;  /* enum dump_codec */
	uint64_t offset; /* of this header in the file */
	uint64_t address;
	uint64_t size;        /* of the memory */
	uint64_t stored_size; /* of the payload that follows */
	uint32_t payload_crc; /* of the payload as stored */
	uint32_t crc;
};
static_assert(sizeof(struct dump_block_header) == 48, "on-disk size");
static_assert(offsetof(struct dump_block_header, crc) == 44, "on-disk offset");

/* One block, in section PAGES. */
struct dump_page_entry {
	uint64_t address;
	uint64_t size;
	uint64_t offset; /* of the block's header */
	uint64_t stored_size;
	uint32_t codec;
	uint32_t payload_crc;
};
static_assert(sizeof(struct dump_page_entry) == 40, "on-disk size");

/* The directory's payload: the offset of an earlier part, or 0, then these. */
struct dump_directory_entry {
	uint32_t kind;
	uint32_t version;
	uint64_t offset; /* of the section's header */
	uint64_t size;
	uint32_t payload_crc;
	uint32_t reserved;
};
static_assert(sizeof(struct dump_directory_entry) == 32, "on-disk size");

/* The last bytes of a complete file. */
struct dump_trailer {
	unsigned char magic[DUMP_MAGIC_SIZE];
	uint64_t directory_offset; /* of the header of its last part */
	uint64_t file_size;
	uint32_t reserved;
	uint32_t crc;
};
static_assert(sizeof(struct dump_trailer) == 32, "on-disk size");
static_assert(offsetof(struct dump_trailer, crc) == 28, "on-disk offset");

enum dump_level { DUMP_FULL = 0, DUMP_HEAP = 1, DUMP_META = 2 };

enum dump_reason {
	DUMP_REASON_EXIT = 1,
	DUMP_REASON_SIGNAL = 2,
	DUMP_REASON_ERROR = 3,
	DUMP_REASON_REQUEST = 4,
	DUMP_REASON_SNAPSHOT = 5, /* from outside */
};

enum dump_thread_flags {
	DUMP_THREAD_CRASHED = 1,   /* took the signal, or wrote the dump */
	DUMP_THREAD_REGISTERS = 2, /* all general registers are valid */
	DUMP_THREAD_SP_PC = 4,     /* only sp and pc are */
	DUMP_THREAD_NO_STACK = 8,  /* its stack could not be read */
};

enum dump_map_flags {
	DUMP_MAP_READ = 1,
	DUMP_MAP_WRITE = 2,
	DUMP_MAP_EXEC = 4,
	DUMP_MAP_SHARED = 8,
	DUMP_MAP_STORED = 16, /* its bytes (or some) are in the file */
};

enum dump_symbol_flags {
	DUMP_SYMBOL_PLACE = 1, /* where an address is in the source; else a
				  function */
};

/* In the order of the kernel's user_regs_struct, as in NT_PRSTATUS. */
struct dump_registers {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx,
		rsi, rdi, orig_rax, rip, cs, rflags, rsp, ss, fs_base, gs_base,
		ds, es, fs, gs;
};
static_assert(sizeof(struct dump_registers) == 27 * 8, "on-disk size");

#endif
