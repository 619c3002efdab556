// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The container's side of dre-app cp, see files.c.
 */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app-helper.h"
#include "common/tar.h"
#include "common/userns.h"

#define DIRECTORY_FD	4	/* where files are read or written */
#define STREAM_FD	5	/* the archive */

/*
 * Becomes root of a user namespace like the container's. What the container may do while we are at
 * work, it cannot make us do what it could not do itself.
 */
static int become_root(const char *first, const char *count)
{
	const struct idmap map = { strtoul(first, NULL, 10), strtoul(count, NULL, 10) };
	int fd, err = 0;

	if (!map.count)
		return 0;
	fd = userns_open(&map);
	if (fd < 0)
		return fd;
	if (setns(fd, CLONE_NEWUSER) || setgroups(0, NULL) || setresgid(0, 0, 0) ||
	    setresuid(0, 0, 0))
		err = -errno;
	close(fd);
	return err;
}

static int report_files(int err)
{
	return err ? report_error("error %d: %s", err, dre_last_error()) : report_ok(0);
}

int do_pack(char **argv)
{
	const struct tar_source source = {
		.dir = DIRECTORY_FD,
		.entry = argv[2],
		.member = argv[3],
		.content = !strcmp(argv[3], "."),
		.what = "",
		.filter = &(struct tar_filter){ .change = app_leave_ids },
	};
	int err = become_root(argv[0], argv[1]);

	if (err)
		return report_error("its user namespace: %s", strerror(-err));
	return report_files(tar_pack(&source, STREAM_FD));
}

int do_unpack(char **argv)
{
	const struct tar_target target = { .dir = DIRECTORY_FD, .what = "files", .optional = true };
	int err = become_root(argv[0], argv[1]);

	if (err)
		return report_error("its user namespace: %s", strerror(-err));
	return report_files(tar_unpack(STREAM_FD, &target));
}
