/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compression, in memory that the writer has: zlib by its allocation functions,
 * zstd in a workspace of its own kind. Both at a fast level: a process stands
 * still, or an upload waits.
 */
#include "dumpfmt/writer_impl.h"

#include <errno.h>
#include <string.h>

#ifdef DUMP_HAVE_ZSTD
#define ZSTD_STATIC_LINKING_ONLY /* contexts in memory that is there */
#include <zstd.h>
#endif

static const char *const names[DUMP_CODEC_COUNT] = {
	[DUMP_CODEC_STORED] = "none",
	[DUMP_CODEC_ZLIB] = "zlib",
#ifdef DUMP_HAVE_ZSTD
	[DUMP_CODEC_ZSTD] = "zstd",
#endif
};

bool dump_codec_named(const char *name, size_t size, enum dump_codec *ret)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && strlen(names[i]) == size &&
		    memcmp(names[i], name, size) == 0) {
			*ret = (enum dump_codec)i;
			return true;
		}
	return false;
}

enum dump_codec dump_codec_default(void)
{
#ifdef DUMP_HAVE_ZSTD
	return DUMP_CODEC_ZSTD;
#else
	return DUMP_CODEC_ZLIB;
#endif
}

/* --- zlib ------------------------------------------------------------------
 */

static void *arena_alloc(void *opaque, unsigned items, unsigned size)
{
	struct writer *w = opaque;
	size_t bytes = ((size_t)items * size + 15) & ~(size_t)15;

	if (bytes > sizeof(w->arena) - w->arena_used)
		return Z_NULL;
	w->arena_used += bytes;
	return w->arena + w->arena_used - bytes;
}

static void arena_free(void *opaque, void *address)
{
	(void)opaque; /* the arena goes with the writer */
	(void)address;
}

static int init_zlib(struct writer *w)
{
	w->arena_used = 0;
	w->stream = (z_stream){
		.zalloc = arena_alloc,
		.zfree = arena_free,
		.opaque = w,
	};
	return deflateInit(&w->stream, Z_BEST_SPEED) == Z_OK ? 0 : -ENOMEM;
}

static size_t compress_zlib(struct writer *w, const void *data, size_t size,
			    size_t room)
{
	z_stream *stream = &w->stream;

	if (deflateReset(stream) != Z_OK)
		return 0;
	stream->next_in = (unsigned char *)(uintptr_t)data;
	stream->avail_in = (unsigned)size;
	stream->next_out = w->output;
	stream->avail_out = (unsigned)room;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return 0;
	return (size_t)(stream->next_out - w->output);
}

/* --- zstd ------------------------------------------------------------------
 */

#ifdef DUMP_HAVE_ZSTD

/* Of a heap of texts and tables 11 to 1; level 1 makes it 13, in a third more
 * time. */
enum { LEVEL = -1 };

static int init_zstd(struct writer *w)
{
	w->zstd = ZSTD_initStaticCCtx(w->arena, sizeof(w->arena));
	return w->zstd ? 0 : -ENOMEM;
}

static size_t compress_zstd(struct writer *w, const void *data, size_t size,
			    size_t room)
{
	size_t stored =
		ZSTD_compressCCtx(w->zstd, w->output, room, data, size, LEVEL);

	return ZSTD_isError(stored) ? 0 : stored;
}

#else

static int init_zstd(struct writer *w)
{
	(void)w;
	return -ENOTSUP;
}

static size_t compress_zstd(struct writer *w, const void *data, size_t size,
			    size_t room)
{
	(void)w;
	(void)data;
	(void)size;
	(void)room;
	return 0;
}

#endif

/* --- either ----------------------------------------------------------------
 */

void writer_codec_init(struct writer *w, enum dump_codec codec)
{
	int status = 0;

	w->codec = codec;
	if (codec == DUMP_CODEC_ZLIB)
		status = init_zlib(w);
	else if (codec == DUMP_CODEC_ZSTD)
		status = init_zstd(w);
	if (status < 0 && !w->error)
		w->error = status;
}

size_t writer_compress(struct writer *w, const void *data, size_t size)
{
	size_t room = size - size / 8;

	if (w->codec == DUMP_CODEC_ZSTD)
		return compress_zstd(w, data, size, room);
	if (w->codec == DUMP_CODEC_ZLIB)
		return compress_zlib(w, data, size, room);
	return 0;
}
