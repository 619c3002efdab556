// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The program of ours that runs mmdebstrap makes a disk of what that has built, and writes it as a qcow2 image into
 * the base's layer.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base_debian.h"
#include "base_private.h"
#include "fail.h"

#define STEPS	100
#define SECTOR	512

struct build {
	const struct debian *how;
	const char *name;
};

/* Until it closes its end, which is at its own. */
static void follow(const struct debian *how, int steps)
{
	unsigned int done;
	FILE *f = fdopen(steps, "r");

	if (!f) {
		close(steps);
		return;
	}
	while (fscanf(f, "%u", &done) == 1)
		if (how->progress && done <= STEPS)
			how->progress(how->arg, done, STEPS);
	fclose(f);
}

static int fill(void *arg, int layer_fd)
{
	const struct build *b = arg;
	struct debian_builder builder;
	int pipe_fds[2], ret;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return dre_fail_errno(errno, "base image '%s'", b->name);
	ret = debian_start(&builder, b->name, b->how, layer_fd, pipe_fds[1]);
	close(pipe_fds[1]);
	if (ret) {
		close(pipe_fds[0]);
		return ret;
	}
	follow(b->how, pipe_fds[0]);
	return debian_wait(&builder);
}

int base_build_debian_disk(struct store *store, const char *name, const struct debian *how)
{
	struct build b = { how, name };
	int ret = debian_check(how);

	if (!ret && (how->disk < BASE_DEBIAN_DISK_MIN || how->disk > BASE_DEBIAN_DISK_MAX || how->disk % SECTOR))
		ret = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "a disk of %llu bytes is none for Debian: 1 GiB to 16 TiB, in sectors of 512 bytes",
			       how->disk);
	return ret ? ret : base_make(store, name, fill, &b);
}
