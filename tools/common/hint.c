// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the user may do about an error.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "container_commands.h"

#define CHECKPOINTS	"'%p checkpoint list %s' shows those there are"

static bool is_one_of(const char *command, const char *const list[])
{
	while (*list && strcmp(command, *list) != 0)
		list++;
	return *list;
}

/* What works on a container that is off only. */
static bool wants_it_stopped(const char *command)
{
	static const char *const list[] = {
		"destroy", "save", "load", "commit", "snapshot remove", "copy", "rename", "export", "share",
		"unshare", NULL
	};

	return is_one_of(command, list);
}

/* Those that choose a name. Of others somebody else has chosen it. */
static bool chooses_name(const char *command)
{
	static const char *const list[] = { "copy", "rename", "base import", "base build", "commit", NULL };

	return is_one_of(command, list);
}

static bool chooses_tag(const char *command)
{
	static const char *const list[] = { "save", "checkpoint", NULL };

	return is_one_of(command, list);
}

/* There may be such a container, and none that is shared: the error says which. */
static bool wants_it_shared(const char *command)
{
	static const char *const list[] = { "unshare", "migrate", "immigrate", NULL };

	return is_one_of(command, list);
}

/* The library has one code for both. */
static bool is_checkpoint(const char *command)
{
	static const char *const list[] = { "restart", "checkpoint remove", NULL };

	return is_one_of(command, list);
}

const char *container_hint(const char *command, dre_return_t err)
{
	switch (err) {
	case DRE_ERR_PERMISSION_DENIED:
		return geteuid() ? "run it as root" : NULL;
	case DRE_ERR_CONTAINER_NONEXISTENCE:
		return wants_it_shared(command) ? NULL : "'%p list' shows those there are";
	case DRE_ERR_CONTAINER_EXISTENCE:
		if (!strcmp(command, "create"))
			return "choose another name, or '%p destroy %s' first";
		return chooses_name(command) ? "choose another name" : NULL;
	case DRE_ERR_CONTAINER_RUNNING:
		return wants_it_stopped(command) ? "'%p stop %s' stops it" : NULL;
	case DRE_ERR_CONTAINER_STOPPED:
		return strcmp(command, "stop") != 0 ? "'%p start %s' starts it" : NULL;
	case DRE_ERR_CONTAINER_SUSPENDED:
		if (wants_it_stopped(command))
			return "'%p stop %s' stops it";
		return strcmp(command, "suspend") != 0 ? "'%p resume %s' resumes it" : NULL;
	case DRE_ERR_CONTAINER_BUSY:
		return "try again";
	case DRE_ERR_SNAPSHOT_NONEXISTENCE:
		return is_checkpoint(command) ? CHECKPOINTS : "'%p snapshot list %s' shows those there are";
	case DRE_ERR_SNAPSHOT_EXISTENCE:
		return chooses_tag(command) ? "choose another name" : CHECKPOINTS;
	case DRE_ERR_CGROUP_NONEXISTENCE:
		return "'%p cgroup list %s' shows those there are";
	case DRE_ERR_BASE_NONEXISTENCE:
		return "'%p base list' shows those there are";
	case DRE_ERR_BASE_EXISTENCE:
		return chooses_name(command) ? "choose another name" : NULL;
	}
	return NULL;
}
