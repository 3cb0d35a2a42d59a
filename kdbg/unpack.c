/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One loop, and for each library one step: take input, give output, say
 * whether a stream has ended. Streams may follow each other, as in what gzip
 * and zstd write in parallel.
 */
#include "kdbg/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
	INPUT_SIZE = 128 << 10,
	OUTPUT_SIZE = 1 << 20,
	PAGE_SIZE = 4096,
	XZ_MEMORY = 256 << 20, /* xz -9 needs 65 MiB to unpack */
	GZIP_WINDOW = 15 + 32, /* the largest; the header tells the form */
};

struct io {
	const unsigned char *in;
	size_t in_left;
	unsigned char *out;
	size_t out_left;
};

enum step { STEP_MORE, STEP_END, STEP_BAD };

struct unpacker {
	const char *kind;
	unsigned char magic[6];
	size_t magic_size;
	void *(*create)(void);
	enum step (*step)(void *state, struct io *io);
	void (*destroy)(void *state);
};

/* --- gzip --------------------------------------------------------------- */

static void *gzip_create(void)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (stream && inflateInit2(stream, GZIP_WINDOW) != Z_OK) {
		free(stream);
		return NULL;
	}
	return stream;
}

static enum step gzip_step(void *state, struct io *io)
{
	z_stream *stream = state;

	stream->next_in = (unsigned char *)(uintptr_t)io->in;
	stream->avail_in = (unsigned)io->in_left;
	stream->next_out = io->out;
	stream->avail_out = (unsigned)io->out_left;
	int status = inflate(stream, Z_NO_FLUSH);
	io->in = stream->next_in;
	io->in_left = stream->avail_in;
	io->out = stream->next_out;
	io->out_left = stream->avail_out;
	if (status == Z_STREAM_END)
		return inflateReset(stream) == Z_OK ? STEP_END : STEP_BAD;
	return status == Z_OK || status == Z_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

static void gzip_destroy(void *state)
{
	inflateEnd(state);
	free(state);
}

/* --- xz ----------------------------------------------------------------- */

static void *xz_create(void)
{
	lzma_stream *stream = calloc(1, sizeof(*stream));

	if (stream && lzma_stream_decoder(stream, XZ_MEMORY, 0) != LZMA_OK) {
		free(stream);
		return NULL;
	}
	return stream;
}

static enum step xz_step(void *state, struct io *io)
{
	lzma_stream *stream = state;

	stream->next_in = io->in;
	stream->avail_in = io->in_left;
	stream->next_out = io->out;
	stream->avail_out = io->out_left;
	lzma_ret status = lzma_code(stream, LZMA_RUN);
	io->in = stream->next_in;
	io->in_left = stream->avail_in;
	io->out = stream->next_out;
	io->out_left = stream->avail_out;
	if (status == LZMA_STREAM_END)
		return lzma_stream_decoder(stream, XZ_MEMORY, 0) == LZMA_OK
			       ? STEP_END
			       : STEP_BAD;
	return status == LZMA_OK || status == LZMA_BUF_ERROR ? STEP_MORE
							     : STEP_BAD;
}

static void xz_destroy(void *state)
{
	lzma_end(state);
	free(state);
}

/* --- zstd --------------------------------------------------------------- */

static void *zstd_create(void)
{
	return ZSTD_createDStream();
}

static enum step zstd_step(void *state, struct io *io)
{
	ZSTD_inBuffer in = { io->in, io->in_left, 0 };
	ZSTD_outBuffer out = { io->out, io->out_left, 0 };
	size_t left = ZSTD_decompressStream(state, &out, &in);

	io->in += in.pos;
	io->in_left -= in.pos;
	io->out += out.pos;
	io->out_left -= out.pos;
	if (ZSTD_isError(left))
		return STEP_BAD;
	return left == 0 ? STEP_END : STEP_MORE;
}

static void zstd_destroy(void *state)
{
	ZSTD_freeDStream(state);
}

/* --- lz4 ---------------------------------------------------------------- */

static void *lz4_create(void)
{
	LZ4F_dctx *context;

	return LZ4F_isError(
		       LZ4F_createDecompressionContext(&context, LZ4F_VERSION))
		       ? NULL
		       : context;
}

static enum step lz4_step(void *state, struct io *io)
{
	size_t in = io->in_left, out = io->out_left;
	size_t left = LZ4F_decompress(state, io->out, &out, io->in, &in, NULL);

	io->in += in;
	io->in_left -= in;
	io->out += out;
	io->out_left -= out;
	if (LZ4F_isError(left))
		return STEP_BAD;
	return left == 0 ? STEP_END : STEP_MORE;
}

static void lz4_destroy(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

/* --- the loop ----------------------------------------------------------- */

static const struct unpacker unpackers[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, gzip_create, gzip_step, gzip_destroy },
	{ "xz",
	  { 0xfd, '7', 'z', 'X', 'Z', 0 },
	  6,
	  xz_create,
	  xz_step,
	  xz_destroy },
	{ "zstd",
	  { 0x28, 0xb5, 0x2f, 0xfd },
	  4,
	  zstd_create,
	  zstd_step,
	  zstd_destroy },
	{ "lz4",
	  { 0x04, 0x22, 0x4d, 0x18 },
	  4,
	  lz4_create,
	  lz4_step,
	  lz4_destroy },
};

const char *unpack_kind(const unsigned char *head)
{
	for (size_t i = 0; i < sizeof(unpackers) / sizeof(unpackers[0]); i++)
		if (memcmp(head, unpackers[i].magic, unpackers[i].magic_size) ==
		    0)
			return unpackers[i].kind;
	return NULL;
}

static const struct unpacker *unpacker_of(const char *kind)
{
	const struct unpacker *unpacker = unpackers;

	while (strcmp(unpacker->kind, kind) != 0)
		unpacker++;
	return unpacker;
}

struct unpacking {
	const char *path;
	int in, out;
	uint64_t size, max_size;
	unsigned char *input, *output;
	struct io io;
	bool ended; /* of the input file */
	bool open;  /* in the middle of a stream */
};

static struct err *put_page(const struct unpacking *u,
			    const unsigned char *page, size_t size,
			    uint64_t offset)
{
	if (page[0] == 0 && memcmp(page, page + 1, size - 1) == 0)
		return NULL;
	while (size) {
		ssize_t n = pwrite(u->out, page, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_new(ERR_IO,
				       "unpacking %s into TMPDIR or /var/tmp: "
				       "%s",
				       u->path,
				       n < 0 ? strerror(errno) : "no progress");
		page += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return NULL;
}

/* All output so far; whole buffers but for the last, so pages stay aligned. */
static struct err *flush(struct unpacking *u)
{
	size_t size = OUTPUT_SIZE - u->io.out_left;
	struct err *err = NULL;

	if (size > u->max_size - u->size)
		return err_new(ERR_UNSUPPORTED,
			       "%s unpacks to more than %" PRIu64
			       " bytes: allow more by --max-size",
			       u->path, u->max_size);
	for (size_t at = 0; !err && at < size; at += PAGE_SIZE)
		err = put_page(u, u->output + at,
			       size - at < PAGE_SIZE ? size - at : PAGE_SIZE,
			       u->size + at);
	u->size += size;
	u->io.out = u->output;
	u->io.out_left = OUTPUT_SIZE;
	return err;
}

static struct err *fill(struct unpacking *u)
{
	ssize_t n;

	do
		n = read(u->in, u->input, INPUT_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_new(ERR_IO, "%s: %s", u->path, strerror(errno));
	u->io.in = u->input;
	u->io.in_left = (size_t)n;
	u->ended = n == 0;
	return NULL;
}

/* One step. False: there is no more, or what there is cannot be unpacked. */
static bool advance(struct unpacking *u, const struct unpacker *unpacker,
		    void *state)
{
	size_t in = u->io.in_left, out = u->io.out_left;

	if (u->ended && !u->open)
		return false;
	enum step step = unpacker->step(state, &u->io);
	if (step == STEP_BAD) /* after a stream: padding, or who knows what */
		return false;
	u->open = step == STEP_MORE;
	return in != u->io.in_left || out != u->io.out_left;
}

/* Damage ends it, as a cut does: what was unpacked before is good. */
static struct err *run(struct unpacking *u, const struct unpacker *unpacker,
		       void *state)
{
	struct err *err = NULL;
	bool more = true;

	u->open = true;
	while (!err && more) {
		if (!u->io.in_left && !u->ended)
			err = fill(u);
		if (!err)
			more = advance(u, unpacker, state);
		if (!err && u->io.out_left == 0)
			err = flush(u);
	}
	if (!err)
		err = flush(u);
	if (!err && ftruncate(u->out, (off_t)u->size) != 0)
		err = err_new(ERR_IO, "unpacking %s: %s", u->path,
			      strerror(errno));
	return err;
}

static int open_nameless(void)
{
	const char *folder = getenv("TMPDIR");
	char name[4096];
	int fd;

	if (!folder || !*folder)
		folder = "/var/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd >= 0)
		return fd;
	snprintf(name, sizeof(name), "%s/kdbg-XXXXXX", folder);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

static struct err *unpack_into(struct unpacking *u,
			       const struct unpacker *unpacker)
{
	void *state = unpacker->create();

	u->input = malloc(INPUT_SIZE);
	u->output = malloc(OUTPUT_SIZE);
	u->io = (struct io){ .out = u->output, .out_left = OUTPUT_SIZE };
	struct err *err = state && u->input && u->output
				  ? run(u, unpacker, state)
				  : err_new(ERR_NO_MEMORY, "unpacking");
	if (state)
		unpacker->destroy(state);
	free(u->input);
	free(u->output);
	return err;
}

struct err *unpack(const char *path, const char *kind, uint64_t max_size,
		   struct unpacked *ret)
{
	struct unpacking u = {
		.path = path,
		.max_size = max_size ? max_size : UNPACK_SIZE_DEFAULT,
		.in = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
	};
	struct err *err = NULL;

	if (u.in < 0)
		return err_new(ERR_IO, "%s: %s", path, strerror(errno));
	u.out = open_nameless();
	if (u.out < 0)
		err = err_new(ERR_IO, "unpacking %s: TMPDIR or /var/tmp: %s",
			      path, strerror(errno));
	else
		err = unpack_into(&u, unpacker_of(kind));
	close(u.in);
	if (err && u.out >= 0)
		close(u.out);
	if (!err)
		*ret = (struct unpacked){ .fd = u.out, .cut = u.open };
	return err;
}
