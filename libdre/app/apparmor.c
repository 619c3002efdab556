// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "apparmor.h"
#include "common/tool.h"

#define ENABLED		"/sys/module/apparmor/parameters/enabled"
#define LOADED		"/sys/kernel/security/apparmor/profiles"
#define OUR_FILE	"/etc/apparmor.d/" DRE_APPARMOR_PROFILE

static bool host_has_it(void)
{
	FILE *f = fopen(ENABLED, "re");
	int c = f ? getc(f) : EOF;

	if (f)
		fclose(f);
	return c == 'Y';
}

/* A line is "NAME (MODE)". */
static bool is_in(FILE *f, const char *profile)
{
	size_t len = strlen(profile), size = 0;
	char *line = NULL;
	bool found = false;

	while (!found && getline(&line, &size, f) > 0)
		found = !strncmp(line, profile, len) && !strncmp(line + len, " (", 2);
	free(line);
	return found;
}

static int find(const char *profile, bool *loaded)
{
	FILE *f = fopen(LOADED, "re");

	if (!f)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "AppArmor profile '%s': %s: %s%s", profile, LOADED, strerror(errno),
				errno == ENOENT ? ": is securityfs mounted?" : "");
	*loaded = is_in(f, profile);
	fclose(f);
	return 0;
}

/* It is not read at boot where nobody started AppArmor's service, or D-RE has been installed since. */
static int load_ours(void)
{
	const char *const argv[] = { "apparmor_parser", "--replace", "--write-cache", OUR_FILE, NULL };
	const struct tool tool = { .argv = argv, .dir_fd = AT_FDCWD, .fds = { -1, -1 }, .what = "AppArmor profile" };
	struct printable p;
	char last[256];
	int status = tool_run(&tool, last, sizeof(last));

	if (status == TOOL_NOT_RUN)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "AppArmor profile '%s' is not loaded, and there is no "
				"apparmor_parser: install it, or set apparmor = " DRE_APPARMOR_NONE, DRE_APPARMOR_PROFILE);
	return status <= 0 ? status : dre_fail(DRE_ERR_INVALID_ARGUMENT, "AppArmor profile '%s': apparmor_parser: %s",
					      DRE_APPARMOR_PROFILE, dre_printable(&p, last));
}

int apparmor_ensure(const struct app *app)
{
	const char *profile = app->config.apparmor;
	bool loaded = false;
	int err;

	if (!strcmp(profile, DRE_APPARMOR_NONE) || !host_has_it())
		return 0;
	err = find(profile, &loaded);
	if (err || loaded)
		return err;
	if (!strcmp(profile, DRE_APPARMOR_PROFILE))
		return load_ours();
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s': there is no AppArmor profile '%s' on this host", app->name,
			profile);
}

/* Where the host has none liblxc must not name one to CRIU, which would refuse it. */
void apparmor_write(FILE *f, const struct app *app)
{
	if (host_has_it())
		fprintf(f, "lxc.apparmor.profile = %s\nlxc.apparmor.allow_incomplete = 1\n", app->config.apparmor);
}
