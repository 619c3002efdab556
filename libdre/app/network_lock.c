// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CRIU cuts a container off while it dumps it: by a table of nftables in the network namespace of init, which drops all.
 * One that is killed leaves it there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app.h"
#include "network.h"

/* A pidfd of it, and its number; -1 if there is none. */
static int open_init(const struct app *app, pid_t *init)
{
	int fd = app_init_pid(app, init) ? -1 : syscall(SYS_pidfd_open, *init, 0);
	pid_t again;

	/* Unless it still is init, the number may be another's. */
	if (fd >= 0 && (app_init_pid(app, &again) || again != *init)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* A socket stays in the namespace that it was made in; who makes it does not. Negative errno. */
static int open_netfilter(int init)
{
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd = -1, err = 0;

	if (own < 0 || setns(init, CLONE_NEWNET)) {
		err = -errno;
	} else {
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
		if (fd < 0)
			err = -errno;
		if (setns(own, CLONE_NEWNET))
			err = -errno;
	}
	if (own >= 0)
		close(own);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

/* Returns its size. @table: NULL is none. */
static size_t put_message(char *at, int type, int flags, const char *table)
{
	struct nlmsghdr *head = (void *)at;
	struct nfgenmsg *body = NLMSG_DATA(head);
	struct nlattr *name = (void *)(body + 1);

	*head = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(sizeof(*body)), .nlmsg_type = type,
				   .nlmsg_flags = NLM_F_REQUEST | flags };
	*body = (struct nfgenmsg){ .nfgen_family = table ? NFPROTO_INET : NFPROTO_UNSPEC, .version = NFNETLINK_V0,
				   .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	if (table) {
		*name = (struct nlattr){ .nla_len = NLA_HDRLEN + strlen(table) + 1, .nla_type = NFTA_TABLE_NAME };
		strcpy((char *)(name + 1), table);
		head->nlmsg_len += NLA_ALIGN(name->nla_len);
	}
	return head->nlmsg_len;
}

/* The kernel answers before it returns from send(). Negative errno. */
static int delete_table(int netfilter, const char *table)
{
	char request[256] __attribute__((aligned(NLMSG_ALIGNTO))) = "";
	char answer[512] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *head = (void *)answer;
	size_t len = put_message(request, NFNL_MSG_BATCH_BEGIN, 0, NULL);
	ssize_t got;

	len += put_message(request + len, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, NLM_F_ACK, table);
	len += put_message(request + len, NFNL_MSG_BATCH_END, 0, NULL);
	if (send(netfilter, request, len, 0) < 0)
		return -errno;
	got = recv(netfilter, answer, sizeof(answer), MSG_DONTWAIT);
	if (got < 0)
		return -errno;
	if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || head->nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return ((struct nlmsgerr *)NLMSG_DATA(head))->error;
}

int network_unlock(const struct app *app)
{
	char table[sizeof("CRIU-") + 12];
	pid_t init;
	int pidfd = open_init(app, &init), netfilter, err;

	if (pidfd < 0)		/* it has ended */
		return 0;
	netfilter = open_netfilter(pidfd);
	close(pidfd);
	snprintf(table, sizeof(table), "CRIU-%d", init);
	err = netfilter < 0 ? netfilter : delete_table(netfilter, table);
	if (netfilter >= 0)
		close(netfilter);
	/* There is none, or the kernel has no tables at all. */
	if (!err || err == -ENOENT || err == -EOPNOTSUPP || err == -EPROTONOSUPPORT || err == -ESRCH)
		return 0;
	return dre_fail_errno(-err, "container '%s': what CRIU has cut its network off with, nftables' table inet %s",
			      app->name, table);
}
