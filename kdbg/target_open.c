/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of target is a file? Its first bytes tell, never its name. */
#include "kdbg/target_core.h"
#include "kdbg/target_dump.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err *check_stat(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_new(ERR_IO, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_new(ERR_UNSUPPORTED, "%s: is a directory", path);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_UNSUPPORTED, "%s: not a regular file", path);
	if (st.st_size == 0)
		return err_new(ERR_UNSUPPORTED, "%s: empty file", path);
	return NULL;
}

/* The first bytes of a regular file; what head has beyond its end stays. */
static struct err *read_head(const char *path, unsigned char *head, size_t size)
{
	/* A FIFO must not block, a terminal not become ours. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_new(ERR_IO, "%s: %s", path, strerror(errno));
	struct err *err = check_stat(path, fd);
	if (!err && pread(fd, head, size, 0) < 0)
		err = err_new(ERR_IO, "%s: %s", path, strerror(errno));
	close(fd);
	return err;
}

static struct err *open_elf(const char *path, const Elf64_Ehdr *header,
			    const struct target_options *options,
			    struct target **ret)
{
	if (header->e_type == ET_CORE)
		return target_core_open(path, options, ret);
	return err_new(ERR_UNSUPPORTED,
		       "%s: an ELF file, but not a core: give the program by "
		       "-x and a dump as the target",
		       path);
}

static struct err *refuse(const char *path, const unsigned char *head)
{
	return err_new(ERR_UNSUPPORTED,
		       "%s: not a dump or core: first bytes are %02x %02x %02x "
		       "%02x %02x %02x %02x %02x",
		       path, head[0], head[1], head[2], head[3], head[4],
		       head[5], head[6], head[7]);
}

struct err *target_open(const char *path, const struct target_options *options,
			struct target **ret)
{
	union {
		unsigned char bytes[sizeof(Elf64_Ehdr)];
		Elf64_Ehdr elf;
	} head = { { 0 } };
	struct err *err = read_head(path, head.bytes, sizeof(head));

	if (err)
		return err;
	if (memcmp(head.bytes, DUMP_MAGIC, DUMP_MAGIC_SIZE) == 0)
		return target_dump_open(path, options, ret);
	if (memcmp(head.bytes, ELFMAG, SELFMAG) == 0)
		return open_elf(path, &head.elf, options, ret);
	return refuse(path, head.bytes);
}
