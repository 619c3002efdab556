// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "common/manifest.h"
#include "fixture.h"

static const char complete[] =
	"dre-manifest 1\n"
	"base busybox\n"
	"layer 0k3v9d2m\n"
	"layer 8s1xq77a\n"
	"writable m2c8e6r0\n"
	"halt_signal SIGRTMIN+3\n"
	"port 22\n"
	"note \n"
	"comment two words, \xc3\xa4\n"
	"end\n";

static int parse(struct manifest *m, const char *text, struct manifest_error *err)
{
	*m = (struct manifest){ 0 };
	return manifest_parse(m, text, strlen(text), err);
}

static void reads_what_there_is(void **state)
{
	struct manifest_error err;
	struct manifest m;

	(void)state;
	assert_int_equal(parse(&m, complete, &err), 0);
	assert_string_equal(m.base, "busybox");
	assert_int_equal(m.nr_layers, 2);
	assert_string_equal(m.layers[0], "0k3v9d2m");
	assert_string_equal(m.layers[1], "8s1xq77a");
	assert_string_equal(m.writable, "m2c8e6r0");
	assert_string_equal(manifest_get(&m, "halt_signal"), "SIGRTMIN+3");
	assert_string_equal(manifest_get(&m, "note"), "");
	assert_string_equal(manifest_get(&m, "comment"), "two words, \xc3\xa4");
	assert_null(manifest_get(&m, "base"));
	assert_null(manifest_get(&m, "none"));
	manifest_free(&m);
	assert_null(m.base);

	assert_int_equal(parse(&m, "dre-manifest 1\nend\n", &err), 0);
	assert_null(m.base);
	assert_int_equal(m.nr_layers, 0);
	assert_string_equal(m.writable, "");
	manifest_free(&m);
}

static void writes_what_it_read(void **state)
{
	struct manifest_error err;
	struct manifest m;
	size_t len;
	char *text;

	(void)state;
	assert_int_equal(parse(&m, complete, &err), 0);
	text = manifest_format(&m, &len);
	assert_non_null(text);
	assert_string_equal(text, complete);
	assert_int_equal(len, strlen(complete));
	free(text);
	manifest_free(&m);
}

static void settings(void **state)
{
	struct manifest_error err;
	struct manifest m;
	size_t len;
	char *text;
	static const char *const bad_keys[] = {
		"", "Port", "1a", "_a", "a-b", "a b", "a\n", "base", "layer", "writable", "end",
		"a23456789_123456789_123456789_123456789_123456789_123456789_1234",
	};

	(void)state;
	assert_int_equal(parse(&m, complete, &err), 0);
	assert_int_equal(manifest_set(&m, "port", "2222"), 0);
	assert_int_equal(manifest_set(&m, "note", NULL), 0);
	assert_int_equal(manifest_set(&m, "note", NULL), 0);
	assert_int_equal(manifest_set(&m, "halt_signal", NULL), 0);
	assert_int_equal(manifest_set(&m, "comment", NULL), 0);
	assert_int_equal(manifest_set(&m, "privileged", "yes"), 0);
	assert_int_equal(manifest_set(&m, "bad", "two\nlines"), -EINVAL);
	assert_int_equal(manifest_set(&m, "bad", "\x7f"), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_keys) / sizeof(*bad_keys); i++)
		assert_int_equal(manifest_set(&m, bad_keys[i], "x"), -EINVAL);
	assert_int_equal(manifest_set_base(&m, "other"), 0);
	assert_int_equal(manifest_add_layer(&m, "zzzzzzzz"), 0);
	assert_int_equal(manifest_add_layer(&m, "zzzzzzzz"), -EEXIST);
	assert_int_equal(manifest_add_layer(&m, m.writable), -EEXIST);
	assert_int_equal(manifest_add_layer(&m, "zzzzzzz"), -EINVAL);
	assert_int_equal(manifest_add_layer(&m, "../../..x"), -EINVAL);
	text = manifest_format(&m, &len);
	assert_string_equal(text,
		"dre-manifest 1\n"
		"base other\n"
		"layer 0k3v9d2m\n"
		"layer 8s1xq77a\n"
		"layer zzzzzzzz\n"
		"writable m2c8e6r0\n"
		"port 2222\n"
		"privileged yes\n"
		"end\n");
	free(text);
	manifest_free(&m);
}

static void damaged(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *what;
	} cases[] = {
		{ "", 1, "no end" },
		{ "\n", 1, "not a manifest of version 1" },
		{ "dre-manifest 1", 1, "a line that was cut off" },
		{ "dre-manifest 2\nend\n", 1, "not a manifest of version 1" },
		{ "dre-manifest 1 \nend\n", 1, "not a manifest of version 1" },
		{ "dre-manifest 1\n", 2, "no end" },
		{ "dre-manifest 1\nend", 2, "a line that was cut off" },
		{ "dre-manifest 1\nend\n\n", 3, "text after the end" },
		{ "dre-manifest 1\nend\nport 1\n", 3, "text after the end" },
		{ "dre-manifest 1\n\nend\n", 2, "a key without a value" },
		{ "dre-manifest 1\nport\nend\n", 2, "a key without a value" },
		{ "dre-manifest 1\n 1\nend\n", 2, "not a key" },
		{ "dre-manifest 1\nPort 1\nend\n", 2, "not a key" },
		{ "dre-manifest 1\nend 1\nend\n", 2, "not a key" },
		{ "dre-manifest 1\nport 1\nport 1\nend\n", 3, "a key that was there before" },
		{ "dre-manifest 1\nport 1\t2\nend\n", 2, "a value with control characters" },
		{ "dre-manifest 1\nport 1\r\nend\n", 2, "a value with control characters" },
		{ "dre-manifest 1\nbase ../x\nend\n", 2, "not the name of a base" },
		{ "dre-manifest 1\nbase \nend\n", 2, "not the name of a base" },
		{ "dre-manifest 1\nbase a\nbase b\nend\n", 3, "a second base" },
		{ "dre-manifest 1\nlayer aaaaaaa\nend\n", 2, "not the name of a layer" },
		{ "dre-manifest 1\nlayer aaaaaaaaa\nend\n", 2, "not the name of a layer" },
		{ "dre-manifest 1\nlayer aaaa/aaa\nend\n", 2, "not the name of a layer" },
		{ "dre-manifest 1\nlayer aaaaaaaA\nend\n", 2, "not the name of a layer" },
		{ "dre-manifest 1\nlayer aaaa,aaa\nend\n", 2, "not the name of a layer" },
		{ "dre-manifest 1\nlayer aaaaaaaa\nlayer aaaaaaaa\nend\n", 3,
		  "a layer that was there before" },
		{ "dre-manifest 1\nwritable aaaaaaaa\nlayer aaaaaaaa\nend\n", 3,
		  "a layer that was there before" },
		{ "dre-manifest 1\nlayer aaaaaaaa\nwritable aaaaaaaa\nend\n", 3,
		  "a layer that was there before" },
		{ "dre-manifest 1\nwritable aaaaaaaa\nwritable bbbbbbbb\nend\n", 3,
		  "a second writable layer" },
		{ "dre-manifest 1\nwritable ../../..\nend\n", 2, "not the name of a layer" },
		{ "dre-manifest 1\nformer aaaaaaaa\nend\n", 2, "not a list of layers" },
		{ "dre-manifest 1\nport 1\nformer aaaaaaaa ../../..\nend\n", 3, "not a list of layers" },
		{ "dre-manifest 1\nformer aaaaaaaa aaaaaaaa bbbbbbbb\nend\n", 2, "not a list of layers" },
	};
	struct manifest_error err;
	struct manifest m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(parse(&m, cases[i].text, &err), -EINVAL);
		assert_int_equal(err.line, cases[i].line);
		assert_string_equal(err.what, cases[i].what);
		assert_null(m.base);
		assert_null(m.layers);
		assert_null(m.settings);
	}
}

static void nul_bytes(void **state)
{
	struct manifest_error err;
	struct manifest m = { 0 };

	(void)state;
	assert_int_equal(manifest_parse(&m, "dre-manifest 1\0\nend\n", 20, &err), -EINVAL);
	assert_int_equal(err.line, 1);
	assert_string_equal(err.what, "a NUL byte");
	assert_int_equal(manifest_parse(&m, "dre-manifest 1\nport a\0b\nend\n", 28, &err), -EINVAL);
	assert_int_equal(err.line, 2);
}

static void limits(void **state)
{
	struct manifest_error err;
	struct manifest m = { 0 };
	char *text, *end, name[9], *value;
	size_t len;

	(void)state;
	for (unsigned int i = 0; i < MANIFEST_MAX_LAYERS; i++) {
		snprintf(name, sizeof(name), "%08u", i);
		assert_int_equal(manifest_add_layer(&m, name), 0);
	}
	assert_int_equal(manifest_add_layer(&m, "zzzzzzzz"), -E2BIG);
	text = manifest_format(&m, &len);
	assert_non_null(text);
	manifest_free(&m);
	assert_int_equal(manifest_parse(&m, text, len, &err), 0);
	assert_int_equal(m.nr_layers, MANIFEST_MAX_LAYERS);
	manifest_free(&m);
	/* One more: in place of "end". */
	text = realloc(text, len + 32);
	end = text + len - strlen("end\n");
	strcpy(end, "layer zzzzzzzz\nend\n");
	assert_int_equal(manifest_parse(&m, text, strlen(text), &err), -EINVAL);
	assert_string_equal(err.what, "too many layers");
	free(text);

	value = malloc(MANIFEST_MAX_SIZE + 1);
	memset(value, 'x', MANIFEST_MAX_SIZE);
	value[MANIFEST_MAX_SIZE] = '\0';
	assert_int_equal(manifest_set(&m, "key", value), 0);
	errno = 0;
	assert_null(manifest_format(&m, &len));
	assert_int_equal(errno, E2BIG);
	manifest_free(&m);
	assert_int_equal(manifest_parse(&m, value, MANIFEST_MAX_SIZE + 1, &err), -EINVAL);
	assert_string_equal(err.what, "too large");
	free(value);
}

/* Every cut, and every byte changed to every value: an error or a manifest, never a crash. */
static void every_damage_of_one_byte(void **state)
{
	size_t size = strlen(complete), len;
	struct manifest_error err;
	struct manifest m = { 0 };
	char *copy = malloc(size), *again;	/* no byte more, for the sanitizer to see */

	(void)state;
	for (size_t i = 0; i < size; i++) {
		char *cut = malloc(i ? i : 1);

		memcpy(cut, complete, i);
		assert_int_equal(manifest_parse(&m, cut, i, &err), -EINVAL);
		free(cut);
	}
	for (size_t i = 0; i < size; i++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(copy, complete, size);
			copy[i] = byte;
			if (manifest_parse(&m, copy, size, &err))
				continue;
			/* What it took, it writes the same. */
			again = manifest_format(&m, &len);
			assert_int_equal(len, size);
			free(again);
			manifest_free(&m);
		}
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_there_is),
		cmocka_unit_test(writes_what_it_read),
		cmocka_unit_test(settings),
		cmocka_unit_test(damaged),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(limits),
		cmocka_unit_test(every_damage_of_one_byte),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
