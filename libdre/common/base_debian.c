// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program of ours runs mmdebstrap and writes a tar archive, which becomes the base's layer. Only
 * when both have come to their end is there a base.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base_debian.h"
#include "base_private.h"
#include "fail.h"
#include "tar.h"

struct build {
	const struct debian *how;
	const char *name;
};

/* If both fail, it is the builder's failure that has cut the archive off; or our own that ended it. */
static int unpack(const struct build *b, int layer_fd, int in, const struct debian_builder *builder)
{
	const struct tar_target target = {
		.dir = layer_fd,
		.what = "mmdebstrap",
		.progress = b->how->progress,
		.arg = b->how->arg,
	};
	struct saved_error saved;
	int ret = tar_unpack(in, &target), failed;

	close(in);
	save_error(&saved);
	failed = debian_wait(builder);
	if (!ret || (failed && ret == DRE_ERR_INVALID_ARGUMENT))
		return failed;
	restore_error(&saved);
	return ret;
}

static int fill(void *arg, int layer_fd)
{
	const struct build *b = arg;
	struct debian_builder builder;
	int pipe_fds[2], ret;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return dre_fail_errno(errno, "base image '%s'", b->name);
	ret = debian_start(&builder, b->name, b->how, pipe_fds[1], -1);
	close(pipe_fds[1]);
	if (!ret)
		return unpack(b, layer_fd, pipe_fds[0], &builder);
	close(pipe_fds[0]);
	return ret;
}

int base_build_debian(struct store *store, const char *name, const struct debian *how)
{
	struct build b = { how, name };
	int ret = debian_check(how);

	return ret ? ret : base_make(store, name, fill, &b);
}
