// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel [PART]...
 *
 * What dre.ko costs. Loads the module, and unloads it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel.h"

void module_load(void)
{
	struct utsname name;
	char path[256];
	int fd;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/dre.ko", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		die("%s", path);
	close(fd);
}

void module_unload(void)
{
	if (syscall(SYS_delete_module, "dre", O_NONBLOCK))
		die("delete_module");
}

/* A request that the file does not have: the cheapest way into it and back. */
void null_ioctls(void *arg, unsigned long n)
{
	int fd = *(int *)arg;

	while (n--) {
		if (ioctl(fd, _IO(DRE_IOC_MAGIC, 0xff)) != -1)
			die("a request that should not be known");
	}
}

void crowd_open(struct crowd *crowd, int dre, const char *name)
{
	crowd->c.fd = must(container_create(dre, DRE_CONTAINER_APP, crowd->c.init.pid, name));
}

void crowd_register(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->count; i++)
		must(process_register(crowd->c.fd, crowd->vpids[i], DRE_REGISTER_BY_VPID,
				      SIGNALS(SIGTERM)));
}

void crowd_unregister(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->count; i++)
		must(process_unregister(crowd->c.fd, crowd->vpids[i], DRE_REGISTER_BY_VPID));
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "registration", bench_registration },
	{ "translation", bench_translation },
	{ "binding", bench_binding },
	{ "exit", bench_exit },
	{ "fork", bench_fork },
	{ "scale", bench_scale },
	{ "procfs", bench_procfs },
};

#define PARTS	(sizeof(parts) / sizeof(parts[0]))

static bool named(const char *name, char **names)
{
	for (; *names; names++) {
		if (!strcmp(name, *names))
			return true;
	}
	return false;
}

/* Who wakes whom on which processor would be most of what is measured. */
static void stay_on_one_cpu(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		die("sched_setaffinity");
}

int main(int argc, char **argv)
{
	size_t i;

	stay_on_one_cpu();
	module_load();
	for (i = 0; i < PARTS; i++) {
		if (argc > 1 && !named(parts[i].name, argv + 1))
			continue;
		fprintf(stderr, "%s\n", parts[i].name);
		parts[i].run();
	}
	module_unload();
	return 0;
}
