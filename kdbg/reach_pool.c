/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work that one marker has to spare and another waits for. A marker that has
 * nothing left waits; one that has enough sees that somebody does, and puts a
 * part of its stack in the pool. When all wait and the pool is empty, all is
 * done.
 */
#include "kdbg/reach_marker.h"
#include "kdbg/vector.h"

#include <stdlib.h>

bool work_list_grow(struct work_list *list)
{
	size_t capacity = list->capacity ? 2 * list->capacity : 4096;
	struct work *grown = reallocarray(list->list, capacity, sizeof(*grown));

	if (!grown)
		return false;
	list->list = grown;
	list->capacity = capacity;
	return true;
}

void marker_leave(struct marker *m, struct scan_buffer buffer)
{
	struct pool *pool = m->pool;
	struct scan_buffer *grown;

	pthread_mutex_lock(&pool->lock);
	grown = vector_grow(pool->unviewed, pool->unviewed_count,
			    sizeof(*grown));
	if (grown) {
		pool->unviewed = grown;
		grown[pool->unviewed_count++] = buffer;
	}
	pthread_mutex_unlock(&pool->lock);
	m->no_memory |= !grown;
}

void marker_push_parts(struct marker *m, struct work work, size_t count)
{
	for (size_t part; count; count -= part) {
		part = count < WORK_WORDS ? count : WORK_WORDS;
		work = work_make(work.words, (uint32_t)part, work_slab(work));
		if (!work_list_add(&m->stack, work))
			m->no_memory = true;
		work.words += part * sizeof(uint64_t);
	}
}

void marker_share(struct marker *m)
{
	struct pool *pool = m->pool;
	struct work_list *stack = &m->stack;
	size_t part = stack->count / 2;

	if (part > SHARE_MAX)
		part = SHARE_MAX;
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < part; i++) {
		if (!work_list_add(&pool->work, stack->list[i]))
			m->no_memory = true;
		stack->list[i] = stack->list[--stack->count];
	}
	__atomic_store_n(&pool->hungry, 0, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void pool_stop(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

/* With the lock: a fair part of the pool to the stack. */
static void take_work(struct marker *m, struct pool *pool)
{
	size_t part = pool->work.count / pool->markers + 1;

	while (part-- && pool->work.count)
		if (!work_list_add(&m->stack,
				   pool->work.list[--pool->work.count]))
			m->no_memory = true;
}

bool marker_wait(struct marker *m)
{
	struct pool *pool = m->pool;
	bool more;

	pthread_mutex_lock(&pool->lock);
	pool->waiting++;
	if (pool->waiting == pool->markers)
		pthread_cond_broadcast(&pool->changed);
	while (!pool->stop && !pool->work.count &&
	       pool->waiting < pool->markers) {
		__atomic_store_n(&pool->hungry, 1, __ATOMIC_RELAXED);
		pthread_cond_wait(&pool->changed, &pool->lock);
	}
	more = !pool->stop && pool->work.count;
	if (more) {
		pool->waiting--;
		take_work(m, pool);
	}
	pthread_mutex_unlock(&pool->lock);
	return more;
}
