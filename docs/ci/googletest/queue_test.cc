// SPDX-License-Identifier: GPL-3.0-or-later
#include "kdbg_listener.h"

#include <memory>

struct Item {
	int value = 0;
	Item *next = nullptr;
};

static Item *volatile head;

static void push(int value)
{
	auto item = std::make_unique<Item>();

	item->value = value;
	item->next = head;
	head = item.release();
}

static int pop()
{
	std::unique_ptr<Item> item(head);

	head = item->next;
	return item->value;
}

TEST(Queue, Sound)
{
	push(1);
	push(2);
	EXPECT_EQ(pop(), 2);
	EXPECT_EQ(pop(), 1);
}

TEST(Queue, Leaky)
{
	push(1);
	push(2);
	EXPECT_EQ(pop(), 2);
	head = nullptr;
}

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	KdbgListener::Install();
	return RUN_ALL_TESTS();
}
