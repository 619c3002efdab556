// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "former.h"
#include "manifest.h"
#include "names.h"

#define LOWER		"abcdefghijklmnopqrstuvwxyz"
#define DIGITS		"0123456789"
#define VERSION_LINE	"dre-manifest 1"
#define END_LINE	"end"

int layer_name_valid(const char *name)
{
	return strnlen(name, LAYER_NAME_LEN + 1) == LAYER_NAME_LEN &&
	       strspn(name, LOWER DIGITS) == LAYER_NAME_LEN;
}

static int key_valid(const char *key)
{
	static const char *const reserved[] = { "base", "layer", "writable", END_LINE };
	size_t len = strnlen(key, DRE_NAME_MAX + 1);
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(key, reserved[i]))
			return 0;
	return len <= DRE_NAME_MAX && strspn(key, LOWER) && strspn(key, LOWER DIGITS "_") == len;
}

static int value_valid(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return 0;
	return 1;
}

static struct setting *find(const struct manifest *m, const char *key)
{
	size_t i;

	for (i = 0; i < m->nr_settings; i++)
		if (!strcmp(m->settings[i].key, key))
			return &m->settings[i];
	return NULL;
}

const char *manifest_get(const struct manifest *m, const char *key)
{
	const struct setting *s = find(m, key);

	return s ? s->value : NULL;
}

static void unset(struct manifest *m, struct setting *s)
{
	free(s->key);
	free(s->value);
	m->nr_settings--;
	memmove(s, s + 1, (char *)(m->settings + m->nr_settings) - (char *)s);
}

static int add_setting(struct manifest *m, const char *key, const char *value)
{
	struct setting *s;

	s = reallocarray(m->settings, m->nr_settings + 1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	m->settings = s;
	s += m->nr_settings;
	s->key = strdup(key);
	s->value = strdup(value);
	if (!s->key || !s->value) {
		free(s->key);
		free(s->value);
		return -ENOMEM;
	}
	m->nr_settings++;
	return 0;
}

int manifest_set(struct manifest *m, const char *key, const char *value)
{
	struct setting *s = find(m, key);
	char *copy;

	if (!value) {
		if (s)
			unset(m, s);
		return 0;
	}
	if (!key_valid(key) || !value_valid(value))
		return -EINVAL;
	if (!s)
		return add_setting(m, key, value);
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(s->value);
	s->value = copy;
	return 0;
}

int manifest_set_base(struct manifest *m, const char *base)
{
	char *copy = base ? strdup(base) : NULL;

	if (base && !copy)
		return -ENOMEM;
	free(m->base);
	m->base = copy;
	return 0;
}

/* The same layer twice is a loop in the chain, or an immutable layer that is written to. */
static int has_layer(const struct manifest *m, const char *layer)
{
	size_t i;

	for (i = 0; i < m->nr_layers; i++)
		if (!strcmp(m->layers[i], layer))
			return 1;
	return !strcmp(m->writable, layer);
}

int manifest_add_layer(struct manifest *m, const char *layer)
{
	layer_name_t *layers;

	if (!layer_name_valid(layer))
		return -EINVAL;
	if (has_layer(m, layer))
		return -EEXIST;
	if (m->nr_layers == MANIFEST_MAX_LAYERS)
		return -E2BIG;
	layers = reallocarray(m->layers, m->nr_layers + 1, sizeof(*layers));
	if (!layers)
		return -ENOMEM;
	m->layers = layers;
	strcpy(m->layers[m->nr_layers++], layer);
	return 0;
}

void manifest_free(struct manifest *m)
{
	size_t i;

	for (i = 0; i < m->nr_settings; i++) {
		free(m->settings[i].key);
		free(m->settings[i].value);
	}
	free(m->settings);
	free(m->layers);
	free(m->base);
	*m = (struct manifest){ 0 };
}

int manifest_copy_settings(struct manifest *to, const struct manifest *from)
{
	int err = 0;

	while (to->nr_settings)
		unset(to, &to->settings[to->nr_settings - 1]);
	for (size_t i = 0; !err && i < from->nr_settings; i++)
		err = manifest_set(to, from->settings[i].key, from->settings[i].value);
	return err;
}

int manifest_copy_chain(struct manifest *to, const struct manifest *from)
{
	int err = from->base ? manifest_set_base(to, from->base) : 0;

	for (size_t i = 0; !err && i < from->nr_layers; i++)
		err = manifest_add_layer(to, from->layers[i]);
	if (!err)
		err = manifest_copy_settings(to, from);
	if (err)
		manifest_free(to);
	return err;
}

int manifest_copy(struct manifest *to, const struct manifest *from)
{
	int err = manifest_copy_chain(to, from);

	if (!err)
		strcpy(to->writable, from->writable);
	return err;
}

char *manifest_format(const struct manifest *m, size_t *len)
{
	char *text = NULL;
	FILE *f;
	size_t i;

	f = open_memstream(&text, len);
	if (!f)
		return NULL;
	fputs(VERSION_LINE "\n", f);
	if (m->base)
		fprintf(f, "base %s\n", m->base);
	for (i = 0; i < m->nr_layers; i++)
		fprintf(f, "layer %s\n", m->layers[i]);
	if (*m->writable)
		fprintf(f, "writable %s\n", m->writable);
	for (i = 0; i < m->nr_settings; i++)
		fprintf(f, "%s %s\n", m->settings[i].key, m->settings[i].value);
	fputs(END_LINE "\n", f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	if (*len > MANIFEST_MAX_SIZE) {
		free(text);
		errno = E2BIG;
		return NULL;
	}
	return text;
}

/* What reads it later could not say in which manifest it is. */
static int check_former(const struct manifest *m)
{
	struct manifest former = {};
	int err = former_get(m, &former);

	manifest_free(&former);
	return err;
}

/* Takes over "key value", which the parser cut out of a line. Returns NULL or what is wrong. */
static const char *take_item(struct manifest *m, const char *key, const char *value, int *err)
{
	*err = 0;
	if (!strcmp(key, "base")) {
		if (m->base)
			return "a second base";
		if (!dre_name_valid(value))
			return "not the name of a base";
		*err = manifest_set_base(m, value);
	} else if (!strcmp(key, "layer")) {
		*err = manifest_add_layer(m, value);
		if (*err == -EINVAL)
			return "not the name of a layer";
		if (*err == -EEXIST)
			return "a layer that was there before";
		if (*err == -E2BIG)
			return "too many layers";
	} else if (!strcmp(key, "writable")) {
		if (*m->writable)
			return "a second writable layer";
		if (!layer_name_valid(value))
			return "not the name of a layer";
		if (has_layer(m, value))
			return "a layer that was there before";
		strcpy(m->writable, value);
	} else {
		if (!key_valid(key))
			return "not a key";
		if (!value_valid(value))
			return "a value with control characters";
		if (find(m, key))
			return "a key that was there before";
		*err = add_setting(m, key, value);
		if (!*err && !strcmp(key, SETTING_FORMER))
			*err = check_former(m);
		if (*err == -EINVAL)
			return "not a list of layers";
	}
	return NULL;
}

/* @line has been cut out of the text and has no NUL. */
static const char *parse_line(struct manifest *m, char *line, unsigned int nr, int *ended, int *err)
{
	char *value;

	if (nr == 1)
		return strcmp(line, VERSION_LINE) ? "not a manifest of version 1" : NULL;
	if (*ended)
		return "text after the end";
	if (!strcmp(line, END_LINE)) {
		*ended = 1;
		return NULL;
	}
	value = strchr(line, ' ');
	if (!value)
		return "a key without a value";
	*value++ = '\0';
	return take_item(m, line, value, err);
}

static int parse(struct manifest *m, char *text, size_t len, struct manifest_error *err)
{
	const char *end = text + len;
	int ended = 0;
	int ret = 0;
	char *nl;

	for (err->line = 1; text < end; err->line++, text = nl + 1) {
		nl = memchr(text, '\n', end - text);
		if (!nl) {
			err->what = "a line that was cut off";
			return -EINVAL;
		}
		*nl = '\0';
		err->what = strlen(text) != (size_t)(nl - text) ? "a NUL byte" :
			    parse_line(m, text, err->line, &ended, &ret);
		if (err->what)
			return -EINVAL;
		if (ret)
			return ret;
	}
	if (!ended) {
		err->what = "no end";
		return -EINVAL;
	}
	return 0;
}

int manifest_parse(struct manifest *m, const char *text, size_t len, struct manifest_error *err)
{
	char *copy;
	int ret;

	*err = (struct manifest_error){ .line = 1 };
	if (len > MANIFEST_MAX_SIZE) {
		err->what = "too large";
		return -EINVAL;
	}
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	ret = parse(m, copy, len, err);
	free(copy);
	if (ret)
		manifest_free(m);
	return ret;
}
