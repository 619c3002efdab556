// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base_private.h"
#include "container.h"
#include "fail.h"
#include "file.h"
#include "names.h"
#include "store_private.h"

static int fail_exists(const char *name)
{
	return dre_fail(DRE_ERR_BASE_EXISTENCE, "there is a base image '%s' already", name);
}

/*
 * The kind of init.
 */

/* Looks a path up as a process whose root is the layer does. */
static bool stat_in_root(int layer_fd, const char *path, struct stat *st)
{
	int fd = file_openat2(layer_fd, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_XDEV);
	bool found = fd >= 0 && !fstat(fd, st);

	if (fd >= 0)
		close(fd);
	return found;
}

/*
 * /sbin/init is often a link to what it really is, symbolic or hard. The signals are those that
 * liblxc is to send (lxc.signal.halt, .reboot).
 */
static const struct init_kind {
	const char *program;
	const char *halt_signal;
	const char *reboot_signal;
} init_kinds[] = {
	{ "lib/systemd/systemd", "SIGRTMIN+3", "SIGINT" },
	{ "usr/lib/systemd/systemd", "SIGRTMIN+3", "SIGINT" },
	{ "bin/busybox", "SIGUSR1", "SIGTERM" },
	{ "sbin/busybox", "SIGUSR1", "SIGTERM" },
	{ "usr/bin/busybox", "SIGUSR1", "SIGTERM" },
	{ "usr/sbin/busybox", "SIGUSR1", "SIGTERM" },
	{ NULL, "SIGPWR", "SIGINT" },		/* what System V's init understands */
};

static int detect_init(int layer_fd, const char *name, struct manifest *m)
{
	const struct init_kind *kind;
	struct stat init, st;
	int ret;

	if (!stat_in_root(layer_fd, "sbin/init", &init) || !S_ISREG(init.st_mode) ||
	    !(init.st_mode & 0111))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"base image '%s' would have no /sbin/init that can be executed",
				name);
	for (kind = init_kinds; kind->program; kind++)
		if (stat_in_root(layer_fd, kind->program, &st) && st.st_ino == init.st_ino)
			break;
	ret = manifest_set(m, SETTING_HALT_SIGNAL, kind->halt_signal);
	if (!ret)
		ret = manifest_set(m, SETTING_REBOOT_SIGNAL, kind->reboot_signal);
	return ret ? dre_fail_errno(-ret, "cannot make base image '%s'", name) : 0;
}

static int fill_layer(struct store *s, const char *name, const char *layer, base_fill_fn fill,
		      void *arg, struct manifest *m)
{
	int fd = layer_open(s, layer);
	int ret;

	if (fd < 0)
		return dre_fail_errno(errno, "cannot open layer %s/layers/%s", s->root, layer);
	/* An archive need not have a member for its top. */
	if (fchmod(fd, 0755) < 0)
		ret = dre_fail_errno(errno, "cannot make base image '%s'", name);
	else
		ret = fill(arg, fd);
	if (!ret)
		ret = detect_init(fd, name, m);
	close(fd);
	return ret;
}

/* @garbage: what was made for it is perhaps still there. */
static int make(struct store *s, const char *name, base_fill_fn fill, void *arg, bool *garbage)
{
	struct manifest m = { 0 };
	bool published = false;
	layer_name_t layer;
	int ret;

	ret = layer_create(s, NULL, layer);
	if (ret)
		return ret;
	ret = fill_layer(s, name, layer, fill, arg, &m);
	if (!ret)
		ret = layer_sync(s, layer, true);
	if (!ret && manifest_add_layer(&m, layer))
		ret = dre_fail_errno(ENOMEM, "cannot make base image '%s'", name);
	if (!ret)
		ret = store_publish_manifest(s, s->bases_fd, name, &m, DRE_ERR_BASE_EXISTENCE,
					     "base image", &published);
	if (ret)
		*garbage = published || !layer_discard(s, layer);
	manifest_free(&m);
	return ret;
}

int base_make(struct store *s, const char *name, base_fill_fn fill, void *arg)
{
	bool garbage = false;
	int ret;

	ret = dre_check_name("base image", name);
	if (ret)
		return ret;
	/* Soon, before much is written. It is looked again at the end. */
	if (!faccessat(s->bases_fd, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return fail_exists(name);
	ret = store_change_begin(s);
	if (ret)
		return ret;
	ret = make(s, name, fill, arg, &garbage);
	return store_change_end(s, garbage, ret);
}
