// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "seccomp.h"

static bool is_filtered(const struct app *app)
{
	return strcmp(app->config.seccomp, DRE_SECCOMP_NONE) != 0;
}

/* liblxc would only say that its configuration cannot be read. */
int seccomp_check(const struct app *app)
{
	if (!is_filtered(app) || !access(app->config.seccomp, R_OK))
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s': seccomp filter %s: %s: install it (liblxc-common), or set "
			"seccomp = " DRE_SECCOMP_NONE " in dre.conf", app->name, app->config.seccomp, strerror(errno));
}

void seccomp_write(FILE *f, const struct app *app)
{
	if (is_filtered(app))
		fprintf(f, "lxc.seccomp.profile = %s\n", app->config.seccomp);
}
