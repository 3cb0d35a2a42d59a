/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hollow buffers: freed ones of tier audit that are larger than any class, of
 * which audit.c fills only the first KMA_FILL_MAX bytes. The whole pages behind
 * those go back to the system while the buffer waits in quarantine: a write
 * through a stale pointer brings one back, and what it wrote is not zero. The
 * part pages before and behind them are filled.
 */
#ifndef ALLOC_HOLLOW_H
#define ALLOC_HOLLOW_H

#include "alloc/cache.h"

struct kma_damage;

/* Make a buffer just freed and filled hollow, if it has whole pages to give. */
void kma_hollow_make(const struct kma_buffer *buffer);

/* Was a hollow buffer written to behind its fill? Takes no lock. */
bool kma_hollow_damaged(const struct kma_buffer *buffer,
			struct kma_damage *ret);

#endif
