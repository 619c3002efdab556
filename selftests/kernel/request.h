/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The requests of uapi/linux/dre.h as functions, and views of what the module
 * knows. Functions return 0 or more, or -errno.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <linux/dre.h>

#include "agent.h"

#define DRE_DEVICE	"/dev/dre"
#define DAWARE		"/proc/daware"
#define DAWARE_HEADER	"PID\tVPID\tSIGNALS\tCONTAINER\tCOMM\n"

/* A list of signals. 0 ends it, so that only a raw request can send a 0. */
#define SIGNALS(...)	((const __u8[]){ __VA_ARGS__ __VA_OPT__(,) 0 })
#define NO_SIGNALS	SIGNALS()

/**
 * struct tally - events that were read
 * @events: how many of each type
 * @lost: how many had no room
 */
struct tally {
	int events[DRE_EVENT_UNBOUND + 1];
	int lost;
};

int dre_open(void);
int dre_request(int fd, unsigned long cmd, void *arg);
int agent_request(struct agent *a, int fd, unsigned long cmd, void *arg, size_t size);

int container_create(int dre, __u32 type, pid_t pid, const char *name);
int container_open(int dre, __u32 type, const char *name);
int container_open_ended(int dre, __u32 type, const char *name);
int container_count(int dre);

int self_register(struct agent *a, const __u8 *signals);
int self_unregister(struct agent *a);
int self_refuse(struct agent *a, __u8 sig);

int process_register(int fd, pid_t pid, __u32 flags, const __u8 *signals);
int process_unregister(int fd, pid_t pid, __u32 flags);
int process_find(int fd, pid_t pid, struct dre_process_info *info);
int process_count(int fd);

int group_create(int fd, int cgroup, const char *name, __u32 *id);
int group_destroy(int fd, const char *name);
int group_find(int fd, const char *name, struct dre_group_info *info);
int group_count(int fd);
int process_bind(int fd, pid_t pid, __u32 flags, const char *name);
int process_unbind(int fd, pid_t pid, __u32 flags, const char *name);
int agent_bind(struct agent *a, int fd, unsigned long cmd, pid_t pid, __u32 flags,
	       const char *name);
int binding_find(int fd, pid_t pid, struct dre_binding_info *info);
int binding_count(int fd);

int container_terminate(int fd, __u32 *signalled, __u32 *silent);
int translate(int fd, __u32 flags, const __s32 *from, __s32 *to, __u32 count);
int translate_one(int fd, __u32 flags, pid_t number);

int next_event(int fd, struct dre_event *event);
void tally_events(int fd, struct tally *tally);
int readable(int fd);

char *read_all(int fd, size_t chunk);
char *read_daware(void);
char *daware_line(const char *text, pid_t pid);
int daware_lines(const char *text);
const char *daware_malformed(const char *text);

char *snapshot(int dre);
int open_files(void);

long long now_ms(void);

/* Waits until @cond holds; false when it did not in time. */
#define eventually(cond) ({						\
	long long __end = now_ms() + DEADLINE * 1000LL;			\
	bool __holds;							\
	while (!(__holds = (cond)) && now_ms() < __end)			\
		usleep(1000);						\
	__holds;							\
})

#endif /* REQUEST_H */
