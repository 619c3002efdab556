// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What kind of init the tree of a base image has.
 */
#include <dre.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base_private.h"
#include "container.h"
#include "fail.h"
#include "file.h"

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

int base_detect_init(int layer_fd, const char *name, struct manifest *m)
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
