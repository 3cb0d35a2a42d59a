/* SPDX-License-Identifier: BSD-2-Clause */
/* Thread storage of a library that comes late: a block of its own, which the
 * thread's vector leads to (roots.c). */
void keep_in_thread_storage(void *p);

static __thread void *volatile kept[100];

void keep_in_thread_storage(void *p)
{
	kept[50] = p;
}
