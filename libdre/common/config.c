// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <dre.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "cpulist.h"
#include "fail.h"

#define DEFAULT_PATH	"/etc/dre/dre.conf"
#define MAX_TIMEOUT	86400		/* seconds */
#define MAX_CPUS	4096
#define SECTOR		512
#define MAX_DISK	(1ULL << 46)	/* bytes: QEMU's limit for its images is at 64 TiB */
#define MAX_PIDS	4194304		/* the kernel has no more numbers for them (PID_MAX_LIMIT) */
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

static const char *parse_bool(const char *value, bool *yes)
{
	*yes = !strcmp(value, "yes");
	return *yes || !strcmp(value, "no") ? NULL : "is neither yes nor no";
}

static const char *parse_text(const char *value, size_t size, char *text)
{
	if (strlen(value) >= size)
		return "is too long";
	strcpy(text, value);
	return NULL;
}

static const char *parse_path(const char *value, char path[PATH_MAX])
{
	return *value == '/' ? parse_text(value, PATH_MAX, path) : "is not an absolute path";
}

static const char *parse_base(const char *value, char base[DRE_NAME_MAX + 1])
{
	if (dre_check_name("base image", value))
		return "is not the name of a base image";
	strcpy(base, value);
	return NULL;
}

static const char *set_base(struct dre_config *cfg, const char *value)
{
	return parse_base(value, cfg->base);
}

static const char *set_store(struct dre_config *cfg, const char *value)
{
	return parse_path(value, cfg->store);
}

static const char *set_privileged(struct dre_config *cfg, const char *value)
{
	return parse_bool(value, &cfg->privileged);
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

	*cfg->bridge = '\0';
	if (!strcmp(value, "empty")) {
		cfg->network = DRE_NETWORK_EMPTY;
	} else if (!strcmp(value, "none")) {
		cfg->network = DRE_NETWORK_NONE;
	} else if (!strcmp(value, "host")) {
		cfg->network = DRE_NETWORK_HOST;
	} else if (!strncmp(value, bridge, strlen(bridge))) {
		value += strlen(bridge);
		if (!is_interface(value))
			return "does not name a bridge";
		cfg->network = DRE_NETWORK_BRIDGE;
		strcpy(cfg->bridge, value);
	} else {
		return "is none of empty, none, host and bridge:NAME";
	}
	return NULL;
}

static const char *set_apparmor(struct dre_config *cfg, const char *value)
{
	for (const char *c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._+-/", *c))
			return "is not the name of a profile";
	return *value ? parse_text(value, sizeof(cfg->apparmor), cfg->apparmor) : "is empty";
}

static const char *set_seccomp(struct dre_config *cfg, const char *value)
{
	if (strcmp(value, DRE_SECCOMP_NONE) != 0)
		return parse_path(value, cfg->seccomp);
	strcpy(cfg->seccomp, value);
	return NULL;
}

/* No limit, where there would be another one. */
static bool is_max(const char *value)
{
	return !strcmp(value, "max");
}

static const char *set_cpu(struct dre_config *cfg, const char *value)
{
	char digits[16];
	uint32_t percent = 0;
	size_t len = strlen(value);
	const char *error = NULL;

	if (!is_max(value)) {
		if (len && value[len - 1] == '%')
			len--;
		snprintf(digits, sizeof(digits), "%.*s", (int)len, value);
		error = len < sizeof(digits) ? parse_number(digits, 1, INT_MAX, &percent) :
					       "is out of range";
	}
	if (!error)
		cfg->limits.cpu = percent;
	return error;
}

static const char *set_cores(struct dre_config *cfg, const char *value)
{
	struct cpulist list;

	if (is_max(value))
		value = "";
	else if (!cpulist_parse(&list, value))
		return "is not a list of cores, as 0-3,5";
	if (strlen(value) >= sizeof(cfg->limits.cores))
		return "is too long";
	strcpy(cfg->limits.cores, value);
	return NULL;
}

/* Bytes, with K, M, G or T for powers of 1024. */
static const char *parse_size(const char *value, unsigned long long *bytes)
{
	static const char units[] = "KMGT";
	unsigned long long size;
	const char *unit;
	int shift = 0;
	char *end;

	if (!isdigit((unsigned char)*value))
		return "is not a size, as 1048576 or 512M";
	errno = 0;
	size = strtoull(value, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
	}
	if (*end)
		return "is not a size, as 1048576 or 512M";
	if (errno || !size || size > ~0ULL >> shift)
		return "is out of range";
	*bytes = size << shift;
	return NULL;
}

static const char *set_size(unsigned long long *bytes, const char *value)
{
	if (!is_max(value))
		return parse_size(value, bytes);
	*bytes = 0;
	return NULL;
}

static const char *set_memory(struct dre_config *cfg, const char *value)
{
	return set_size(&cfg->limits.memory, value);
}

static const char *set_memsw(struct dre_config *cfg, const char *value)
{
	return set_size(&cfg->limits.memsw, value);
}

static const char *set_pids(struct dre_config *cfg, const char *value)
{
	uint32_t pids = 0;
	const char *error = is_max(value) ? NULL : parse_number(value, 1, MAX_PIDS, &pids);

	if (!error)
		cfg->limits.pids = pids;
	return error;
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

static const char *set_sys_base(struct dre_config *cfg, const char *value)
{
	return parse_base(value, cfg->sys.base);
}

static const char *set_sys_store(struct dre_config *cfg, const char *value)
{
	return parse_path(value, cfg->sys.store);
}

static const char *set_sys_libvirt(struct dre_config *cfg, const char *value)
{
	return *value ? parse_text(value, sizeof(cfg->sys.libvirt), cfg->sys.libvirt) : "is empty";
}

static const char *set_sys_emulation(struct dre_config *cfg, const char *value)
{
	return parse_bool(value, &cfg->sys.emulation);
}

static const char *set_sys_cpus(struct dre_config *cfg, const char *value)
{
	return parse_number(value, 1, MAX_CPUS, &cfg->sys.cpus);
}

/* MiB, or with M, G or T: the same number means the same everywhere else. */
static const char *set_sys_memory(struct dre_config *cfg, const char *value)
{
	static const char units[] = "MGT";
	unsigned long long mib;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*value))
		return "is not a size in MiB, as 512 or 2G";
	errno = 0;
	mib = strtoull(value, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : units;
	if (!unit || (*end && end[1]))
		return "is not a size in MiB, as 512 or 2G";
	if (errno || !mib || mib > (unsigned long long)INT_MAX >> 10 * (unit - units))
		return "is out of range";
	cfg->sys.memory = mib << 10 * (unit - units);
	return NULL;
}

static const char *set_sys_disk(struct dre_config *cfg, const char *value)
{
	unsigned long long bytes;
	const char *error = parse_size(value, &bytes);

	if (error)
		return error;
	if (bytes > MAX_DISK)
		return "is out of range";
	if (bytes % SECTOR)
		return "is not a multiple of 512 bytes";
	cfg->sys.disk = bytes;
	return NULL;
}

/* What libvirt lets a network be called, as far as it can be said in one line. */
static bool is_libvirt_network(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > DRE_NAME_MAX || *name == '-')
		return false;
	for (; *name; name++)
		if (!isgraph((unsigned char)*name) || *name == '/')
			return false;
	return true;
}

static const char *set_sys_network(struct dre_config *cfg, const char *value)
{
	static const char network[] = "network:", bridge[] = "bridge:";
	const char *name = "";

	*cfg->sys.network_name = '\0';
	if (!strcmp(value, "none")) {
		cfg->sys.network = DRE_SYS_NETWORK_NONE;
	} else if (!strncmp(value, network, strlen(network))) {
		cfg->sys.network = DRE_SYS_NETWORK_LIBVIRT;
		name = value + strlen(network);
		if (!is_libvirt_network(name))
			return "does not name a network";
	} else if (!strncmp(value, bridge, strlen(bridge))) {
		cfg->sys.network = DRE_SYS_NETWORK_BRIDGE;
		name = value + strlen(bridge);
		if (!is_interface(name))
			return "does not name a bridge";
	} else {
		return "is none of none, network:NAME and bridge:NAME";
	}
	strcpy(cfg->sys.network_name, name);
	return NULL;
}

static const char *set_sys_halt_timeout(struct dre_config *cfg, const char *value)
{
	return parse_number(value, 0, MAX_TIMEOUT, &cfg->sys.halt_timeout);
}

static const char *set_sys_kernel(struct dre_config *cfg, const char *value)
{
	return parse_path(value, cfg->sys.kernel);
}

static const char *set_sys_initrd(struct dre_config *cfg, const char *value)
{
	return parse_path(value, cfg->sys.initrd);
}

static const char *set_sys_cmdline(struct dre_config *cfg, const char *value)
{
	return parse_text(value, sizeof(cfg->sys.cmdline), cfg->sys.cmdline);
}

/* A word of those that mount(8) is given. */
static const char *parse_word(const char *value, size_t size, char *word)
{
	for (const char *c = value; *c; c++)
		if (!isgraph((unsigned char)*c))
			return "has a character that it cannot have";
	return *value && *value != '-' ? parse_text(value, size, word) : "is empty, or begins with -";
}

static const char *set_sys_nfs_server(struct dre_config *cfg, const char *value)
{
	return parse_word(value, sizeof(cfg->sys.nfs.server), cfg->sys.nfs.server);
}

static const char *set_sys_nfs_export(struct dre_config *cfg, const char *value)
{
	return parse_path(value, cfg->sys.nfs.export);
}

static const char *set_sys_nfs_mount(struct dre_config *cfg, const char *value)
{
	return parse_path(value, cfg->sys.nfs.mount);
}

static const char *set_sys_nfs_options(struct dre_config *cfg, const char *value)
{
	return parse_word(value, sizeof(cfg->sys.nfs.options), cfg->sys.nfs.options);
}

/* One "%s", and no other. */
static const char *set_sys_migration_uri(struct dre_config *cfg, const char *value)
{
	const char *at = strchr(value, '%');

	if (!at || at[1] != 's' || strchr(at + 1, '%'))
		return "does not have one %s, which is the host";
	return parse_word(value, sizeof(cfg->sys.migration_uri), cfg->sys.migration_uri);
}

static const char *set_sys_migration_tls(struct dre_config *cfg, const char *value)
{
	return parse_bool(value, &cfg->sys.migration_tls);
}

static const char *set_sys_immigration_timeout(struct dre_config *cfg, const char *value)
{
	return parse_number(value, 1, MAX_TIMEOUT, &cfg->sys.immigration_timeout);
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
	{ "app", "apparmor", set_apparmor },
	{ "app", "seccomp", set_seccomp },
	{ "app", "cpu", set_cpu },
	{ "app", "cores", set_cores },
	{ "app", "memory", set_memory },
	{ "app", "memsw", set_memsw },
	{ "app", "pids", set_pids },
	{ "app", "idmap_base", set_idmap_base },
	{ "app", "idmap_size", set_idmap_size },
	{ "sys", "base", set_sys_base },
	{ "sys", "store", set_sys_store },
	{ "sys", "libvirt", set_sys_libvirt },
	{ "sys", "emulation", set_sys_emulation },
	{ "sys", "cpus", set_sys_cpus },
	{ "sys", "memory", set_sys_memory },
	{ "sys", "disk", set_sys_disk },
	{ "sys", "network", set_sys_network },
	{ "sys", "halt_timeout", set_sys_halt_timeout },
	{ "sys", "kernel", set_sys_kernel },
	{ "sys", "initrd", set_sys_initrd },
	{ "sys", "cmdline", set_sys_cmdline },
	{ "sys", "nfs_server", set_sys_nfs_server },
	{ "sys", "nfs_export", set_sys_nfs_export },
	{ "sys", "nfs_mount", set_sys_nfs_mount },
	{ "sys", "nfs_options", set_sys_nfs_options },
	{ "sys", "migration_uri", set_sys_migration_uri },
	{ "sys", "migration_tls", set_sys_migration_tls },
	{ "sys", "immigration_timeout", set_sys_immigration_timeout },
};

#define NR_KEYS	(sizeof(keys) / sizeof(*keys))

/* Its number in the table, or NR_KEYS. */
static size_t find_key(const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < NR_KEYS; i++)
		if (!strcmp(section, keys[i].section) && !strcmp(key, keys[i].key))
			break;
	return i;
}

bool dre_config_has(const char *section, const char *key)
{
	return find_key(section, key) < NR_KEYS;
}

const char *dre_config_set(struct dre_config *cfg, const char *section, const char *key,
			   const char *value)
{
	size_t i = find_key(section, key);

	return i < NR_KEYS ? keys[i].set(cfg, value) : "is not a known key";
}

static const char *print_number(char *text, unsigned long long number)
{
	sprintf(text, "%llu", number);
	return text;
}

static const char *print_limit(char *text, unsigned long long limit)
{
	return limit ? print_number(text, limit) : NULL;
}

static const char *print_network(const struct dre_config *cfg, char *text)
{
	static const char *const words[] = {
		[DRE_NETWORK_EMPTY] = "empty", [DRE_NETWORK_NONE] = "none",
		[DRE_NETWORK_HOST] = "host", [DRE_NETWORK_BRIDGE] = "bridge:",
	};

	strcpy(stpcpy(text, words[cfg->network]), cfg->bridge);
	return text;
}

static const char *get_app(const struct dre_config *cfg, const char *key, char *text)
{
	if (!strcmp(key, "network"))
		return print_network(cfg, text);
	if (!strcmp(key, "apparmor"))
		return strcpy(text, cfg->apparmor);
	if (!strcmp(key, "stop_timeout"))
		return print_number(text, cfg->stop_timeout);
	if (!strcmp(key, "halt_timeout"))
		return print_number(text, cfg->halt_timeout);
	if (!strcmp(key, "cpu"))
		return print_limit(text, cfg->limits.cpu);
	if (!strcmp(key, "memory"))
		return print_limit(text, cfg->limits.memory);
	if (!strcmp(key, "memsw"))
		return print_limit(text, cfg->limits.memsw);
	if (!strcmp(key, "pids"))
		return print_limit(text, cfg->limits.pids);
	if (!strcmp(key, "cores") && *cfg->limits.cores)
		return strcpy(text, cfg->limits.cores);
	return NULL;
}

static const char *print_sys_network(const struct dre_config *cfg, char *text)
{
	static const char *const words[] = {
		[DRE_SYS_NETWORK_NONE] = "none", [DRE_SYS_NETWORK_LIBVIRT] = "network:",
		[DRE_SYS_NETWORK_BRIDGE] = "bridge:",
	};

	strcpy(stpcpy(text, words[cfg->sys.network]), cfg->sys.network_name);
	return text;
}

static const char *get_sys(const struct dre_config *cfg, const char *key, char *text)
{
	if (!strcmp(key, "network"))
		return print_sys_network(cfg, text);
	if (!strcmp(key, "halt_timeout"))
		return print_number(text, cfg->sys.halt_timeout);
	if (!strcmp(key, "cpus"))
		return print_number(text, cfg->sys.cpus);
	if (!strcmp(key, "memory"))
		return print_number(text, cfg->sys.memory);
	if (!strcmp(key, "disk"))
		return print_limit(text, cfg->sys.disk);
	return NULL;
}

const char *dre_config_get(const struct dre_config *cfg, const char *section, const char *key,
			   char text[DRE_VALUE_SIZE])
{
	return !strcmp(section, "sys") ? get_sys(cfg, key, text) : get_app(cfg, key, text);
}

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
	size_t i = find_key(section, key);

	dre_printable(&p->key, key);
	if (i == NR_KEYS) {
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
	if (!*p->cfg->sys.kernel && (*p->cfg->sys.initrd || *p->cfg->sys.cmdline))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s: there is %s without a kernel", p->path,
				*p->cfg->sys.initrd ? "an initrd" : "a cmdline");
	if (!*p->cfg->sys.nfs.server != !*p->cfg->sys.nfs.export)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s: nfs_server and nfs_export belong together",
				p->path);
	return 0;
}

int dre_config_check_stop(bool known, int kill, int timeout)
{
	if (!known || kill < 0 || kill > 1)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "options for a stop that this library does not know");
	if (timeout < 0 || timeout > MAX_TIMEOUT)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "a timeout of %d seconds is not between 0 and %d", timeout,
				MAX_TIMEOUT);
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
		.apparmor = DRE_APPARMOR_PROFILE,
		.seccomp = "/usr/share/lxc/config/common.seccomp",
		.idmap_base = 0x70000000,
		.idmap_size = 65536,
		.sys = {
			.store = "/var/lib/dre/sys",
			.libvirt = "qemu:///system",
			.nfs = {
				.mount = "/var/lib/dre/shared",
				.options = "vers=4.2,softerr,timeo=50,retrans=2",
			},
			.migration_uri = "qemu+tls://%s/system",
			.migration_tls = true,
			.immigration_timeout = 600,
			.cpus = 1,
			.memory = 512,
			.halt_timeout = 60,
		},
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
