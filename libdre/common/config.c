// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <dre.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "fail.h"

#define DEFAULT_PATH	"/etc/dre/dre.conf"
#define MAX_TIMEOUT	86400
#define MAX_ID		0xfffffffeu	/* (uid_t)-1 is none */

struct parser {
	struct dre_config *cfg;
	const char *path;
	FILE *file;
	unsigned int line;
	uint64_t seen;		/* bit N: keys[N] was given */
	const char *error;	/* constant text; the first one counts */
	struct printable key;
};

static const char *parse_number(const char *value, uint32_t min, uint32_t max, uint32_t *number)
{
	unsigned long long n;
	char *end;

	/* strtoull() takes blanks and signs, too. */
	if (!isdigit((unsigned char)*value))
		return "is not a number";
	errno = 0;
	n = strtoull(value, &end, 10);
	if (*end)
		return "is not a number";
	if (errno || n < min || n > max)
		return "is out of range";
	*number = n;
	return NULL;
}

static const char *set_base(struct dre_config *cfg, const char *value)
{
	if (dre_check_name("base image", value))
		return "is not the name of a base image";
	strcpy(cfg->base, value);
	return NULL;
}

static const char *set_store(struct dre_config *cfg, const char *value)
{
	if (*value != '/')
		return "is not an absolute path";
	if (strlen(value) >= sizeof(cfg->store))
		return "is too long";
	strcpy(cfg->store, value);
	return NULL;
}

static const char *set_privileged(struct dre_config *cfg, const char *value)
{
	cfg->privileged = !strcmp(value, "yes");
	return cfg->privileged || !strcmp(value, "no") ? NULL : "is neither yes nor no";
}

static const char *set_stop_timeout(struct dre_config *cfg, const char *value)
{
	return parse_number(value, 0, MAX_TIMEOUT, &cfg->stop_timeout);
}

static const char *set_halt_timeout(struct dre_config *cfg, const char *value)
{
	return parse_number(value, 0, MAX_TIMEOUT, &cfg->halt_timeout);
}

/* What the kernel takes as the name of a network device (dev_valid_name()). */
static bool is_interface(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (!isgraph((unsigned char)*name) || *name == '/' || *name == ':')
			return false;
	return true;
}

static const char *set_network(struct dre_config *cfg, const char *value)
{
	static const char bridge[] = "bridge:";

	if (!strcmp(value, "empty")) {
		cfg->network = DRE_NETWORK_EMPTY;
	} else if (!strcmp(value, "none")) {
		cfg->network = DRE_NETWORK_NONE;
	} else if (!strncmp(value, bridge, strlen(bridge))) {
		value += strlen(bridge);
		if (!is_interface(value))
			return "does not name a bridge";
		cfg->network = DRE_NETWORK_BRIDGE;
		strcpy(cfg->bridge, value);
	} else {
		return "is neither empty nor none nor bridge:NAME";
	}
	return NULL;
}

/* Ids of the host's own users are never given away, whatever the file says. */
static const char *set_idmap_base(struct dre_config *cfg, const char *value)
{
	return parse_number(value, 65536, MAX_ID, &cfg->idmap_base);
}

static const char *set_idmap_size(struct dre_config *cfg, const char *value)
{
	return parse_number(value, 1, MAX_ID, &cfg->idmap_size);
}

static const struct {
	const char *section;
	const char *key;
	/* Returns NULL or what is wrong with the value. */
	const char *(*set)(struct dre_config *cfg, const char *value);
} keys[] = {
	{ "app", "base", set_base },
	{ "app", "store", set_store },
	{ "app", "privileged", set_privileged },
	{ "app", "stop_timeout", set_stop_timeout },
	{ "app", "halt_timeout", set_halt_timeout },
	{ "app", "network", set_network },
	{ "app", "idmap_base", set_idmap_base },
	{ "app", "idmap_size", set_idmap_size },
};

/* An ini_reader, like fgets(): counts lines, for the error text, and cuts none. */
static char *read_line(char *buf, int size, void *arg)
{
	struct parser *p = arg;
	size_t len;

	if (p->error || !fgets(buf, size, p->file))
		return NULL;
	p->line++;
	p->key.text[0] = '\0';
	len = strlen(buf);
	/* inih would take the rest as a line of its own. */
	if ((!len || buf[len - 1] != '\n') && !feof(p->file))
		p->error = "the line is too long, or not a text";
	/* It would also take an indented line as one more value of the key above. */
	else if (isblank((unsigned char)*buf) && buf[strspn(buf, " \t\r\n")])
		p->error = "the line begins with a blank";
	return p->error ? NULL : buf;
}

static int handle_key(void *arg, const char *section, const char *key, const char *value)
{
	struct parser *p = arg;
	size_t i;

	dre_printable(&p->key, key);
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(section, keys[i].section) && !strcmp(key, keys[i].key))
			break;
	if (i == sizeof(keys) / sizeof(*keys)) {
		p->error = "is not a known key in this section";
	} else if (p->seen & UINT64_C(1) << i) {
		p->error = "is given twice";
	} else {
		p->seen |= UINT64_C(1) << i;
		p->error = keys[i].set(p->cfg, value);
	}
	return !p->error;
}

static int parse(struct parser *p)
{
	int line;

	line = ini_parse_stream(read_line, p, handle_key, p);
	if (ferror(p->file))
		return dre_fail_errno(errno, "cannot read %s", p->path);
	if (p->error)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s:%u: %s%s%s", p->path, p->line,
				p->key.text, *p->key.text ? " " : "", p->error);
	if (line)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s:%d: neither a [section] nor \"key = value\"", p->path, line);
	if (p->cfg->idmap_size > MAX_ID - p->cfg->idmap_base)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s: idmap_base and idmap_size leave no room for a container",
				p->path);
	return 0;
}

int dre_config_load(struct dre_config *cfg)
{
	const char *path = secure_getenv("DRE_CONF");
	struct parser p = { .cfg = cfg, .path = path ? path : DEFAULT_PATH };
	int ret;

	*cfg = (struct dre_config){
		.base = "busybox",
		.store = "/var/lib/dre/app",
		.stop_timeout = 10,
		.halt_timeout = 10,
		.idmap_base = 0x70000000,
		.idmap_size = 65536,
	};

	p.file = fopen(p.path, "re");
	if (!p.file) {
		if (errno == ENOENT && !path)
			return 0;
		if (errno == ENOENT)
			return dre_fail(DRE_ERR_INVALID_ARGUMENT, "DRE_CONF: there is no %s", path);
		return dre_fail_errno(errno, "cannot open %s", p.path);
	}
	ret = parse(&p);
	fclose(p.file);
	return ret;
}
