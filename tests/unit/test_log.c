/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose the chunks of the transaction log are. */
#include "alloc/log.h"

#include "alloc/thread.h"
#include "tests/test_util.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNKS = 8 };

static pthread_barrier_t all_have_one, all_may_end;

static void add_record(void)
{
	kma_log_transaction(KMA_OP_ALLOC, 1, 16, 16, 0, 0);
}

static struct kma_log_chunk *own_chunk(void)
{
	return kma_self->log_chunks[0];
}

static void *take_chunk(void *argument)
{
	(void)argument;
	if (kma_thread_self())
		add_record();
	pthread_barrier_wait(&all_have_one);
	pthread_barrier_wait(&all_may_end);
	return NULL;
}

static void *has_chunk(void *argument)
{
	(void)argument;
	if (!kma_thread_self())
		return NULL;
	add_record();
	return own_chunk();
}

/* In the child: is there a chunk for a thread that begins here? */
static int begin_thread(void)
{
	pthread_t thread;
	void *chunk = NULL;

	if (pthread_create(&thread, NULL, has_chunk, NULL) != 0)
		return 2;
	pthread_join(thread, &chunk);
	return chunk ? 0 : 1;
}

/* All but the shared one are taken; none of their owners lives in the child. */
static void a_child_has_the_chunks_of_threads_that_it_does_not(void **state)
{
	pthread_t thread[CHUNKS];
	int status;

	(void)state;
	pthread_barrier_init(&all_have_one, NULL, CHUNKS + 1);
	pthread_barrier_init(&all_may_end, NULL, CHUNKS + 1);
	for (int i = 0; i < CHUNKS; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, take_chunk, NULL), 0);
	pthread_barrier_wait(&all_have_one);
	add_record();
	assert_null(own_chunk());
	pid_t child = fork();
	if (child == 0) {
		kma_thread_forked();
		_exit(begin_thread());
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	pthread_barrier_wait(&all_may_end);
	for (int i = 0; i < CHUNKS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_child_has_the_chunks_of_threads_that_it_does_not),
	};

	/* The log is what meson.build's KMA_LOGGING asks for. */
	if (!kma_thread_self() || !kma_log_any)
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
