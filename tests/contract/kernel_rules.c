/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * KMA_OPTIONS=zero_size=..., free_null=..., wired=...: which rule holds where
 * the kernels differ.
 */
#include "alloc/root.h"
#include "tests/contract/kernel.h"

#define KMA_BSD_NO_LIBC_NAMES
#include <kma/bsd_malloc.h>

static bool option_is(const char *option)
{
	const char *options = getenv("KMA_OPTIONS");

	return options && strstr(options, option);
}

static void ask_nothing(void *argument)
{
	(void)argument;
	kma_alloc(0, (unsigned)KMA_ILLUMOS | (unsigned)KMA_SLEEP);
}

static void check_zero_size(void)
{
	uint64_t before = kma_root.zero_sized;
	void *p;

	if (option_is("zero_size=abort")) {
		EXPECT_REPORT(ask_nothing, NULL, "ZEROSIZE", NULL);
	} else if (option_is("zero_size=null_log")) {
		CHECK(!bsd_malloc(0, M_TEMP, M_WAITOK));
		CHECK(!kma_alloc(0,
				 (unsigned)KMA_NETBSD | (unsigned)KMA_SLEEP));
		CHECK(kma_root.zero_sized == before + 2);
	} else if (option_is("zero_size=min")) {
		p = kma_alloc(0, (unsigned)KMA_NETBSD | (unsigned)KMA_SLEEP);
		CHECK(p);
		kma_free(p, 0, KMA_NETBSD);
	}
}

static void free_nothing(void *argument)
{
	(void)argument;
	bsd_free(NULL, M_TEMP);
}

static void check_wired(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	unsigned long locked = 0;
	uintptr_t p = kma_map_alloc(kma_map_root(), 1 << 20, 0, KMA_MAP_WIRED);

	CHECK(p);
	fclose(status);
	status = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmLck: %lu kB", &locked) == 1)
			break;
	fclose(status);
	if (option_is("wired=require"))
		CHECK(locked >= 1024);
	else if (!option_is("wired=lock"))
		CHECK(locked == 0);
	kma_map_free(kma_map_root(), p, 1 << 20, KMA_MAP_WIRED);
	/* The pages went although they were locked: they are zeros again. */
	p = kma_map_alloc(kma_map_root(), 1 << 20, 0, KMA_MAP_WIRED);
	CHECK(*(volatile char *)p == 0);
	kma_map_free(kma_map_root(), p, 1 << 20, KMA_MAP_WIRED);
}

int main(void)
{
	check_zero_size();
	if (option_is("free_null=ignore"))
		free_nothing(NULL);
	else
		EXPECT_REPORT(free_nothing, NULL, "NULLFREE", NULL);
	check_wired();
	return 0;
}
