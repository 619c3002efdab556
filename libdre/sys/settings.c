// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control groups in the manifest, see group.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cpulist.h"
#include "common/fail.h"
#include "group.h"
#include "module.h"

#define PREFIX	"cgroup_"

/* With all limits, and as long as they can be. */
#define VALUE_SIZE	(DRE_NAME_MAX + DRE_CORES_SIZE + 128)

static bool parse_number(const char *text, unsigned long long *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end && *number;
}

static bool parse_cores(const char *text, char cores[DRE_CORES_SIZE])
{
	struct cpulist list;

	if (strlen(text) >= DRE_CORES_SIZE || !cpulist_parse(&list, text))
		return false;
	strcpy(cores, text);
	return true;
}

static bool parse_limit(char *word, struct dre_limits *limits)
{
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (!strcmp(word, "cpu"))
		return parse_number(value, &limits->cpu);
	if (!strcmp(word, "cores"))
		return parse_cores(value, limits->cores);
	if (!strcmp(word, "memory"))
		return parse_number(value, &limits->memory);
	if (!strcmp(word, "memsw"))
		return parse_number(value, &limits->memsw);
	return false;
}

static bool parse(const char *value, struct sys_group *group)
{
	char text[VALUE_SIZE], *save, *word;

	*group = (struct sys_group){};
	if (strlen(value) >= sizeof(text))
		return false;
	strcpy(text, value);
	word = strtok_r(text, " ", &save);
	if (!word || groups_check_name(DRE_CONTAINER_SYS, word, true))
		return false;
	strcpy(group->name, word);
	while ((word = strtok_r(NULL, " ", &save)))
		if (!parse_limit(word, &group->limits))
			return false;
	return true;
}

static void format(const struct sys_group *group, char value[VALUE_SIZE])
{
	const struct dre_limits *limits = &group->limits;
	char *end = stpcpy(value, group->name);

	if (limits->cpu)
		end += sprintf(end, " cpu=%llu", limits->cpu);
	if (*limits->cores)
		end += sprintf(end, " cores=%s", limits->cores);
	if (limits->memory)
		end += sprintf(end, " memory=%llu", limits->memory);
	if (limits->memsw)
		sprintf(end, " memsw=%llu", limits->memsw);
}

static bool is_group(const struct setting *setting)
{
	return !strncmp(setting->key, PREFIX, strlen(PREFIX));
}

bool sys_group_next(const struct manifest *m, size_t *at, struct sys_group *group)
{
	while (*at < m->nr_settings) {
		const struct setting *setting = &m->settings[(*at)++];

		if (is_group(setting) && parse(setting->value, group))
			return true;
	}
	return false;
}

bool sys_group_get(const struct manifest *m, const char *name, struct sys_group *group)
{
	size_t at = 0;

	while (sys_group_next(m, &at, group))
		if (!strcmp(group->name, name))
			return true;
	*group = (struct sys_group){};
	snprintf(group->name, sizeof(group->name), "%s", name);
	return false;
}

int sys_groups_check(const char *container, const struct manifest *m)
{
	struct sys_group group;

	for (size_t i = 0; i < m->nr_settings; i++)
		if (is_group(&m->settings[i]) && !parse(m->settings[i].value, &group))
			return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
					"container '%s': its manifest has a bad control group: %s %s",
					container, m->settings[i].key, m->settings[i].value);
	return 0;
}

/* Its key, or one that is free. The numbers go up, so that the last one made is the last one. */
static void find_key(const struct manifest *m, const char *name, char key[32])
{
	unsigned int number, next = 0;
	struct sys_group group;
	size_t at = 0;

	while (sys_group_next(m, &at, &group)) {
		snprintf(key, 32, "%s", m->settings[at - 1].key);
		if (!strcmp(group.name, name))
			return;
		number = strtoul(key + strlen(PREFIX), NULL, 10);
		if (number >= next)
			next = number + 1;
	}
	snprintf(key, 32, PREFIX "%u", next);
}

static int set(struct manifest *m, const char *name, const char *value)
{
	char key[32];
	int err;

	find_key(m, name, key);
	err = manifest_set(m, key, value);
	return err ? dre_fail_errno(-err, "control group '%s'", name) : 0;
}

int sys_group_put(struct manifest *m, const struct sys_group *group)
{
	static const struct dre_limits none;
	char value[VALUE_SIZE];

	if (!strcmp(group->name, ".") && !memcmp(&group->limits, &none, sizeof(none)))
		return sys_group_drop(m, group->name);
	format(group, value);
	return set(m, group->name, value);
}

int sys_group_drop(struct manifest *m, const char *name)
{
	return set(m, name, NULL);
}
