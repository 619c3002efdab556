// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host.h"
#include "nfs.h"

#define IMAGE	"/run/dre-test-export"

void start_nfs_server(void)
{
	assert_int_equal(shell("rpc.nfsd -N 3 -V 4 4"), 0);
}

void stop_nfs_server(void)
{
	assert_int_equal(shell("rpc.nfsd 0"), 0);
}

/* It need not wait for clients that it has had before: there were none. */
void make_nfs_server(const char *clients)
{
	assert_int_equal(shell("modprobe nfsd && mkdir -p " EXPORT " /run/rpc_pipefs /var/lib/nfs/v4recovery && "
			       "(mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd) && "
			       "echo 10 >/proc/fs/nfsd/nfsv4leasetime && echo 10 >/proc/fs/nfsd/nfsv4gracetime"), 0);
	assert_int_equal(shell("truncate -s 400M " IMAGE " && mkfs.ext4 -q " IMAGE " && "
			       "mount -o loop " IMAGE " " EXPORT " && rmdir " EXPORT "/lost+found"), 0);
	assert_int_equal(shell("exportfs -o rw,no_root_squash,sync,fsid=1 %s:" EXPORT " && "
			       "rpc.mountd -N 2 -N 3", clients), 0);
	start_nfs_server();
}

void remove_nfs_server(void)
{
	stop_nfs_server();
	shell("exportfs -ua; kill $(pgrep -x rpc.mountd); umount " EXPORT "; rm " IMAGE);
}
