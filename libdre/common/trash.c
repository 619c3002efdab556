// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What waits for its removal. It has no name any more that means something, so that it does not matter when it goes, and
 * who removes it: what takes long is left to a program that nobody waits for, and whose end, by what cause ever, only
 * leaves it to the next change.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "fail.h"
#include "file.h"
#include "lock.h"
#include "store_private.h"
#include "tree.h"

/* As much is removed while the caller waits. */
#define MAX_ENTRIES	64
#define MAX_BLOCKS	(8 << 20 >> 9)	/* of 512 bytes */
#define MAX_DEPTH	16

struct weight {
	unsigned int entries;
	blkcnt_t blocks;
};

int store_move_to_trash(struct store *s, int dir_fd, const char *name)
{
	char trash_name[9];

	do {
		file_random_name(trash_name);
		if (!renameat(dir_fd, name, s->trash_fd, trash_name))
			return 0;
	} while (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR || errno == EISDIR);
	return -errno;
}

static int empty_locked(struct store *s)
{
	DIR *dir = file_opendir(s->trash_fd, ".");
	struct dirent *entry;
	int ret = 0, err;

	if (!dir)
		return -errno;
	while ((entry = file_readdir(dir))) {
		err = tree_remove(s->trash_fd, entry->d_name);
		if (!ret)
			ret = err;
	}
	closedir(dir);
	return ret;
}

static int empty(struct store *s, bool wait)
{
	int (*lock)(int fd, enum lock_byte byte, short type) = wait ? lock_wait : lock_try;
	int ret = 0;

	while (!ret && !store_dir_is_empty(s->trash_fd) && !lock(s->lock_fd, LOCK_TRASH, F_WRLCK)) {
		ret = empty_locked(s);
		lock_release(s->lock_fd, LOCK_TRASH);
	}
	return ret ? dre_fail_errno(-ret, "cannot remove all of %s/trash", s->root) : 0;
}

int store_empty_trash(struct store *s)
{
	return empty(s, s->remover);
}

static bool is_small(int dir_fd, const char *name, struct weight *w, int depth);

static bool is_small_inside(int fd, struct weight *w, int depth)
{
	DIR *dir = fdopendir(fd);
	unsigned int entries = 0;
	struct dirent *entry;
	bool small = true;

	if (!dir) {
		close(fd);
		return false;
	}
	/* How many they are is quickly told. */
	while (small && file_readdir(dir))
		small = ++entries <= MAX_ENTRIES;
	rewinddir(dir);
	while (small && (entry = file_readdir(dir)))
		small = is_small(fd, entry->d_name, w, depth + 1);
	closedir(dir);
	return small;
}

static bool is_small(int dir_fd, const char *name, struct weight *w, int depth)
{
	struct stat st;
	int fd;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return true;	/* somebody else has removed it */
	w->blocks += st.st_blocks;
	if (++w->entries > MAX_ENTRIES || w->blocks > MAX_BLOCKS || depth > MAX_DEPTH)
		return false;
	if (!S_ISDIR(st.st_mode))
		return true;
	fd = file_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	return fd < 0 || is_small_inside(fd, w, depth);
}

/* With system calls only, see child.h. */
static void __attribute__((noreturn)) become_remover(const struct store *s)
{
	char *argv[] = { (char *)s->remover, "trash", s->root, NULL };
	sigset_t none;
	int fd;

	/* Nothing of the caller is in use while it runs: no terminal, no pipe, no file system. */
	setsid();
	fd = chdir("/") ? -1 : open("/dev/null", O_RDWR);
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(1);
	close_range(3, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(s->remover, argv, environ);
	_exit(1);
}

/* In a child, whose end makes the remover nobody's child. */
static int start_remover(void *arg)
{
	pid_t pid = _Fork();

	if (!pid)
		become_remover(arg);
	return pid < 0;
}

static bool leave_to_remover(struct store *s)
{
	struct child child;

	return s->remover && !access(s->remover, X_OK) && !child_start(&child, 0, start_remover, s) &&
	       !child_wait(&child);
}

void store_tidy_trash(struct store *s)
{
	bool held;

	if (store_dir_is_empty(s->trash_fd) || (!lock_test(s->lock_fd, LOCK_TRASH, &held) && held))
		return;	/* who is at it looks again afterwards */
	if (is_small(s->trash_fd, ".", &(struct weight){}, 0) || !leave_to_remover(s))
		empty(s, false);
}

void store_remove_with(struct store *s, const char *remover)
{
	s->remover = remover;
}
