/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a fuzz target is: it must survive any bytes. Build with
 * -Dfuzzers=true -Dsanitize_kdbg=true and clang for libFuzzer; otherwise
 * replay.c runs each target on its seeds and on damaged copies of them. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
