// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "request.h"

int dre_open(void)
{
	int fd = open(DRE_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("open %s", DRE_DEVICE);
	return fd;
}

int dre_request(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

struct request {
	unsigned long cmd;
	char arg[128];
};

static int do_request(int fd, void *arg)
{
	struct request *r = arg;
	int dre, ret;

	if (fd >= 0)
		return dre_request(fd, r->cmd, r->arg);
	dre = open(DRE_DEVICE, O_RDWR | O_CLOEXEC);
	if (dre < 0)
		return -errno;
	ret = dre_request(dre, r->cmd, r->arg);
	close(dre);
	return ret;
}

/* The agent makes the request, to @fd or, if that is -1, to what it opens itself. */
int agent_request(struct agent *a, int fd, unsigned long cmd, void *arg, size_t size)
{
	struct request r = { .cmd = cmd };
	int ret;

	memcpy(r.arg, arg, size);
	ret = agent_call_fd(a, fd, do_request, &r, sizeof(r));
	memcpy(arg, r.arg, size);
	return ret;
}

/* Too long a name is left without its NUL. */
static void set_name(char to[DRE_NAME_SIZE], const char *name)
{
	memcpy(to, name, strnlen(name, DRE_NAME_SIZE));
}

int container_create(int dre, __u32 type, pid_t pid, const char *name)
{
	struct dre_container_create c = {
		.size = sizeof(c),
		.type = type,
		.pid = pid,
		.fd = -1,
	};
	int ret;

	set_name(c.name, name);
	ret = dre_request(dre, DRE_IOC_CONTAINER_CREATE, &c);
	return ret < 0 ? ret : c.fd;
}

static int open_container(int dre, __u32 type, __u32 flags, const char *name)
{
	struct dre_container_open c = {
		.size = sizeof(c),
		.flags = flags,
		.type = type,
		.fd = -1,
	};
	int ret;

	set_name(c.name, name);
	ret = dre_request(dre, DRE_IOC_CONTAINER_OPEN, &c);
	return ret < 0 ? ret : c.fd;
}

int container_open(int dre, __u32 type, const char *name)
{
	return open_container(dre, type, 0, name);
}

int container_open_ended(int dre, __u32 type, const char *name)
{
	return open_container(dre, type, DRE_OPEN_ENDED, name);
}

int container_count(int dre)
{
	struct dre_info info = { .size = sizeof(info) };
	int ret = dre_request(dre, DRE_IOC_INFO, &info);

	return ret < 0 ? ret : (int)info.containers;
}

static __u32 set_signals(__u8 to[DRE_SIGNALS_MAX], const __u8 *signals)
{
	__u32 nr;

	for (nr = 0; signals[nr] && nr < DRE_SIGNALS_MAX; nr++)
		to[nr] = signals[nr];
	return nr;
}

/* The process itself makes these three. @a: an agent; NULL: the test. */

static int self_request(struct agent *a, unsigned long cmd, struct dre_self *self)
{
	int dre, ret;

	if (a)
		return agent_request(a, -1, cmd, self, sizeof(*self));
	dre = dre_open();
	ret = dre_request(dre, cmd, self);
	close(dre);
	return ret;
}

int self_register(struct agent *a, const __u8 *signals)
{
	struct dre_self self = { .size = sizeof(self) };

	self.nr_signals = set_signals(self.signals, signals);
	return self_request(a, DRE_IOC_SELF_REGISTER, &self);
}

int self_unregister(struct agent *a)
{
	struct dre_self self = { .size = sizeof(self) };

	return self_request(a, DRE_IOC_SELF_UNREGISTER, &self);
}

int self_refuse(struct agent *a, __u8 sig)
{
	struct dre_self self = { .size = sizeof(self), .nr_signals = 1, .signals = { sig } };

	return self_request(a, DRE_IOC_SELF_REFUSE, &self);
}

int process_register(int fd, pid_t pid, __u32 flags, const __u8 *signals)
{
	struct dre_process p = { .size = sizeof(p), .flags = flags, .pid = pid };

	p.nr_signals = set_signals(p.signals, signals);
	return dre_request(fd, DRE_IOC_PROCESS_REGISTER, &p);
}

int process_unregister(int fd, pid_t pid, __u32 flags)
{
	struct dre_process p = { .size = sizeof(p), .flags = flags, .pid = pid };

	return dre_request(fd, DRE_IOC_PROCESS_UNREGISTER, &p);
}

#define STEP	16

/* Walks a list in steps of a few, calls @fn until it returns true. */
static int walk(int fd, unsigned long cmd, __u32 entry_size,
		bool (*fn)(const void *entry, void *arg), void *arg)
{
	union {
		struct dre_process_info process[STEP];
		struct dre_group_info group[STEP];
		struct dre_binding_info binding[STEP];
	} info;
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)&info,
		.entry_size = entry_size,
	};
	__u32 i;
	int ret;

	do {
		list.count = STEP;
		ret = dre_request(fd, cmd, &list);
		if (ret < 0)
			return ret;
		for (i = 0; i < list.count; i++) {
			if (fn((const char *)&info + i * entry_size, arg))
				return 0;
		}
	} while (list.cursor);
	return 0;
}

#define WALK(_fd, _what, _type, _fn, _arg)	\
	walk(_fd, DRE_IOC_##_what##_LIST, sizeof(struct _type), _fn, _arg)

static bool count_one(const void *entry, void *arg)
{
	++*(int *)arg;
	return false;
}

int process_count(int fd)
{
	int count = 0;
	int ret = WALK(fd, PROCESS, dre_process_info, count_one, &count);

	return ret < 0 ? ret : count;
}

static bool find_process(const void *entry, void *arg)
{
	const struct dre_process_info *info = entry;
	struct dre_process_info *wanted = arg;

	if (info->pid != wanted->pid)
		return false;
	*wanted = *info;
	return true;
}

/* -ENOENT: it is not in the list. */
int process_find(int fd, pid_t pid, struct dre_process_info *info)
{
	int ret;

	memset(info, 0, sizeof(*info));
	info->pid = pid;
	ret = WALK(fd, PROCESS, dre_process_info, find_process, info);
	if (ret < 0)
		return ret;
	return info->flags ? 0 : -ENOENT;
}

int group_create(int fd, int cgroup, const char *name, __u32 *id)
{
	struct dre_group g = { .size = sizeof(g), .fd = cgroup };
	int ret;

	set_name(g.name, name);
	ret = dre_request(fd, DRE_IOC_GROUP_CREATE, &g);
	if (!ret && id)
		*id = g.id;
	return ret;
}

int group_destroy(int fd, const char *name)
{
	struct dre_group g = { .size = sizeof(g) };

	set_name(g.name, name);
	return dre_request(fd, DRE_IOC_GROUP_DESTROY, &g);
}

int group_count(int fd)
{
	int count = 0;
	int ret = WALK(fd, GROUP, dre_group_info, count_one, &count);

	return ret < 0 ? ret : count;
}

static bool find_group(const void *entry, void *arg)
{
	const struct dre_group_info *info = entry;
	struct dre_group_info *wanted = arg;

	if (strcmp(info->name, wanted->name) != 0)
		return false;
	*wanted = *info;
	return true;
}

/* -ENOENT: it is not in the list. */
int group_find(int fd, const char *name, struct dre_group_info *info)
{
	int ret;

	memset(info, 0, sizeof(*info));
	set_name(info->name, name);
	ret = WALK(fd, GROUP, dre_group_info, find_group, info);
	if (ret < 0)
		return ret;
	return info->id ? 0 : -ENOENT;
}

static int bind_request(int fd, unsigned long cmd, pid_t pid, __u32 flags, const char *name)
{
	struct dre_bind b = { .size = sizeof(b), .flags = flags, .pid = pid };

	set_name(b.name, name);
	return dre_request(fd, cmd, &b);
}

int process_bind(int fd, pid_t pid, __u32 flags, const char *name)
{
	return bind_request(fd, DRE_IOC_BIND, pid, flags, name);
}

int process_unbind(int fd, pid_t pid, __u32 flags, const char *name)
{
	return bind_request(fd, DRE_IOC_UNBIND, pid, flags, name);
}

/* DRE_IOC_BIND or _UNBIND as the agent makes it; @pid is the number there. */
int agent_bind(struct agent *a, int fd, unsigned long cmd, pid_t pid, __u32 flags,
	       const char *name)
{
	struct dre_bind b = { .size = sizeof(b), .flags = flags, .pid = pid };

	set_name(b.name, name);
	return agent_request(a, fd, cmd, &b, sizeof(b));
}

int binding_count(int fd)
{
	int count = 0;
	int ret = WALK(fd, BINDING, dre_binding_info, count_one, &count);

	return ret < 0 ? ret : count;
}

static bool find_binding(const void *entry, void *arg)
{
	const struct dre_binding_info *info = entry;
	struct dre_binding_info *wanted = arg;

	if (info->pid != wanted->pid)
		return false;
	*wanted = *info;
	return true;
}

/* -ENOENT: it is not in the list. */
int binding_find(int fd, pid_t pid, struct dre_binding_info *info)
{
	int ret;

	memset(info, 0, sizeof(*info));
	info->pid = pid;
	ret = WALK(fd, BINDING, dre_binding_info, find_binding, info);
	if (ret < 0)
		return ret;
	return info->group ? 0 : -ENOENT;
}

int container_terminate(int fd, __u32 *signalled, __u32 *silent)
{
	struct dre_terminate t = { .size = sizeof(t) };
	int ret = dre_request(fd, DRE_IOC_CONTAINER_TERMINATE, &t);

	*signalled = t.signalled;
	*silent = t.silent;
	return ret;
}

int translate(int fd, __u32 flags, const __s32 *from, __s32 *to, __u32 count)
{
	struct dre_translate t = {
		.size = sizeof(t),
		.flags = flags,
		.from = (uintptr_t)from,
		.to = (uintptr_t)to,
		.count = count,
	};

	return dre_request(fd, DRE_IOC_TRANSLATE, &t);
}

int translate_one(int fd, __u32 flags, pid_t number)
{
	__s32 to = -1;
	int ret = translate(fd, flags, &number, &to, 1);

	return ret < 0 ? ret : to;
}

/* Waits for one: 1 and the event, 0 at the end, or -errno; -ETIME: none came. */
int next_event(int fd, struct dre_event *event)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;
	int ret;

	ret = poll(&p, 1, DEADLINE * 1000);
	if (ret < 0)
		return -errno;
	if (!ret)
		return -ETIME;
	n = read(fd, event, sizeof(*event));
	if (n < 0)
		return -errno;
	if (n && n != sizeof(*event))
		return -EBADMSG;
	return n == sizeof(*event);
}

/* Adds what events there are, without waiting. */
void tally_events(int fd, struct tally *tally)
{
	struct dre_event events[32];
	ssize_t n;
	int i;

	while (readable(fd) & POLLIN) {
		n = read(fd, events, sizeof(events));
		if (n <= 0)
			return;
		for (i = 0; i < n / (ssize_t)sizeof(events[0]); i++) {
			if (events[i].type > DRE_EVENT_UNBOUND)
				die("event of type %u", events[i].type);
			tally->events[events[i].type]++;
			if (events[i].type == DRE_EVENT_LOST)
				tally->lost += events[i].value;
		}
	}
}

/* What poll(2) says at once. */
int readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

/* All there is to read, in reads of @chunk bytes; NULL: errno says. */
char *read_all(int fd, size_t chunk)
{
	size_t room = chunk + 4096, used = 0;
	char *text = malloc(room + 1);
	ssize_t n;

	if (!text)
		die("malloc");
	for (;;) {
		if (room - used < chunk) {
			room *= 2;
			text = realloc(text, room + 1);
			if (!text)
				die("realloc");
		}
		n = read(fd, text + used, chunk);
		if (n <= 0)
			break;
		used += n;
	}
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[used] = '\0';
	return text;
}

char *read_daware(void)
{
	int fd = open(DAWARE, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0)
		die("open %s", DAWARE);
	text = read_all(fd, 64 * 1024);
	if (!text)
		die("read %s", DAWARE);
	close(fd);
	return text;
}

/* The line of the process, without its newline; NULL: it has none. */
char *daware_line(const char *text, pid_t pid)
{
	char start[16];
	const char *line;

	snprintf(start, sizeof(start), "\n%d\t", pid);
	line = strstr(text, start);
	return line ? strndup(line + 1, strcspn(line + 1, "\n")) : NULL;
}

int daware_lines(const char *text)
{
	int lines = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		lines++;
	}
	return lines - 1;
}

static bool is_number(const char *s, size_t len)
{
	return len && len <= 10 && strspn(s, "0123456789") >= len && (len == 1 || *s != '0');
}

static bool is_signals(const char *s, size_t len)
{
	size_t n;

	if (len == 1 && *s == '-')
		return true;
	for (;;) {
		n = strcspn(s, ",\t");
		if (!is_number(s, n) || atoi(s) < 1 || atoi(s) > 64)
			return false;
		len -= n;
		s += n;
		if (!len)
			return true;
		len--;
		s++;
	}
}

static bool is_name(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr("_.-", s[i]))
			return false;
	}
	return len && len < DRE_NAME_SIZE;
}

/* What is wrong with a text from /proc/daware; NULL: nothing. */
const char *daware_malformed(const char *text)
{
	size_t field[4];
	int pid, last = 0;
	const char *s;
	int i;

	if (strncmp(text, DAWARE_HEADER, strlen(DAWARE_HEADER)))
		return "header";
	for (text += strlen(DAWARE_HEADER); *text; text = s + 1) {
		s = text;
		for (i = 0; i < 4; i++) {
			field[i] = strcspn(s, "\t\n");
			if (s[field[i]] != '\t')
				return "number of fields";
			s += field[i] + 1;
		}
		pid = atoi(text);
		s = text;
		if (!is_number(s, field[0]) || pid <= 0)
			return "PID";
		if (pid <= last)
			return "order";
		last = pid;
		s += field[0] + 1;
		if (!is_number(s, field[1]))
			return "VPID";
		s += field[1] + 1;
		if (!is_signals(s, field[2]))
			return "SIGNALS";
		s += field[2] + 1;
		if (!is_name(s, field[3]))
			return "CONTAINER";
		s += field[3] + 1;
		s = strchr(s, '\n');
		if (!s)
			return "last line not ended";
	}
	return NULL;
}

static bool print_process(const void *entry, void *arg)
{
	const struct dre_process_info *info = entry;
	__u32 i;

	fprintf(arg, " %d=%d flags %u:", info->pid, info->vpid, info->flags);
	for (i = 0; i < info->nr_signals && i < DRE_SIGNALS_MAX; i++)
		fprintf(arg, " %d", info->signals[i]);
	fprintf(arg, "\n");
	return false;
}

static bool print_group(const void *entry, void *arg)
{
	const struct dre_group_info *info = entry;

	fprintf(arg, " group %u %.64s: cgroup %llu, bound %u\n", info->id, info->name,
		(unsigned long long)info->cgroup, info->bindings);
	return false;
}

static bool print_binding(const void *entry, void *arg)
{
	const struct dre_binding_info *info = entry;

	fprintf(arg, " %d=%d in group %u\n", info->pid, info->vpid, info->group);
	return false;
}

/* All that the module tells, as a text; what ends meanwhile may be in it or not. */
char *snapshot(int dre)
{
	struct dre_container_info info[64];
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)info,
		.entry_size = sizeof(info[0]),
		.count = 64,
	};
	char *text, *daware;
	size_t size;
	FILE *out;
	__u32 i;
	int fd;

	out = open_memstream(&text, &size);
	if (!out)
		die("open_memstream");
	fprintf(out, "%d containers\n", container_count(dre));
	if (dre_request(dre, DRE_IOC_CONTAINER_LIST, &list) || list.cursor)
		die("CONTAINER_LIST");
	for (i = 0; i < list.count; i++) {
		fprintf(out, "%.64s type %u init %d\n", info[i].name, info[i].type, info[i].pid);
		fd = container_open(dre, info[i].type, info[i].name);
		if (fd < 0)
			continue;
		WALK(fd, PROCESS, dre_process_info, print_process, out);
		WALK(fd, GROUP, dre_group_info, print_group, out);
		WALK(fd, BINDING, dre_binding_info, print_binding, out);
		close(fd);
	}
	daware = read_daware();
	fputs(daware, out);
	free(daware);
	if (fclose(out))
		die("fclose");
	return text;
}

int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		die("/proc/self/fd");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}
