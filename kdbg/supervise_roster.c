/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/supervise_roster.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	/* A quarter of a million records is 256 MiB of addresses in each
	 * process and nothing else; where addresses are rationed, less. */
	CAPACITY = 256 * 1024,
	CAPACITY_RATIONED = 8 * 1024,
	/* Storage ahead of the writers: what the busiest build makes between
	 * two calls of roster_file_grow(). */
	AHEAD = 2048,
	READ_AT_ONCE = 64,
};

static struct err *fill_skip_list(struct roster_header *header,
				  const char *const *skip, size_t count)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(skip[i]) + 1;
		if (size == 1 || size >= sizeof(header->skip) - used)
			return err_new(ERR_USAGE,
				       "--skip %s: patterns are empty or "
				       "together longer than %zu bytes",
				       skip[i], sizeof(header->skip) - 1);
		memcpy(header->skip + used, skip[i], size);
		used += size;
	}
	return NULL;
}

static uint64_t choose_capacity(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		return CAPACITY_RATIONED;
	return CAPACITY;
}

struct err *roster_file_reserve(const char *directory)
{
	struct err *err = NULL;
	char *path;

	if (asprintf(&path, "%s/roster", directory) < 0)
		return err_new(ERR_NO_MEMORY, "out of memory");
	/* What root starts may become another user, who knows the name. */
	mode_t mode = geteuid() == 0 ? 0666 : 0600;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int error = fd < 0 || fchmod(fd, mode)
			    ? errno
			    : posix_fallocate(fd, 0,
					      (off_t)roster_file_size(AHEAD));
	if (fd >= 0)
		close(fd);
	if (error) {
		err = err_new(ERR_IO, "%s: %s", path, strerror(error));
		unlink(path);
	}
	free(path);
	return err;
}

static struct err *write_file(struct roster_file *file,
			      const struct roster_header *header)
{
	file->fd = open(file->path, O_RDWR | O_CLOEXEC);
	if (file->fd < 0)
		return err_new(ERR_IO, "%s: %s", file->path, strerror(errno));
	if (ftruncate(file->fd, (off_t)roster_file_size(file->capacity)) == 0 &&
	    pwrite(file->fd, header, sizeof(*header), 0) ==
		    (ssize_t)sizeof(*header))
		return NULL;
	struct err *err =
		err_new(ERR_IO, "%s: %s", file->path, strerror(errno));
	close(file->fd);
	return err;
}

struct err *roster_file_create(const char *directory, const char *const *skip,
			       size_t skip_count, uint32_t flags,
			       struct roster_file *ret)
{
	struct roster_file file = { .fd = -1,
				    .capacity = choose_capacity(),
				    .limit = AHEAD };
	struct roster_header header = {
		.magic = ROSTER_MAGIC,
		.record_size = ROSTER_RECORD_SIZE,
		.flags = flags,
		.capacity = file.capacity,
		.limit = file.limit,
		.supervisor_pid = (uint32_t)getpid(),
	};
	struct err *err = fill_skip_list(&header, skip, skip_count);

	if (err)
		return err;
	if (asprintf(&file.path, "%s/roster", directory) < 0)
		return err_new(ERR_NO_MEMORY, "out of memory");
	err = write_file(&file, &header);
	if (err) {
		free(file.path);
		return err;
	}
	file.words = mmap(NULL, roster_file_size(file.capacity), PROT_READ,
			  MAP_SHARED | MAP_NORESERVE, file.fd, 0);
	if (file.words == MAP_FAILED) {
		err = err_new(ERR_IO, "%s: %s", file.path, strerror(errno));
		close(file.fd);
		free(file.path);
		return err;
	}
	*ret = file;
	return NULL;
}

void roster_file_close(struct roster_file *file)
{
	munmap((void *)(uintptr_t)file->words,
	       roster_file_size(file->capacity));
	close(file->fd);
	free(file->path);
}

void roster_file_set_command(const struct roster_file *file, uint32_t pid)
{
	/* A failure leaves 0, which no process takes for itself. */
	if (pwrite(file->fd, &pid, sizeof(pid),
		   offsetof(struct roster_header, command_pid)) < 0)
		return;
}

void roster_file_grow(struct roster_file *file)
{
	uint64_t limit = file->limit + AHEAD;

	if (roster_file_taken(file) + AHEAD / 2 < file->limit ||
	    limit > file->capacity)
		return;
	if (posix_fallocate(file->fd, (off_t)roster_file_size(file->limit),
			    (off_t)AHEAD * ROSTER_RECORD_SIZE) ||
	    pwrite(file->fd, &limit, sizeof(limit),
		   offsetof(struct roster_header, limit)) != sizeof(limit))
		return;
	file->limit = limit;
}

/* A failure shows itself: nobody hears of us. */
static void put_word(const struct roster_file *file, size_t offset,
		     uint32_t word)
{
	if (pwrite(file->fd, &word, sizeof(word), (off_t)offset) < 0)
		return;
}

static uint32_t get_word(const struct roster_file *file, size_t offset)
{
	uint32_t word = 0;

	if (pread(file->fd, &word, sizeof(word), (off_t)offset) < 0)
		return 0;
	return word;
}

static void wake(const struct roster_file *file, size_t offset)
{
	syscall(SYS_futex, file->words + offset, FUTEX_WAKE, INT_MAX, NULL,
		NULL, 0);
}

void roster_file_beat(struct roster_file *file)
{
	put_word(file, offsetof(struct roster_header, beat), ++file->beat);
}

void roster_file_close_shows(const struct roster_file *file)
{
	size_t offset = offsetof(struct roster_header, flags);

	put_word(file, offset, get_word(file, offset) | ROSTER_CLOSED);
}

uint64_t roster_file_taken(const struct roster_file *file)
{
	uint64_t taken = 0;

	if (pread(file->fd, &taken, sizeof(taken),
		  offsetof(struct roster_header, taken)) != sizeof(taken))
		return 0;
	return taken;
}

bool roster_file_record(const struct roster_file *file, uint64_t index,
			struct roster_record *ret)
{
	return pread(file->fd, ret, sizeof(*ret),
		     (off_t)roster_file_size(index)) == sizeof(*ret);
}

void roster_file_reply(const struct roster_file *file, uint64_t index,
		       enum roster_reply reply)
{
	size_t offset =
		roster_file_size(index) + offsetof(struct roster_record, reply);

	put_word(file, offset, reply);
	wake(file, offset);
}

uint32_t roster_file_bell(const struct roster_file *file)
{
	return get_word(file, offsetof(struct roster_header, bell));
}

void roster_file_wait(const struct roster_file *file, uint32_t bell)
{
	const struct timespec limit = { 0, ROSTER_BEAT_MS * 1000000L };

	syscall(SYS_futex, file->words + offsetof(struct roster_header, bell),
		FUTEX_WAIT, bell, &limit, NULL, 0);
}

void roster_file_ring(const struct roster_file *file)
{
	size_t offset = offsetof(struct roster_header, bell);

	put_word(file, offset, get_word(file, offset) + 1);
	wake(file, offset);
}

static struct err *read_records(const struct roster_file *file, uint64_t count,
				struct accounts *accounts,
				struct roster_record *buffer)
{
	struct err *err = NULL;

	for (uint64_t i = 0; i < count && !err; i += READ_AT_ONCE) {
		uint64_t n =
			count - i < READ_AT_ONCE ? count - i : READ_AT_ONCE;
		size_t size = (size_t)n * sizeof(*buffer);
		if (pread(file->fd, buffer, size, (off_t)roster_file_size(i)) !=
		    (ssize_t)size)
			return err_new(ERR_CORRUPT,
				       "%s: cut short by a checked program",
				       file->path);
		for (uint64_t j = 0; j < n && !err; j++)
			err = accounts_add(accounts, &buffer[j]);
	}
	return err;
}

struct err *roster_file_read(const struct roster_file *file,
			     struct accounts *accounts)
{
	struct roster_header header;

	if (pread(file->fd, &header, sizeof(header), 0) !=
	    (ssize_t)sizeof(header))
		return err_new(ERR_CORRUPT,
			       "%s: cut short by a checked program",
			       file->path);
	accounts_lose(accounts, header.lost);
	struct roster_record *buffer = calloc(READ_AT_ONCE, sizeof(*buffer));
	if (!buffer)
		return err_new(ERR_NO_MEMORY, "out of memory");
	uint64_t count =
		header.taken < file->limit ? header.taken : file->limit;
	struct err *err = read_records(file, count, accounts, buffer);
	free(buffer);
	return err;
}
