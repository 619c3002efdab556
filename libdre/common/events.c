// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Following events: the queues of several container fds as one.
 *
 * The module tells of changes through /proc/daware, and that is how a container
 * that starts is noticed. Such a change is told once, to whoever asks first: a
 * poll(2) on our epoll fd is enough. So it is only what wakes us up; the list of
 * containers is compared each time that no event is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "events.h"
#include "fail.h"
#include "kmod.h"
#include "module.h"
#include "store.h"

/* Containers that are read at once, each as much as its queue can hold. */
#define MAX_READY	16

/* Control groups of a container that are known when they are gone: of the events that wait, each may be of another. */
#define MAX_GONE	(2 * DRE_EVENTS_MAX)

/* The kernel's own types begin with 1; this one is ours. */
#define STARTED	0

/* A container that is followed. */
struct followed {
	struct followed *next;
	int fd;
	char name[DRE_NAME_SIZE];
	struct dre_group_info *groups;	/* also some that are gone: they may be so when we hear of them */
	size_t nr_groups;
};

struct item {
	struct followed *from;
	struct dre_event event;
};

struct events {
	uint32_t type;
	int epoll, daware, dre;
	char **names;			/* NULL: all */
	struct followed *followed;
	struct item items[MAX_READY * DRE_EVENTS_MAX];
	size_t nr, next;		/* of items: all, and those that were given to the caller */
	struct followed *leaving;	/* its last event was given to the caller */
	struct event event;
	char comm[64];
};

static void forget(struct events *e, struct followed *f)
{
	struct followed **at = &e->followed;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	close(f->fd);
	free(f->groups);
	free(f);
}

static struct timespec to_timespec(long long ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static long long now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Control groups */

/* Those that were known and are not among the @nr that there are @now: the last ones, in the order in which they went. */
static size_t copy_gone(const struct followed *f, const struct dre_group_info *now, size_t nr,
			struct dre_group_info to[MAX_GONE])
{
	size_t nr_gone = 0;

	for (size_t i = f->nr_groups; i-- && nr_gone < MAX_GONE; ) {
		size_t j = 0;

		while (j < nr && now[j].id != f->groups[i].id)
			j++;
		if (j == nr)
			to[MAX_GONE - ++nr_gone] = f->groups[i];
	}
	memmove(to, to + MAX_GONE - nr_gone, nr_gone * sizeof(*to));
	return nr_gone;
}

/* Numbers are not used again soon, so some of those that are gone stay known, before those that there are. */
static int learn_groups(struct followed *f)
{
	struct dre_group_info *now, *all;
	size_t nr, nr_gone;
	int ret = dre_module_group_list(f->fd, &now, &nr);

	if (ret)
		return ret;
	all = calloc(MAX_GONE + nr, sizeof(*all));
	if (!all) {
		free(now);
		return -ENOMEM;
	}
	nr_gone = copy_gone(f, now, nr, all);
	if (nr)
		memcpy(all + nr_gone, now, nr * sizeof(*now));
	free(now);
	free(f->groups);
	f->groups = all;
	f->nr_groups = nr_gone + nr;
	return 0;
}

static const char *known_group(const struct followed *f, uint32_t id)
{
	for (size_t i = 0; i < f->nr_groups; i++)
		if (f->groups[i].id == id)
			return f->groups[i].name;
	return NULL;
}

static const char *group_name(struct followed *f, uint32_t id)
{
	const char *name = known_group(f, id);

	if (!name && !learn_groups(f))
		name = known_group(f, id);
	return name;
}

/* Names of programs */

/* As /proc/daware does it: a line stays a line. */
static const char *escape_comm(struct events *e, const char *from, const char *end)
{
	char *to = e->comm;

	for (; from < end && to < e->comm + sizeof(e->comm) - 2; from++) {
		if (*from == '\n' || *from == '\\')
			*to++ = '\\';
		*to++ = *from == '\n' ? 'n' : *from;
	}
	*to = '\0';
	return e->comm;
}

static bool read_stat(int pid, char *text, size_t size)
{
	char path[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
	return true;
}

/*
 * The number may name another process by now. That one is younger than the
 * event; times of starts are rounded down to clock ticks.
 */
static const char *comm_of(struct events *e, int pid, unsigned long long time)
{
	unsigned long long start, tick = 1000000000 / sysconf(_SC_CLK_TCK);
	char text[1024], *begin, *end;

	if (!read_stat(pid, text, sizeof(text)))
		return NULL;
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	/* The 22nd field, and the third one follows the name. */
	if (!begin || !end ||
	    sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
		   "%*d %*d %llu", &start) != 1 || start * tick > time)
		return NULL;
	return escape_comm(e, begin + 1, end);
}

/* Which containers are followed */

static bool is_wanted(const struct events *e, const struct dre_container_info *info)
{
	if (info->type != e->type)
		return false;
	for (const struct followed *f = e->followed; f; f = f->next)
		if (!strcmp(f->name, info->name))
			return false;
	if (!e->names)
		return true;
	for (char **name = e->names; *name; name++)
		if (!strcmp(*name, info->name))
			return true;
	return false;
}

/* -ENOENT: it has ended. */
static int open_followed(struct events *e, const char *name)
{
	struct epoll_event wait = { .events = EPOLLIN };
	struct followed *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return -ENOMEM;
	f->fd = dre_module_container_open(e->dre, e->type, name, 0);
	if (f->fd < 0) {
		ret = f->fd;
		free(f);
		return ret;
	}
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->next = e->followed;
	e->followed = f;
	wait.data.ptr = f;
	ret = learn_groups(f);
	if (ret == -ENODEV)	/* its end is in the queue */
		ret = 0;
	if (!ret && (fcntl(f->fd, F_SETFL, O_NONBLOCK) ||
		     epoll_ctl(e->epoll, EPOLL_CTL_ADD, f->fd, &wait)))
		ret = -errno;
	if (ret)
		forget(e, f);
	return ret;
}

/*
 * Its init is asked for now, where that can be: the name may be that of the next one since it was listed as
 * @pid.
 */
static void tell_started(struct events *e, struct followed *f, int pid)
{
	bool app = e->type == DRE_CONTAINER_APP;
	int init = app ? dre_module_vpid_to_pid(f->fd, 1) : pid;

	e->items[e->nr++] = (struct item){ f, {
		.type = STARTED,
		.pid = init > 0 ? init : 0,
		.vpid = app,
		.time = now_ns(CLOCK_BOOTTIME),
	} };
}

static int module_error(int err)
{
	return err ? dre_fail_errno(-err, "cannot follow the events of containers") : 0;
}

/* Follows those that are not followed yet, and tells of them if @tell. */
static int follow_new(struct events *e, bool tell)
{
	struct dre_container_info *info;
	size_t nr;
	int ret = dre_module_container_list(e->dre, &info, &nr);

	if (ret)
		return module_error(ret);
	for (size_t i = 0; i < nr && !ret && e->nr < MAX_READY * DRE_EVENTS_MAX; i++) {
		if (!is_wanted(e, &info[i]))
			continue;
		ret = open_followed(e, info[i].name);
		if (!ret && tell)
			tell_started(e, e->followed, info[i].pid);
		if (ret == -ENOENT)
			ret = 0;
	}
	free(info);
	return module_error(ret);
}

/* Reading */

static int read_followed(struct events *e, struct followed *f)
{
	struct dre_event events[DRE_EVENTS_MAX];
	ssize_t len = read(f->fd, events, sizeof(events));

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (size_t i = 0; i < len / sizeof(*events); i++)
		e->items[e->nr++] = (struct item){ f, events[i] };
	return 0;
}

/* By time; those of one container are in order. */
static void merge(struct item *items, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		struct item item = items[i];
		size_t j = i;

		for (; j && items[j - 1].event.time > item.event.time; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/* All items were given to the caller: what has happened since. */
static int refill(struct events *e)
{
	struct epoll_event ready[MAX_READY];
	int ret = 0, n = epoll_wait(e->epoll, ready, MAX_READY, 0);

	e->nr = 0;
	e->next = 0;
	for (int i = 0; i < n && !ret; i++)
		if (ready[i].data.ptr)
			ret = read_followed(e, ready[i].data.ptr);
	if (ret)
		return module_error(ret);
	merge(e->items, e->nr);
	return e->nr ? 0 : follow_new(e, true);
}

/* Types of the module's events, and what they are here. */
static const enum event_type types[] = {
	[STARTED] = EVENT_STARTED,
	[DRE_EVENT_REGISTERED] = EVENT_REGISTERED,
	[DRE_EVENT_UNREGISTERED] = EVENT_UNREGISTERED,
	[DRE_EVENT_EXITED] = EVENT_EXITED,
	[DRE_EVENT_REFUSED] = EVENT_REFUSED,
	[DRE_EVENT_ENDED] = EVENT_ENDED,
	[DRE_EVENT_LOST] = EVENT_LOST,
	[DRE_EVENT_BOUND] = EVENT_BOUND,
	[DRE_EVENT_UNBOUND] = EVENT_UNBOUND,
};

static int registrations(uint32_t flags)
{
	return (flags & DRE_PROCESS_SELF ? EVENT_BY_ITSELF : 0) |
	       (flags & DRE_PROCESS_MANAGED ? EVENT_BY_MANAGER : 0);
}

/* Fills e->event. False for an event of a newer module, which nobody here knows. */
static bool describe(struct events *e, const struct item *item)
{
	const struct dre_event *from = &item->event;
	struct event *to = &e->event;
	long long offset = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);

	if (from->type >= sizeof(types) / sizeof(types[0]))
		return false;
	*to = (struct event){
		.type = types[from->type],
		.container = item->from->name,
		.time = to_timespec(from->time + offset),
		.pid = from->pid,
		.vpid = from->vpid,
	};
	/* Init is known before it is executed, and has its parent's name then. */
	if (from->pid && to->type != EVENT_STARTED)
		to->comm = comm_of(e, from->pid, from->time);
	switch (to->type) {
	case EVENT_REGISTERED:
	case EVENT_UNREGISTERED:
		to->by = registrations(from->value);
		break;
	case EVENT_EXITED:
	case EVENT_ENDED:
		to->status = from->value;
		break;
	case EVENT_REFUSED:
		to->signal = from->value;
		break;
	case EVENT_BOUND:
	case EVENT_UNBOUND:
		to->group = group_name(item->from, from->value);
		break;
	case EVENT_LOST:
		to->lost = from->value;
		break;
	case EVENT_STARTED:
		break;
	}
	return true;
}

int events_next(struct events *e, const struct event **event)
{
	const struct item *item;
	int err;

	if (e->leaving) {
		/* Closed is not enough where the caller has forked: a child may have the same file open. */
		epoll_ctl(e->epoll, EPOLL_CTL_DEL, e->leaving->fd, NULL);
		forget(e, e->leaving);
	}
	e->leaving = NULL;
	do {
		if (e->next == e->nr) {
			err = refill(e);
			if (err && !e->nr)
				return err;
		}
		if (!e->nr) {
			*event = NULL;
			return 0;
		}
		item = &e->items[e->next++];
	} while (!describe(e, item));
	if (item->event.type == DRE_EVENT_ENDED)
		e->leaving = item->from;
	*event = &e->event;
	return 0;
}

/* Opening and closing */

int events_fd(const struct events *e)
{
	return e->epoll;
}

void events_close(struct events *e)
{
	while (e->followed)
		forget(e, e->followed);
	if (e->dre >= 0)
		close(e->dre);
	if (e->daware >= 0)
		close(e->daware);
	if (e->epoll >= 0)
		close(e->epoll);
	store_free_list(e->names);
	free(e);
}

static char **copy_names(char *const names[])
{
	size_t nr = 0;
	char **copy;

	while (names[nr])
		nr++;
	copy = calloc(nr + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < nr; i++) {
		copy[i] = strdup(names[i]);
		if (!copy[i]) {
			store_free_list(copy);
			return NULL;
		}
	}
	return copy;
}

static int open_files(struct events *e)
{
	struct epoll_event wait = { .events = EPOLLPRI };
	int err = kmod_open(&e->dre);

	if (err)
		return err;
	e->daware = open("/proc/daware", O_RDONLY | O_CLOEXEC);
	if (e->daware < 0)
		return dre_fail_errno(errno, "/proc/daware");
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (e->epoll < 0 || epoll_ctl(e->epoll, EPOLL_CTL_ADD, e->daware, &wait))
		return module_error(-errno);
	return follow_new(e, false);
}

/* All of them; what is wrong with one does not keep us from the others. */
static int introduce_all(const struct events_of *of)
{
	char **names;
	int err = of->list(&names);

	if (err)
		return err;
	for (char **name = names; *name; name++)
		of->introduce(*name);
	store_free_list(names);
	return 0;
}

static int introduce_named(const struct events_of *of, char *const names[])
{
	int err = 0;

	for (char *const *name = names; *name && !err; name++)
		err = of->introduce(*name);
	return err;
}

int events_open(const struct events_of *of, char *const names[], struct events **events)
{
	int err = names ? introduce_named(of, names) : introduce_all(of);
	struct saved_error saved;
	struct events *e;

	if (err)
		return err;
	e = calloc(1, sizeof(*e));
	if (!e)
		return module_error(-ENOMEM);
	e->type = of->type;
	e->epoll = e->daware = e->dre = -1;
	if (names)
		e->names = copy_names(names);
	err = names && !e->names ? module_error(-ENOMEM) : open_files(e);
	if (err) {
		save_error(&saved);
		events_close(e);
		restore_error(&saved);
		return err;
	}
	*events = e;
	return 0;
}
