/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel-style subsystem against kma/bsd_malloc.h in FreeBSD's form: a driver
 * of a network card. Its rings are contiguous memory, slots of them come from
 * an arena, packets are typed memory that the interrupt handler, here a
 * signal's, takes without waiting.
 *
 * Usage: net_driver [leak|overrun]. Without an argument all is given back.
 */
#define KMA_FREEBSD
#include <kma/bsd_malloc.h>

#include <signal.h>

enum { SLOTS = 64, PACKET_MAX = 1500, PACKETS = 5000 };

MALLOC_DECLARE(M_CARD);
MALLOC_DECLARE(M_PACKET);
MALLOC_DEFINE(M_CARD, "card", "a card's own");
MALLOC_DEFINE(M_PACKET, "packet", "packets on their way");

struct descriptor { /* as the card has it */
	uint64_t address;
	uint32_t length, flags;
};

struct packet {
	struct packet *next;
	size_t length;
	char data[];
};

struct card {
	struct descriptor *ring; /* SLOTS of them, page-aligned */
	struct packet **waiting; /* by slot */
	vmem_t *slots;
	struct packet *received, **last;
	unsigned dropped, handled;
};

static struct card *card;

/* --- the interrupt ---------------------------------------------------------
 */

static struct packet *packet_create(size_t length, int flags)
{
	struct packet *packet =
		malloc(sizeof(*packet) + length, M_PACKET, flags);

	if (!packet)
		return NULL;
	packet->next = NULL;
	packet->length = length;
	return packet;
}

/* One arrives: a new one takes its place on the ring. */
static void interrupt(int number)
{
	struct packet *fresh;
	unsigned slot = card->handled++ % SLOTS;

	(void)number;
	kma_intr_enter();
	fresh = packet_create(PACKET_MAX, M_NOWAIT);
	if (fresh && card->waiting[slot]) {
		struct packet *packet = card->waiting[slot];

		memset(packet->data, (int)slot, card->ring[slot].length);
		packet->length = card->ring[slot].length;
		*card->last = packet;
		card->last = &packet->next;
		card->waiting[slot] = fresh;
		card->ring[slot].address = (uintptr_t)fresh->data;
	} else {
		card->dropped++;
		free(fresh, M_PACKET);
	}
	kma_intr_exit();
}

/* --- the driver ------------------------------------------------------------
 */

static void attach(void)
{
	card = malloc(sizeof(*card), M_CARD, M_WAITOK | M_ZERO);
	card->last = &card->received;
	card->ring =
		contigmalloc(SLOTS * sizeof(card->ring[0]), M_DEVBUF,
			     M_WAITOK | M_ZERO, 0, ~(vm_paddr_t)0, 4096, 0);
	card->waiting = mallocarray(SLOTS, sizeof(card->waiting[0]), M_CARD,
				    M_WAITOK | M_ZERO);
	card->slots = vmem_create("slots", 0, SLOTS, 1, 0, M_WAITOK);
}

/* Slots are given to queues, a few each. */
static void fill(vmem_size_t count)
{
	vmem_addr_t first;

	if (vmem_alloc(card->slots, count, M_NOWAIT | M_BESTFIT, &first))
		return;
	for (vmem_addr_t slot = first; slot < first + count; slot++) {
		struct packet *packet = packet_create(PACKET_MAX, M_WAITOK);

		card->waiting[slot] = packet;
		card->ring[slot].address = (uintptr_t)packet->data;
		card->ring[slot].length = (uint32_t)(60 + slot);
	}
}

static size_t drain(void)
{
	size_t bytes = 0;

	while (card->received) {
		struct packet *packet = card->received;

		card->received = packet->next;
		bytes += packet->length;
		free(packet, M_PACKET);
	}
	card->last = &card->received;
	return bytes;
}

static void detach(void)
{
	drain();
	for (unsigned slot = 0; slot < SLOTS; slot++)
		free(card->waiting[slot], M_PACKET);
	for (vmem_addr_t slot = 0; slot < SLOTS; slot += 8)
		vmem_free(card->slots, slot, 8);
	vmem_destroy(card->slots);
	contigfree(card->ring, SLOTS * sizeof(card->ring[0]), M_DEVBUF);
	zfree(card->waiting, M_CARD);
	free(card, M_CARD);
	card = NULL;
}

/* --- what goes wrong with it -----------------------------------------------
 */

/* A packet with a bad checksum is dropped, and not freed. */
__attribute__((noinline)) static void plant_leak(void)
{
	struct packet *packet = packet_create(200, M_WAITOK);

	memset(packet->data, 0, 200);
}

/* A frame is padded to 60 bytes in room for 42. */
__attribute__((noinline)) static void plant_overrun(void)
{
	struct packet *packet = packet_create(42, M_WAITOK);
	volatile char *data = packet->data;

	for (int i = 0; i < 60; i++)
		data[i] = 0;
	free(packet, M_PACKET);
}

int main(int argc, char **argv)
{
	const char *fault = argc > 1 ? argv[1] : "";
	size_t bytes = 0;
	unsigned dropped;

	attach();
	for (int i = 0; i < SLOTS / 8; i++)
		fill(8);
	fill(1); /* there is none */
	signal(SIGUSR1, interrupt);
	for (int i = 0; i < PACKETS; i++) {
		raise(SIGUSR1);
		if (i % 100 == 99)
			bytes += drain();
	}
	dropped = card->dropped;
	if (strcmp(fault, "leak") == 0)
		plant_leak();
	if (strcmp(fault, "overrun") == 0)
		plant_overrun();
	detach();
	return bytes < (size_t)(PACKETS - dropped) * 60 || dropped > 0 ||
	       kma_type_stat(kma_bsd_type(M_PACKET), "inuse") !=
		       (strcmp(fault, "leak") == 0);
}
