/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/session_fixture.h"

#include "tests/test_util.h"
#include "tests/unit/fake_target.h"

#include <stdlib.h>
#include <string.h>

static struct target *make_target(void)
{
	static const struct dump_registers registers = {
		.rax = 0xa, .rip = 0x401000, .rsp = MEMORY_BASE + 0x10
	};
	unsigned char memory[MEMORY_SIZE] = { 0 };
	struct fake_target *fake = fake_target_create();

	for (uint64_t i = 0; i < 8; i++)
		memcpy(memory + i * 8, &(uint64_t){ 0x11111111 * (i + 1) }, 8);
	strcpy((char *)memory + 0x40, "hello\n\x1b!");
	for (unsigned i = 0; i < 256; i++)
		memory[0x100 + i] = (unsigned char)i;
	fake_target_memory(fake, MEMORY_BASE, memory, sizeof(memory));
	fake_target_thread(fake, 7, "main", &registers);
	return fake_target_finish(fake);
}

void fixture_init_on(struct fixture *fixture, struct target *target,
		     const struct dcmd *const *dcmds,
		     const struct walker *const *walkers)
{
	*fixture = (struct fixture){ 0 };
	assert_ok(session_init(&fixture->session, target, dcmds, walkers));
}

void fixture_init(struct fixture *fixture, const struct dcmd *const *dcmds,
		  const struct walker *const *walkers)
{
	fixture_init_on(fixture, make_target(), dcmds, walkers);
}

void fixture_deinit(struct fixture *fixture)
{
	session_deinit(&fixture->session);
	free(fixture->text);
	free(fixture->errors);
}

static const char *run(struct fixture *fixture, const char *text,
		       const struct sink_ops *ops)
{
	struct session *session = &fixture->session;

	free(fixture->text);
	free(fixture->errors);
	fixture->out = (struct sink){
		.ops = ops,
		.stream = open_memstream(&fixture->text, &fixture->text_size),
	};
	session->errors =
		open_memstream(&fixture->errors, &fixture->errors_size);
	fixture->out.notes = session->errors;
	session->status = 0;
	session_run(session, text, NULL, &fixture->out);
	fclose(fixture->out.stream);
	fclose(session->errors);
	return fixture->text;
}

const char *fixture_run(struct fixture *fixture, const char *text)
{
	return run(fixture, text, &text_sink_ops);
}

const char *fixture_json(struct fixture *fixture, const char *text)
{
	return run(fixture, text, &json_sink_ops);
}

const char *fixture_errors(const struct fixture *fixture)
{
	return fixture->errors;
}

void assert_prints(struct fixture *fixture, const char *text,
		   const char *output)
{
	fixture_run(fixture, text);
	assert_string_equal(fixture->errors, "");
	assert_string_equal(fixture->text, output);
	assert_int_equal(fixture->session.status, 0);
}

void assert_complains(struct fixture *fixture, const char *text,
		      const char *errors)
{
	fixture_run(fixture, text);
	assert_string_equal(fixture->errors, errors);
	assert_int_equal(fixture->session.status, 1);
}
