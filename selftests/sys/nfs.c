// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host.h"
#include "nfs.h"

#define SERVER	"/tests/sys/nfs-server "

void start_nfs_server(void)
{
	assert_int_equal(shell(SERVER "start"), 0);
}

void stop_nfs_server(void)
{
	assert_int_equal(shell(SERVER "stop"), 0);
}

void make_nfs_server(const char *clients)
{
	assert_int_equal(shell(SERVER "make %s", clients), 0);
}

void remove_nfs_server(void)
{
	assert_int_equal(shell(SERVER "remove"), 0);
}
