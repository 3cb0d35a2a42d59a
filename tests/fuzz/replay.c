/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzz target on files: whole, cut at each of many places, and with
 * single bytes changed. For builds without libFuzzer. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_READ = 1 << 20, PLACES = 300 };

static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1); /* one byte too far shows */

	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_damaged(uint8_t *data, size_t size)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0xff };
	size_t step = size / PLACES + 1;

	for (size_t at = 0; at < size; at += step) {
		run_exact(data, at);
		for (size_t i = 0; i < sizeof(changes); i++) {
			data[at] ^= changes[i];
			run_exact(data, size);
			data[at] ^= changes[i];
		}
	}
}

int main(int argc, char **argv)
{
	static uint8_t data[SIZE_MAX_READ];

	for (int i = 1; i < argc; i++) {
		FILE *stream = fopen(argv[i], "rb");

		if (!stream) {
			perror(argv[i]);
			return 1;
		}
		size_t size = fread(data, 1, sizeof(data), stream);
		fclose(stream);
		run_exact(data, size);
		run_damaged(data, size);
	}
	return argc < 2;
}
