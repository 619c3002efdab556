// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "app.h"
#include "seccomp.h"

static bool is_filtered(const struct app *app)
{
	return strcmp(app->config.seccomp, DRE_SECCOMP_NONE) != 0;
}

static int fail_unreadable(const struct app *app)
{
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s': seccomp filter %s: %s: install it (liblxc-common), or set "
			"seccomp = " DRE_SECCOMP_NONE " in dre.conf", app->name, app->config.seccomp, strerror(errno));
}

/* liblxc would only say that its configuration cannot be read. */
int seccomp_check(const struct app *app)
{
	return is_filtered(app) && access(app->config.seccomp, R_OK) ? fail_unreadable(app) : 0;
}

/* Nobody comes in before the container runs: whoever is killed in between has done no harm. */
static int copy(int from, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err = 0;
	ssize_t n;

	if (to < 0)
		return dre_fail_errno(errno, "%s", path);
	do {
		n = sendfile(to, from, NULL, 1 << 20);
	} while (n > 0);
	if (n < 0)
		err = dre_fail_errno(errno, "%s", path);
	if (close(to) && !err)
		err = dre_fail_errno(errno, "%s", path);
	return err;
}

int seccomp_take(const struct app *app)
{
	char path[PATH_MAX];
	int from, err = app_path(app->store, app->name, SECCOMP_COPY, path);

	if (err || !is_filtered(app))
		return err;
	from = open(app->config.seccomp, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return errno == ENOENT ? 0 : fail_unreadable(app);
	err = copy(from, path);
	close(from);
	return err;
}

/* Whoever manages it may be in a filter of his own: without "nesting" liblxc would leave out this one then. */
int seccomp_write(FILE *f, const struct app *app)
{
	char path[PATH_MAX];
	int err = app_path(app->store, app->name, SECCOMP_COPY, path);

	if (!err && is_filtered(app))
		fprintf(f, "lxc.seccomp.profile = %s\nlxc.seccomp.allow_nesting = 1\n", path);
	return err;
}
