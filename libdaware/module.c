// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "module.h"

int dre_module_open(void)
{
	int fd = open("/dev/dre", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:		/* no module here, and none in this container */
	case ENOTDIR:
	case ENXIO:		/* a container's node whose module was removed */
	case ENODEV:
		return -ENODEV;
	default:
		return -errno;
	}
}

static int request(int fd, unsigned long number, void *arg)
{
	return ioctl(fd, number, arg) < 0 ? -errno : 0;
}

/* Nothing is kept open: CRIU could not dump it, and it would hold the module. */
static int self_request(unsigned long number, const uint8_t *signals, unsigned int nr_signals)
{
	struct dre_self self = { .size = sizeof(self), .nr_signals = nr_signals };
	int fd, ret;

	if (nr_signals > DRE_SIGNALS_MAX)
		return -EINVAL;
	if (nr_signals)
		memcpy(self.signals, signals, nr_signals);

	fd = dre_module_open();
	if (fd < 0)
		return fd;
	ret = request(fd, number, &self);
	close(fd);
	return ret;
}

int dre_module_self_register(const uint8_t *signals, unsigned int nr_signals)
{
	return self_request(DRE_IOC_SELF_REGISTER, signals, nr_signals);
}

int dre_module_self_unregister(void)
{
	return self_request(DRE_IOC_SELF_UNREGISTER, NULL, 0);
}

int dre_module_self_refuse(int signo)
{
	uint8_t signal = signo;

	if (signo < 1 || signo > DRE_SIGNALS_MAX)
		return -EINVAL;
	return self_request(DRE_IOC_SELF_REFUSE, &signal, 1);
}

/* A name that does not fit is not one that the module could know. */
static int copy_name(char *to, const char *name)
{
	size_t len = strlen(name);

	if (len >= DRE_NAME_SIZE)
		return -EINVAL;
	memcpy(to, name, len + 1);
	return 0;
}

int dre_module_container_create(int dre, uint32_t type, const char *name, int pid)
{
	struct dre_container_create create = { .size = sizeof(create), .type = type, .pid = pid };
	int ret = copy_name(create.name, name);

	if (!ret)
		ret = request(dre, DRE_IOC_CONTAINER_CREATE, &create);
	return ret ? ret : create.fd;
}

int dre_module_container_open(int dre, uint32_t type, const char *name, uint32_t flags)
{
	struct dre_container_open container = { .size = sizeof(container), .flags = flags,
						.type = type };
	int ret = copy_name(container.name, name);

	if (!ret)
		ret = request(dre, DRE_IOC_CONTAINER_OPEN, &container);
	return ret ? ret : container.fd;
}

static int process_request(int cfd, unsigned long number, int pid, uint32_t flags,
			   const uint8_t *signals, unsigned int nr_signals)
{
	struct dre_process process = {
		.size = sizeof(process),
		.flags = flags,
		.pid = pid,
		.nr_signals = nr_signals,
	};

	if (nr_signals > DRE_SIGNALS_MAX)
		return -EINVAL;
	if (nr_signals)
		memcpy(process.signals, signals, nr_signals);
	return request(cfd, number, &process);
}

int dre_module_process_register(int cfd, int pid, uint32_t flags, const uint8_t *signals,
				unsigned int nr_signals)
{
	return process_request(cfd, DRE_IOC_PROCESS_REGISTER, pid, flags, signals, nr_signals);
}

int dre_module_process_unregister(int cfd, int pid, uint32_t flags)
{
	return process_request(cfd, DRE_IOC_PROCESS_UNREGISTER, pid, flags, NULL, 0);
}

/* A whole list of elements of @size bytes. */
static int get_list(int fd, unsigned long number, size_t size, void **list, size_t *nr)
{
	struct dre_list part = { .size = sizeof(part), .entry_size = size };
	size_t filled = 0, room = 0;
	void *entries = NULL, *larger;
	int ret;

	do {
		if (filled == room) {
			room = room ? 2 * room : 64;
			larger = reallocarray(entries, room, size);
			if (!larger) {
				free(entries);
				return -ENOMEM;
			}
			entries = larger;
		}
		part.entries = (uintptr_t)entries + filled * size;
		part.count = room - filled;
		ret = request(fd, number, &part);
		if (ret) {
			free(entries);
			return ret;
		}
		filled += part.count;
	} while (part.cursor);

	*list = entries;
	*nr = filled;
	return 0;
}

int dre_module_container_list(int dre, struct dre_container_info **list, size_t *nr)
{
	void *entries;
	int ret = get_list(dre, DRE_IOC_CONTAINER_LIST, sizeof(**list), &entries, nr);

	if (!ret)
		*list = entries;
	return ret;
}

int dre_module_process_list(int cfd, struct dre_process_info **list, size_t *nr)
{
	void *entries;
	int ret = get_list(cfd, DRE_IOC_PROCESS_LIST, sizeof(**list), &entries, nr);

	if (!ret)
		*list = entries;
	return ret;
}

int dre_module_group_create(int cfd, const char *name, int dir)
{
	struct dre_group group = { .size = sizeof(group), .fd = dir };
	int ret = copy_name(group.name, name);

	return ret ? ret : request(cfd, DRE_IOC_GROUP_CREATE, &group);
}

int dre_module_group_destroy(int cfd, const char *name)
{
	struct dre_group group = { .size = sizeof(group) };
	int ret = copy_name(group.name, name);

	return ret ? ret : request(cfd, DRE_IOC_GROUP_DESTROY, &group);
}

int dre_module_group_list(int cfd, struct dre_group_info **list, size_t *nr)
{
	void *entries;
	int ret = get_list(cfd, DRE_IOC_GROUP_LIST, sizeof(**list), &entries, nr);

	if (!ret)
		*list = entries;
	return ret;
}

static int bind_request(int cfd, unsigned long number, const char *group, int pid, uint32_t flags)
{
	struct dre_bind bind = { .size = sizeof(bind), .flags = flags, .pid = pid };
	int ret = copy_name(bind.name, group);

	return ret ? ret : request(cfd, number, &bind);
}

int dre_module_bind(int cfd, const char *group, int pid, uint32_t flags)
{
	return bind_request(cfd, DRE_IOC_BIND, group, pid, flags);
}

int dre_module_unbind(int cfd, const char *group, int pid, uint32_t flags)
{
	return bind_request(cfd, DRE_IOC_UNBIND, group, pid, flags);
}

int dre_module_binding_list(int cfd, struct dre_binding_info **list, size_t *nr)
{
	void *entries;
	int ret = get_list(cfd, DRE_IOC_BINDING_LIST, sizeof(**list), &entries, nr);

	if (!ret)
		*list = entries;
	return ret;
}

/* Returns the number, which is 0 or positive. */
static int translate(int cfd, uint32_t flags, int number)
{
	int32_t from = number, to = 0;
	struct dre_translate translation = {
		.size = sizeof(translation),
		.flags = flags,
		.from = (uintptr_t)&from,
		.to = (uintptr_t)&to,
		.count = 1,
	};
	int ret = request(cfd, DRE_IOC_TRANSLATE, &translation);

	return ret ? ret : to;
}

int dre_module_pid_to_vpid(int cfd, int pid)
{
	return translate(cfd, 0, pid);
}

int dre_module_vpid_to_pid(int cfd, int vpid)
{
	return translate(cfd, DRE_TRANSLATE_TO_PID, vpid);
}

int dre_module_terminate(int cfd, uint32_t *signalled, uint32_t *silent)
{
	struct dre_terminate terminate = { .size = sizeof(terminate) };
	int ret = request(cfd, DRE_IOC_CONTAINER_TERMINATE, &terminate);

	if (ret)
		return ret;
	if (signalled)
		*signalled = terminate.signalled;
	if (silent)
		*silent = terminate.silent;
	return 0;
}
