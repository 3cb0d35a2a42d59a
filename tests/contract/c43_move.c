/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects are moved out of slabs that are little used, which then go. */
#include "tests/contract/kernel.h"

#include <kma/illumos.h>

enum { SIZE = 1000, OBJECTS = 14000, SLABS = 200, KEEP_EACH = 10 };

struct object {
	uint32_t number; /* its place in objects[] */
	unsigned char bytes[SIZE - sizeof(uint32_t)];
};

static struct object *objects[OBJECTS];
static kmem_cache_t *cache;
static kmem_cbrc_t answer;
static unsigned asked;

static kmem_cbrc_t move(void *from, void *to, size_t size, void *private_data)
{
	struct object *object = from, *target = to;

	CHECK(size == SIZE && private_data == &cache);
	asked++;
	if (answer != KMEM_CBRC_YES)
		return answer;
	CHECK(objects[object->number] == object);
	memcpy(target, object, size);
	objects[object->number] = target;
	return KMEM_CBRC_YES;
}

static kmem_cbrc_t free_it(void *from, void *to, size_t size,
			   void *private_data)
{
	(void)to, (void)size, (void)private_data;
	kmem_cache_free(cache, from);
	return KMEM_CBRC_DONT_KNOW;
}

static kmem_cbrc_t free_target(void *from, void *to, size_t size,
			       void *private_data)
{
	(void)from, (void)size, (void)private_data;
	kmem_cache_free(cache, to);
	return KMEM_CBRC_DONT_KNOW;
}

static void reap_with_free(void *argument)
{
	kmem_cache_set_move(cache, argument ? free_target : free_it);
	kmem_cache_reap_now(cache);
}

static void fill(void)
{
	for (uint32_t i = 0; i < OBJECTS; i++) {
		objects[i] = kmem_cache_alloc(cache, KM_SLEEP);
		objects[i]->number = i;
		memset(objects[i]->bytes, (int)(i % 251), SIZE - 4);
	}
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (i % KEEP_EACH) {
			kmem_cache_free(cache, objects[i]);
			objects[i] = NULL;
		}
}

static void check_contents(void)
{
	for (uint32_t i = 0; i < OBJECTS; i++) {
		if (!objects[i])
			continue;
		CHECK(objects[i]->number == i);
		for (int at = 0; at < SIZE - 4; at++)
			CHECK(objects[i]->bytes[at] == i % 251);
	}
}

static void empty(void)
{
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (objects[i])
			kmem_cache_free(cache, objects[i]);
	kmem_cache_destroy(cache);
}

static void create(const char *name)
{
	cache = kmem_cache_create(name, SIZE, 0, NULL, NULL, NULL, &cache, NULL,
				  0);
	CHECK(cache);
	kmem_cache_set_move(cache, move);
	fill();
}

static void check_yes(void)
{
	uint64_t before, after;

	answer = KMEM_CBRC_YES;
	create("c43yes");
	before = kmem_cache_stat(cache, "slab_count");
	CHECK(before >= SLABS);
	uint64_t total = kmem_cache_stat(cache, "buf_total");
	uint64_t destroyed = kmem_cache_stat(cache, "slab_destroy");
	size_t heap = kma_heap_used();

	kmem_cache_reap_now(cache);
	after = kmem_cache_stat(cache, "slab_count");
	CHECK(after < before / 4);
	/* What the numbers say of it agrees, and the heap has the pages. */
	CHECK(kmem_cache_stat(cache, "slab_destroy") - destroyed ==
	      before - after);
	CHECK(kmem_cache_stat(cache, "buf_total") * before == total * after);
	CHECK(kmem_cache_stat(cache, "buf_inuse") +
		      kmem_cache_stat(cache, "buf_avail") ==
	      kmem_cache_stat(cache, "buf_total"));
	/* An audited object waits before its slab has it back. */
	CHECK(tier_is("audit") ||
	      kmem_cache_stat(cache, "move_slabs_freed") == before - after);
	CHECK(heap - kma_heap_used() >= (before - after) * SIZE);
	CHECK(kmem_cache_stat(cache, "move_yes") == asked);
	CHECK(kmem_cache_stat(cache, "move_callbacks") == asked);
	CHECK(kmem_cache_stat(cache, "buf_inuse") == OBJECTS / KEEP_EACH);
	check_contents();
	empty();
}

/* Each slab is asked about so often, and then no more. */
static void check_refusal(kmem_cbrc_t refusal, unsigned times)
{
	enum { REAPS = 30 };
	unsigned slabs;

	answer = refusal;
	create("c43no");
	slabs = (unsigned)kmem_cache_stat(cache, "slab_count");
	asked = 0;
	for (unsigned i = 0; i < REAPS; i++)
		kmem_cache_reap_now(cache);
	CHECK(asked > 0 && asked <= slabs * times);
	asked = 0;
	kmem_cache_reap_now(cache);
	CHECK(asked == 0);
	check_contents();
	empty();
}

int main(void)
{
	check_yes();
	check_refusal(KMEM_CBRC_NO, 1);
	check_refusal(KMEM_CBRC_LATER, 3);
	create("c43free");
	EXPECT_REPORT(reap_with_free, NULL, "BUSY", "move callback");
	EXPECT_REPORT(reap_with_free, &cache, "BUSY", "move callback");
	empty();
	return 0;
}
