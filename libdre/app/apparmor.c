// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "app.h"
#include "apparmor.h"
#include "common/tool.h"

/* Of a checkpoint: the profile of its init, if that had one. */
#define SETTING_LABEL	"apparmor_label"

#define ENABLED		"/sys/module/apparmor/parameters/enabled"
#define LOADED		"/sys/kernel/security/apparmor/profiles"

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
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "AppArmor profile '%s': %s: %s: mount securityfs there, or set apparmor = "
				DRE_APPARMOR_NONE, profile, LOADED, strerror(errno));
	*loaded = is_in(f, profile);
	fclose(f);
	return 0;
}

/* It is not read at boot where nobody started AppArmor's service, or D-RE has been installed since. */
static int load_ours(void)
{
	static const char file[] = "/etc/apparmor.d/" DRE_APPARMOR_PROFILE;
	const char *const argv[] = { "apparmor_parser", "--replace", "--write-cache", file, NULL };
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

static int ensure(const char *name, const char *profile)
{
	bool loaded = false;
	int err = find(profile, &loaded);

	if (!err && !loaded && !strcmp(profile, DRE_APPARMOR_PROFILE)) {
		err = load_ours();
		/* One that somebody has disabled is passed over. */
		if (!err)
			err = find(profile, &loaded);
	}
	return err || loaded ? err : dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s': AppArmor profile '%s' is not loaded",
					      name, profile);
}

int apparmor_ensure(const struct app *app)
{
	const char *profile = app->config.apparmor;

	return strcmp(profile, DRE_APPARMOR_NONE) && host_has_it() ? ensure(app->name, profile) : 0;
}

/* "NAME (MODE)", or "unconfined"; without AppArmor there is nothing to read. */
static int read_label(const struct app *app, char *label, size_t size)
{
	char path[64];
	ssize_t len = -1;
	pid_t init;
	int fd, err = app_init_pid(app, &init);

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/attr/apparmor/current", (int)init);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, label, size - 1);
	if (len < 0 && errno != ENOENT && errno != EINVAL)
		err = dre_fail_errno(errno, "container '%s', AppArmor profile", app->name);
	label[len < 0 ? 0 : len] = '\0';
	label[strcspn(label, " \n")] = '\0';
	if (fd >= 0)
		close(fd);
	return err;
}

int apparmor_note(const struct app *app, struct manifest *checkpoint)
{
	char label[sizeof(app->config.apparmor)];
	int err = read_label(app, label, sizeof(label));

	if (err || !*label || !strcmp(label, DRE_APPARMOR_NONE))
		return err;
	err = manifest_set(checkpoint, SETTING_LABEL, label);
	return err ? dre_fail_errno(-err, "container '%s', AppArmor profile", app->name) : 0;
}

int apparmor_check(const struct app *app, const struct manifest *checkpoint)
{
	const char *label = manifest_get(checkpoint, SETTING_LABEL);

	if (label && !host_has_it())
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s' was in AppArmor profile '%s', and this host has no "
				"AppArmor", app->name, label);
	return label ? ensure(app->name, label) : 0;
}

/* Where the host has none, and where none is named, CRIU is not told of any. */
void apparmor_write(FILE *f, const char *profile)
{
	if (*profile && host_has_it())
		fprintf(f, "lxc.apparmor.profile = %s\nlxc.apparmor.allow_incomplete = 1\n", profile);
}
