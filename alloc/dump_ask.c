/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dump that another process asks for (dumpfmt/ask.h). What it says is checked
 * and nothing more is done for it than it could do by ptrace: it gets a copy of
 * this process's memory, in a file of its own.
 */
#include "alloc/dump_impl.h"

#include "alloc/sys.h"
#include "dumpfmt/line.h"
#include "dumpfmt/procfs.h"
#include "dumpfmt/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

enum { NAME_SIZE = 32 };

bool dump_ask_is(const siginfo_t *info)
{
	return info->si_code == SI_QUEUE &&
	       (uintptr_t)info->si_value.sival_ptr >> 32 == DUMP_ASK_WORD;
}

static int open_theirs(pid_t pid, int number, int flags)
{
	char name[NAME_SIZE];
	struct line line;

	if (number < 0)
		return -1;
	line_init(&line, name, sizeof(name));
	line_add(&line, "fd/");
	line_add_number(&line, (uint64_t)number, 10);
	return procfs_open(pid, name, flags | O_NONBLOCK | O_NOCTTY);
}

static bool is_sound(const struct dump_ask *ask)
{
	return ask->magic == DUMP_ASK_MAGIC &&
	       ask->version == DUMP_ASK_VERSION &&
	       ask->state == DUMP_ASK_WAITS && ask->level <= DUMP_META &&
	       (ask->codec == DUMP_CODEC_STORED ||
		ask->codec == DUMP_CODEC_ZLIB ||
		ask->codec == DUMP_CODEC_ZSTD) &&
	       ask->workers <= DUMP_WORKERS_MAX;
}

/* What is not built in is not refused. */
static enum dump_codec codec_of(const struct dump_ask *ask)
{
	return ask->codec == DUMP_CODEC_ZSTD ? dump_codec_default()
					     : (enum dump_codec)ask->codec;
}

bool dump_ask_open(const siginfo_t *info, struct dump_asked *ret)
{
	pid_t pid = info->si_pid;
	int number = (int)(uint32_t)(uintptr_t)info->si_value.sival_ptr;

	ret->file = open_theirs(pid, number, O_RDWR);
	ret->output = -1;
	if (ret->file >= 0 &&
	    pread(ret->file, &ret->ask, sizeof(ret->ask), 0) ==
		    sizeof(ret->ask) &&
	    is_sound(&ret->ask)) {
		ret->write.codec = codec_of(&ret->ask);
		ret->write.workers = ret->ask.workers;
		ret->output = open_theirs(pid, ret->ask.output, O_WRONLY);
	}
	if (ret->output >= 0)
		return true;
	dump_ask_close(ret);
	return false;
}

void dump_ask_close(struct dump_asked *asked)
{
	if (asked->file >= 0)
		close(asked->file);
	if (asked->output >= 0)
		close(asked->output);
}

static void answer(const struct dump_asked *asked, const void *member,
		   size_t size)
{
	size_t offset =
		(size_t)((const char *)member - (const char *)&asked->ask);

	(void)!pwrite(asked->file, member, size, (off_t)offset);
}

bool dump_ask_accept(struct dump_asked *asked)
{
	struct dump_ask *ask = &asked->ask;

	if (pread(asked->file, &ask->state, sizeof(ask->state),
		  offsetof(struct dump_ask, state)) != sizeof(ask->state) ||
	    ask->state != DUMP_ASK_WAITS)
		return false;
	ask->state = DUMP_ASK_ACCEPTED;
	answer(asked, &ask->state, sizeof(ask->state));
	return true;
}

void dump_ask_paused(struct dump_asked *asked, pid_t writer, uint64_t ns)
{
	struct dump_ask *ask = &asked->ask;

	ask->writer = (uint32_t)writer;
	ask->pause_ns = ns;
	answer(asked, &ask->writer, sizeof(ask->writer));
	answer(asked, &ask->pause_ns, sizeof(ask->pause_ns));
}

void dump_ask_written(struct dump_asked *asked, int status)
{
	struct dump_ask *ask = &asked->ask;

	ask->status = status;
	ask->state = DUMP_ASK_WRITTEN;
	answer(asked, &ask->status, sizeof(ask->status));
	answer(asked, &ask->state, sizeof(ask->state));
}
