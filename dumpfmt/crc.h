/* SPDX-License-Identifier: BSD-2-Clause */
/* The checksum of everything in a dump: CRC-32 as zlib has it. Allocates
 * nothing and is async-signal-safe. */
#ifndef DUMPFMT_CRC_H
#define DUMPFMT_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Of size bytes more: crc is 0 at first, then what this returned. */
uint32_t dump_crc(uint32_t crc, const void *data, size_t size);

#endif
