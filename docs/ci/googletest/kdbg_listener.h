/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells kdbg which test runs, so that a leak is reported with the test that
 * made it. Copy it, and in main(), before RUN_ALL_TESTS():
 *
 *	KdbgListener::Install();
 *
 * Without kdbg it does nothing, and it needs no library.
 */
#ifndef KDBG_LISTENER_H
#define KDBG_LISTENER_H

#include <gtest/gtest.h>
#include <string>

/* libkma's: from now on, allocations belong to this name. */
extern "C" int kma_checkpoint(const char *name) __attribute__((weak));

class KdbgListener : public testing::EmptyTestEventListener {
public:
	static void Install()
	{
		if (kma_checkpoint)
			testing::UnitTest::GetInstance()->listeners().Append(
				new KdbgListener);
	}

private:
	void OnTestStart(const testing::TestInfo &test) override
	{
		std::string name = test.test_suite_name();

		kma_checkpoint((name + "." + test.name()).c_str());
	}

	void OnTestEnd(const testing::TestInfo &) override
	{
		kma_checkpoint("between tests");
	}
};

#endif
