// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "file.h"
#include "former.h"
#include "lock.h"
#include "names.h"
#include "store_private.h"

/* Makes the directories above the root, as "mkdir -p" does; but the umask does not decide. */
static int make_parents(const char *root)
{
	char *path = strdup(root);
	char *slash;
	int ret = 0;

	if (!path)
		return -ENOMEM;
	for (slash = strchr(path + 1, '/'); slash && !ret; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!mkdir(path, 0755))
			ret = chmod(path, 0755) < 0 ? -errno : 0;
		else if (errno != EEXIST)
			ret = -errno;
		*slash = '/';
	}
	free(path);
	return ret;
}

static int open_root(struct store *s)
{
	struct stat st;
	int ret;

	s->root_fd = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0 && errno == ENOENT) {
		ret = make_parents(s->root);
		if (!ret && mkdir(s->root, 0700) < 0 && errno != EEXIST)
			ret = -errno;
		if (ret)
			return dre_fail_errno(-ret, "cannot make the store %s", s->root);
		s->root_fd = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (s->root_fd < 0 || fstat(s->root_fd, &st) < 0)
		return dre_fail_errno(errno, "cannot open the store %s", s->root);
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return dre_fail(DRE_ERR_PERMISSION_DENIED,
				"the store %s belongs to somebody else or can be written to by "
				"others", s->root);
	/* As it was made, now or by one that was killed then. Otherwise it is the operator's. */
	if (!(st.st_mode & 077) && fchmod(s->root_fd, 0711) < 0)
		return dre_fail_errno(errno, "cannot make the store %s", s->root);
	return 0;
}

/* liblxc's sockets have the path in their names: it has one spelling. */
static int resolve_root(struct store *s)
{
	char *path = realpath(s->root, NULL);

	if (!path)
		return dre_fail_errno(errno, "cannot open the store %s", s->root);
	free(s->root);
	s->root = path;
	return 0;
}

/*
 * Whoever can rename what is in a directory above the store can put another one in its place.
 * With the sticky bit, as /tmp has it, only the owner of what is there can. What is not there yet will be ours.
 */
static int check_parents(const struct store *s)
{
	char *path = strdup(s->root), *slash;
	struct stat st;
	int ret = 0;

	if (!path)
		return dre_fail_errno(ENOMEM, "cannot open the store %s", s->root);
	while (!ret && path[1] && (slash = strrchr(path, '/'))) {
		slash[slash == path] = '\0';
		if (stat(path, &st) < 0)
			ret = errno == ENOENT ? 0 : dre_fail_errno(errno, "cannot open the store %s", s->root);
		else if ((st.st_uid && st.st_uid != geteuid()) ||
			 (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX)))
			ret = dre_fail(DRE_ERR_PERMISSION_DENIED,
				       "the store %s is below %s, which belongs to somebody else or can be "
				       "written to by others", s->root, path);
	}
	free(path);
	return ret;
}

/* The mode is what it has to be, also if somebody has changed it: it keeps the layers closed. */
static int open_directory(struct store *s, const char *name, mode_t mode, int *fd)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;

	*fd = openat(s->root_fd, name, flags);
	if (*fd < 0 && errno == ENOENT) {
		if ((mkdirat(s->root_fd, name, 0700) < 0 && errno != EEXIST) ||
		    fsync(s->root_fd) < 0)
			return dre_fail_errno(errno, "cannot make %s/%s", s->root, name);
		*fd = openat(s->root_fd, name, flags);
	}
	if (*fd < 0 || fstat(*fd, &st) < 0 ||
	    ((st.st_mode & 07777) != mode && fchmod(*fd, mode) < 0))
		return dre_fail_errno(errno, "cannot open %s/%s", s->root, name);
	return 0;
}

static int open_all(struct store *s)
{
	int lxc_fd = -1;
	const struct {
		const char *name;
		int *fd;
		mode_t mode;
		bool of_trees;
	} directories[] = {
		{ "layers", &s->layers_fd, s->kind->trees ? 0700 : 0711, false },
		{ "work", &s->work_fd, 0700, true },
		{ "bases", &s->bases_fd, 0700, false },
		{ "containers", &s->containers_fd, 0700, false },
		{ "pending", &s->pending_fd, 0700, false },
		{ "trash", &s->trash_fd, 0700, false },
		{ "lxc", &lxc_fd, 0711, true },
	};
	size_t i;
	int ret;

	/* As it is spelled, before anything is made or changed there; and, where links are on the way, as it is. */
	ret = check_parents(s);
	if (!ret)
		ret = open_root(s);
	if (!ret)
		ret = resolve_root(s);
	if (!ret)
		ret = check_parents(s);
	for (i = 0; !ret && i < sizeof(directories) / sizeof(*directories); i++)
		if (s->kind->trees || !directories[i].of_trees)
			ret = open_directory(s, directories[i].name, directories[i].mode,
					     directories[i].fd);
	if (lxc_fd >= 0)
		close(lxc_fd);
	if (ret)
		return ret;
	s->lock_fd = openat(s->root_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return dre_fail_errno(errno, "cannot open %s/lock", s->root);
	return 0;
}

int store_open(struct store **store, const char *root, const struct layer_kind *kind)
{
	struct store *s;
	int ret;

	if (*root != '/')
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the store's path is not absolute: %s",
				root);
	s = malloc(sizeof(*s));
	if (!s)
		return dre_fail_errno(ENOMEM, "cannot open the store %s", root);
	*s = (struct store){
		.kind = kind,
		.root = strdup(root),
		.root_fd = -1, .layers_fd = -1, .work_fd = -1, .bases_fd = -1,
		.containers_fd = -1, .pending_fd = -1, .trash_fd = -1, .lock_fd = -1,
	};
	ret = s->root ? open_all(s) : dre_fail_errno(ENOMEM, "cannot open the store %s", root);
	if (ret)
		store_close(s);
	else
		*store = s;
	return ret;
}

void store_close(struct store *s)
{
	const int *fds;
	size_t i;

	if (!s)
		return;
	fds = (const int[]){ s->root_fd, s->layers_fd, s->work_fd, s->bases_fd, s->containers_fd,
			     s->pending_fd, s->trash_fd, s->lock_fd };
	for (i = 0; i < 8; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(s->root);
	free(s);
}

const char *store_root(const struct store *s)
{
	return s->root;
}

int store_root_fd(const struct store *s)
{
	return s->root_fd;
}

int store_lock_ports(struct store *s)
{
	int ret = lock_wait(s->lock_fd, LOCK_PORTS, F_WRLCK);

	return ret ? dre_fail_errno(-ret, "cannot lock the store %s", s->root) : 0;
}

void store_unlock_ports(struct store *s)
{
	lock_release(s->lock_fd, LOCK_PORTS);
}

/* Names that nobody could have given are not the store's: temporary ones, an editor's. */
static int read_names(DIR *dir, char ***names, size_t *nr)
{
	struct dirent *entry;
	char **grown;

	while ((entry = file_readdir(dir))) {
		if (!dre_name_valid(entry->d_name))
			continue;
		grown = reallocarray(*names, *nr + 2, sizeof(**names));
		if (!grown)
			return -ENOMEM;
		*names = grown;
		grown[*nr] = strdup(entry->d_name);
		if (!grown[*nr])
			return -ENOMEM;
		grown[++*nr] = NULL;
	}
	return -errno;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A directory that is not there is empty: a container and its snapshots may go at any moment. */
int store_list_names(struct store *s, const char *directory, char ***names)
{
	size_t nr = 0;
	int ret = 0;
	DIR *dir;

	*names = calloc(1, sizeof(**names));
	if (!*names)
		return dre_fail_errno(ENOMEM, "cannot read %s/%s", s->root, directory);
	dir = file_opendir(s->root_fd, directory);
	if (dir) {
		ret = read_names(dir, names, &nr);
		closedir(dir);
	} else if (errno != ENOENT && errno != ENOTDIR) {
		ret = -errno;
	}
	if (ret) {
		store_free_list(*names);
		return dre_fail_errno(-ret, "cannot read %s/%s", s->root, directory);
	}
	qsort(*names, nr, sizeof(**names), compare_names);
	return 0;
}

int store_list_containers(struct store *s, char ***names)
{
	return store_list_names(s, "containers", names);
}

int store_list_bases(struct store *s, char ***names)
{
	return store_list_names(s, "bases", names);
}

int store_list_lxc(struct store *s, char ***names)
{
	return store_list_names(s, "lxc", names);
}

void store_free_list(char **names)
{
	char **name;

	for (name = names; name && *name; name++)
		free(*name);
	free(names);
}

int store_release_list(char **names)
{
	if (!names)
		return dre_fail(DRE_ERR_NULL_POINTER, "the list is NULL");
	store_free_list(names);
	return 0;
}

/* Returns 0 or a negative errno: -EINVAL with @err filled in for a damaged one. */
static int load(struct store *s, const char *path, struct manifest *m, struct manifest_error *err)
{
	struct stat st;
	char *text;
	size_t len;
	int ret;

	*m = (struct manifest){ 0 };
	*err = (struct manifest_error){ 1, "not a manifest" };
	ret = file_read(s->root_fd, path, MANIFEST_MAX_SIZE, &text, &len);
	if (ret == -EFBIG || ret == -ELOOP)
		return -EINVAL;
	if (ret)
		return ret;
	ret = manifest_parse(m, text, len, err);
	free(text);
	/* Another one may have come in its place: that one's mode says at most that there is no more than is here. */
	if (!ret && manifest_get(m, SETTING_FORMER) && !fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) &&
	    former_is_forgotten(st.st_mode))
		ret = manifest_set(m, SETTING_FORMER, NULL);
	return ret;
}

static int fail_load(struct store *s, const char *path, int ret, const struct manifest_error *err,
		     int damaged)
{
	if (ret == -EINVAL)
		return dre_fail(damaged, "%s/%s:%u: %s", s->root, path, err->line, err->what);
	return dre_fail_errno(-ret, "cannot read %s/%s", s->root, path);
}

int store_read_manifest(struct store *s, const char *path, int damaged, struct manifest *m)
{
	struct manifest_error err;
	int ret = load(s, path, m, &err);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return dre_fail(damaged, "there is no %s/%s", s->root, path);
	return ret ? fail_load(s, path, ret, &err, damaged) : 0;
}

int store_write_manifest(struct store *s, int dir_fd, const char *name, const struct manifest *m)
{
	size_t len;
	char *text;
	int ret;

	text = manifest_format(m, &len);
	if (!text)
		return dre_fail_errno(errno, "cannot write a manifest in %s", s->root);
	ret = file_write_new(dir_fd, name, text, len);
	free(text);
	return ret ? dre_fail_errno(-ret, "cannot write a manifest in %s", s->root) : 0;
}

/* Unlike rename(2), link(2) never replaces what is there, on any file system. */
int store_link_manifest(int dir_fd, const char *tmp, const char *name, int exists,
			const char *what, bool *published)
{
	int ret;

	*published = false;
	if (linkat(dir_fd, tmp, dir_fd, name, 0) < 0)
		return errno == EEXIST ?
		       dre_fail(exists, "there is a %s '%s' already", what, name) :
		       dre_fail_errno(errno, "cannot make %s '%s'", what, name);
	*published = true;
	if (!fsync(dir_fd))
		return 0;
	ret = dre_fail_errno(errno, "cannot make %s '%s'", what, name);
	if (!unlinkat(dir_fd, name, 0))
		*published = false;
	return ret;
}

int store_publish_manifest(struct store *s, int dir_fd, const char *name, const struct manifest *m,
			   int exists, const char *what, bool *published)
{
	store_tmp_t tmp = STORE_TMP;
	int ret;

	*published = false;
	file_random_name(tmp + strlen(STORE_TMP));
	ret = store_write_manifest(s, dir_fd, tmp, m);
	if (!ret)
		ret = store_link_manifest(dir_fd, tmp, name, exists, what, published);
	unlinkat(dir_fd, tmp, 0);
	return ret;
}

/* One that has gone since its name was read was not there. */
static int visit(struct store *s, const char *path, store_path_fn fn, void *arg)
{
	struct manifest_error err;
	struct manifest m;
	int ret;

	ret = load(s, path, &m, &err);
	if (ret == -ENOENT || ret == -ENOTDIR)
		return 0;
	if (ret)
		return fn(arg, path, NULL, fail_load(s, path, ret, &err, DRE_ERR_DEVICE_BUSY));
	ret = fn(arg, path, &m, 0);
	manifest_free(&m);
	return ret;
}

/*
 * Visits the manifests in @directory: the files there, which are the bases, or the snapshots of a
 * container; or with @suffix those in the directories there, which are its checkpoints.
 */
static int visit_all(struct store *s, const char *directory, const char *suffix,
		     store_path_fn fn, void *arg)
{
	char path[2 * (DRE_NAME_MAX + 1) + sizeof("containers/checkpoints//manifest")];
	char **names, **name;
	int ret;

	ret = store_list_names(s, directory, &names);
	if (ret)
		return ret;
	for (name = names; *name && !ret; name++) {
		snprintf(path, sizeof(path), "%s/%s%s", directory, *name, suffix);
		ret = visit(s, path, fn, arg);
	}
	store_free_list(names);
	return ret;
}

int store_each_of(struct store *s, unsigned int kinds, const char *name, store_path_fn fn, void *arg)
{
	char path[DRE_NAME_MAX + 1 + sizeof("containers//checkpoints")];
	int ret = 0;

	if (kinds & MANIFESTS_CONTAINERS) {
		snprintf(path, sizeof(path), "containers/%s/manifest", name);
		ret = visit(s, path, fn, arg);
	}
	if (!ret && kinds & MANIFESTS_SNAPSHOTS) {
		snprintf(path, sizeof(path), "containers/%s/snapshots", name);
		ret = visit_all(s, path, "", fn, arg);
	}
	if (!ret && kinds & MANIFESTS_CHECKPOINTS) {
		snprintf(path, sizeof(path), "containers/%s/checkpoints", name);
		ret = visit_all(s, path, "/manifest", fn, arg);
	}
	return ret;
}

int store_each_path(struct store *s, unsigned int kinds, store_path_fn fn, void *arg)
{
	char **names, **name;
	int ret = 0;

	if (kinds & MANIFESTS_BASES)
		ret = visit_all(s, "bases", "", fn, arg);
	if (ret || kinds == MANIFESTS_BASES)
		return ret;
	ret = store_list_names(s, "containers", &names);
	if (ret)
		return ret;
	for (name = names; *name && !ret; name++)
		ret = store_each_of(s, kinds, *name, fn, arg);
	store_free_list(names);
	return ret;
}

struct each {
	store_manifest_fn fn;
	void *arg;
};

static int call_each(void *arg, const char *path, const struct manifest *m, int err)
{
	const struct each *each = arg;

	(void)path;
	return m ? each->fn(each->arg, m) : err;
}

int store_each_manifest(struct store *s, unsigned int kinds, store_manifest_fn fn, void *arg)
{
	struct each each = { fn, arg };

	return store_each_path(s, kinds, call_each, &each);
}
