// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "app.h"
#include "apparmor.h"
#include "common/tool.h"

/* Of containers, where it is a property, and of checkpoints. */
#define SETTING_APPARMOR	"apparmor"

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
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "AppArmor profile '%s': %s: %s%s", profile, LOADED, strerror(errno),
				errno == ENOENT ? ": is securityfs mounted?" : "");
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

/* "NAME (MODE)", or "unconfined". Without AppArmor there is no such file. */
static int read_label(const struct app *app, char *label, size_t size)
{
	char path[64];
	pid_t init;
	FILE *f;
	int err = app_init_pid(app, &init);

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/attr/apparmor/current", (int)init);
	f = fopen(path, "re");
	if (!f || !fgets(label, (int)size, f))
		*label = '\0';
	if (f)
		fclose(f);
	label[strcspn(label, " \n")] = '\0';
	return 0;
}

int apparmor_note(const struct app *app, struct manifest *checkpoint)
{
	char label[sizeof(app->config.apparmor)];
	int err = read_label(app, label, sizeof(label));

	if (err || !*label || !strcmp(label, DRE_APPARMOR_NONE))
		return err;
	err = manifest_set(checkpoint, SETTING_APPARMOR, label);
	return err ? dre_fail_errno(-err, "container '%s', AppArmor profile", app->name) : 0;
}

int apparmor_go_on(struct app *app, const struct manifest *checkpoint)
{
	const char *label = manifest_get(checkpoint, SETTING_APPARMOR);

	if (label && !host_has_it())
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s' was in AppArmor profile '%s', and this host has no "
				"AppArmor", app->name, label);
	if (dre_config_set(&app->config, "app", SETTING_APPARMOR, label ? label : DRE_APPARMOR_NONE))
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s': its checkpoint has no AppArmor profile '%s'",
				app->name, label);
	return apparmor_ensure(app);
}

/* Where the host has none liblxc must not name one to CRIU, which would refuse it. */
void apparmor_write(FILE *f, const struct app *app)
{
	if (host_has_it())
		fprintf(f, "lxc.apparmor.profile = %s\nlxc.apparmor.allow_incomplete = 1\n", app->config.apparmor);
}
