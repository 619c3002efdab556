// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whom a command in a container runs as. We have entered it already: what its /etc/passwd and /etc/group
 * are links to are files of its own.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app-helper.h"

struct user {
	uid_t uid;
	gid_t gid;
	char *name;	/* NULL: it has none there */
	char *home;
};

/* False if it is a name. The highest number is no id: calls take it for "as it is". */
static bool read_id(const char *text, uint32_t *id)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end || errno || n >= UINT32_MAX)
		return false;
	*id = n;
	return true;
}

/* NULL if there is none. A FIFO in its place does not keep us waiting. */
static FILE *open_table(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	FILE *f = NULL;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		f = fdopen(fd, "r");
	if (!f)
		close(fd);
	return f;
}

/* A line for NIS: it says nothing of its own, and has no more than this for sure. */
static bool is_nis(const char *name)
{
	return *name == '+' || *name == '-';
}

/* A number need not be there. */
static bool find_user(const char *text, struct user *user)
{
	bool number = read_id(text, &user->uid), found = false;
	FILE *f = open_table("/etc/passwd");
	const struct passwd *p;

	while (f && !found && (p = fgetpwent(f))) {
		if (is_nis(p->pw_name))
			continue;
		found = number ? p->pw_uid == user->uid : !strcmp(p->pw_name, text);
		if (!found)
			continue;
		user->uid = p->pw_uid;
		user->gid = p->pw_gid;
		user->name = strdup(p->pw_name);
		user->home = strdup(p->pw_dir);
	}
	if (f)
		fclose(f);
	return found || number;
}

static bool find_group(const char *text, gid_t *gid)
{
	bool found = read_id(text, gid);
	const struct group *g;
	FILE *f;

	if (found)
		return true;
	f = open_table("/etc/group");
	while (f && !found && (g = fgetgrent(f))) {
		found = !is_nis(g->gr_name) && !strcmp(g->gr_name, text);
		if (found)
			*gid = g->gr_gid;
	}
	if (f)
		fclose(f);
	return found;
}

static bool is_member(const struct group *group, const char *name)
{
	for (char **member = group->gr_mem; *member; member++)
		if (!strcmp(*member, name))
			return true;
	return false;
}

/* Its own group is the first. Returns how many they are. */
static size_t find_groups(const struct user *user, gid_t groups[NGROUPS_MAX])
{
	FILE *f = user->name ? open_table("/etc/group") : NULL;
	const struct group *g;
	size_t nr = 0;

	groups[nr++] = user->gid;
	while (f && nr < NGROUPS_MAX && (g = fgetgrent(f)))
		if (!is_nis(g->gr_name) && g->gr_gid != user->gid && is_member(g, user->name))
			groups[nr++] = g->gr_gid;
	if (f)
		fclose(f);
	return nr;
}

/* What the command was given stays. */
static int set_home(const char *name, const struct user *user)
{
	if (setenv("HOME", user->home && *user->home ? user->home : "/", 0))
		return dre_fail_errno(errno, "container '%s'", name);
	return 0;
}

int stay_root(const char *name)
{
	struct user user = {};

	find_user("0", &user);
	return set_home(name, &user);
}

static int change_ids(const char *name, const char *text, const struct user *user, size_t nr,
		      const gid_t *groups)
{
	struct printable p;

	if (!setgroups(nr, groups) && !setresgid(user->gid, user->gid, user->gid) &&
	    !setresuid(user->uid, user->uid, user->uid))
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s', user '%s': %s", name,
			dre_printable(&p, text),
			errno == EINVAL ? "not all of its ids are the container's" : strerror(errno));
}

int become_user(const char *name, const char *text)
{
	static gid_t groups[NGROUPS_MAX];
	char *who = strdup(text), *group;
	struct user user = {};
	struct printable p;
	size_t nr = 1;
	int err;

	if (!who)
		return dre_fail_errno(ENOMEM, "container '%s'", name);
	group = strchr(who, ':');
	if (group)
		*group++ = '\0';
	if (!find_user(who, &user))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s' has no user '%s'", name,
				dre_printable(&p, who));
	if (group && !find_group(group, &user.gid))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s' has no group '%s'", name,
				dre_printable(&p, group));
	if (group)
		groups[0] = user.gid;
	else
		nr = find_groups(&user, groups);
	err = set_home(name, &user);
	return err ? err : change_ids(name, text, &user, nr, groups);
}
