/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of target is a file? Its first bytes tell, never its name. */
#include "kdbg/target_core.h"
#include "kdbg/target_dump.h"
#include "kdbg/unpack.h"

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

/* What people take for a core, by name. */
static const char *foreign_kind(const unsigned char *head)
{
	static const struct {
		const char *magic, *kind;
	} kinds[] = {
		{ "MDMP", "a minidump: breakpad's minidump-2-core makes a core "
			  "of it" },
		{ "PAGEDUMP", "a dump of Windows" },
		{ "PAGEDU64", "a dump of Windows" },
		{ "KDUMP   ", "a dump of a kernel: see crash(8)" },
		{ "\xfe\xed\xfa\xcf", "a core of macOS" },
		{ "\xcf\xfa\xed\xfe", "a core of macOS" },
		{ "PK\x03\x04", "a zip archive: unpack it first" },
		{ "BZh", "packed by bzip2: unpack it first" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (memcmp(head, kinds[i].magic, strlen(kinds[i].magic)) == 0)
			return kinds[i].kind;
	return NULL;
}

static struct err *refuse(const char *path, const unsigned char *head)
{
	const char *kind = foreign_kind(head);

	if (kind)
		return err_new(ERR_UNSUPPORTED, "%s: is %s", path, kind);
	return err_new(ERR_UNSUPPORTED,
		       "%s: not a dump or core: first bytes are %02x %02x %02x "
		       "%02x %02x %02x %02x %02x",
		       path, head[0], head[1], head[2], head[3], head[4],
		       head[5], head[6], head[7]);
}

static struct err *open_plain(const char *path,
			      const struct target_options *options,
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

/* The content is opened in its place, and called by the file's name. */
static struct err *open_packed(const char *path, const char *kind,
			       const struct target_options *options,
			       struct target **ret)
{
	struct unpacked unpacked;
	char content[64];
	struct err *err =
		unpack(path, kind, options ? options->max_size : 0, &unpacked);

	if (err)
		return err;
	snprintf(content, sizeof(content), "/proc/self/fd/%d", unpacked.fd);
	err = err_wrap(open_plain(content, options, ret), "%s, unpacked", path);
	close(unpacked.fd);
	if (err)
		return err;
	target_rename(*ret, path);
	if (unpacked.cut)
		target_warn(*ret,
			    "its %s data is cut or damaged: what comes "
			    "after is missing",
			    kind);
	return NULL;
}

struct err *target_open(const char *path, const struct target_options *options,
			struct target **ret)
{
	unsigned char head[sizeof(Elf64_Ehdr)] = { 0 };
	struct err *err = read_head(path, head, sizeof(head));
	const char *packed = err ? NULL : unpack_kind(head);

	if (err)
		return err;
	if (packed)
		return open_packed(path, packed, options, ret);
	return open_plain(path, options, ret);
}
