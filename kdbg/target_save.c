/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target_save.h"

#include "kdbg/target_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct err *target_save_finish(struct dump_output *output, int status,
			       struct err *err)
{
	int closed = dump_output_close(output, err ? -ECANCELED : status);

	if (!err && closed < 0 && closed != -ECANCELED)
		err = err_new(ERR_IO, "%s: %s", output->path,
			      strerror(-closed));
	return err;
}

struct err *target_save_core(struct target *target, const char *path,
			     const volatile int *stop, struct core_written *ret)
{
	struct dump_output output;
	int status = dump_output_open(&output, path);

	if (status < 0)
		return err_new(ERR_IO, "%s: %s", path, strerror(-status));
	struct err *err = core_write(target, output.fd, stop, ret);
	return target_save_finish(&output, 0, err_wrap(err, "%s", path));
}

struct err *target_save_dump(struct target *target, const char *path,
			     enum dump_level level, bool symbols,
			     const struct dump_write_options *options,
			     const volatile int *stop)
{
	struct dump_writer_space *space =
		aligned_alloc(DUMP_PAGE_SIZE, sizeof(*space));
	struct target_source own;
	struct dump_source source;
	struct dump_output output;
	struct err *err = space ? target_source_init(&own, target, level,
						     symbols, &source)
				: err_new(ERR_NO_MEMORY, "the writer");

	if (err) {
		free(space);
		return err;
	}
	own.stop = stop;
	int status = dump_output_open(&output, path);
	if (status == 0)
		status = dump_write(space, output.fd, &source, options);
	if (output.fd >= 0 && stop && *stop)
		err = err_new(ERR_IO, "%s: interrupted", path);
	if (output.fd >= 0)
		err = target_save_finish(&output, status, err);
	else
		err = err_new(ERR_IO, "%s: %s", path, strerror(-status));
	target_source_deinit(&own);
	free(space);
	return err;
}
