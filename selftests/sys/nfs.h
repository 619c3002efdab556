/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A real NFS server, in this machine. What it exports is a file system of its own, so that it can be full.
 */
#ifndef SELFTESTS_SYS_NFS_H
#define SELFTESTS_SYS_NFS_H

#define EXPORT	"/srv/dre-test"

/* @clients as exports(5) has them. */
void make_nfs_server(const char *clients);
void remove_nfs_server(void);

void start_nfs_server(void);
/* Who has it mounted is not told. */
void stop_nfs_server(void);

#endif /* SELFTESTS_SYS_NFS_H */
