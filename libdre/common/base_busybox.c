// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The base image for hosts where nobody has made one: the host's own busybox,
 * and the few files that its init and its shell need.
 */
#include <dre.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_private.h"
#include "fail.h"
#include "file.h"

static const struct {
	const char *path;
	mode_t mode;
} directories[] = {
	{ "bin", 0755 },
	{ "dev", 0755 },
	{ "etc", 0755 },
	{ "mnt", 0755 },
	{ "proc", 0555 },
	{ "root", 0700 },
	{ "run", 0755 },
	{ "sbin", 0755 },
	{ "sys", 0555 },
	{ "tmp", 01777 },
	{ "usr", 0755 },
	{ "usr/bin", 0755 },
	{ "usr/sbin", 0755 },
	{ "var", 0755 },
	{ "var/log", 0755 },
	{ "var/tmp", 01777 },
};

static const struct {
	const char *path;
	mode_t mode;
	const char *text;
} files[] = {
	{ "dev/dre", 0644, "" },	/* the host's is bound here */
	{ "etc/group", 0644, "root:x:0:\nnogroup:x:65534:\n" },
	{ "etc/hosts", 0644, "127.0.0.1\tlocalhost\n::1\tlocalhost\n" },
	/* Nothing that needs a terminal, a mount or a device of the host. */
	{ "etc/inittab", 0644,
	  "::sysinit:/etc/rc\n::respawn:/sbin/syslogd -n\n::ctrlaltdel:/sbin/reboot\n" },
	{ "etc/passwd", 0644,
	  "root:x:0:0:root:/root:/bin/sh\n"
	  "nobody:x:65534:65534:nobody:/:/bin/false\n" },
	{ "etc/profile", 0644,
	  "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" },
	{ "etc/rc", 0755,
	  "#!/bin/sh\n"
	  "# An SSH server that was put here listens on the container's port.\n"
	  "[ \"$DRE_SSH_PORT\" ] || exit 0\n"
	  "if [ -x /usr/sbin/sshd ]; then\n"
	  "\tmkdir -p /run/sshd\n"
	  "\texec /usr/sbin/sshd -p \"$DRE_SSH_PORT\"\n"
	  "elif [ -x /usr/sbin/dropbear ]; then\n"
	  "\texec /usr/sbin/dropbear -R -p \"$DRE_SSH_PORT\"\n"
	  "fi\n" },
};

/* The container has no dynamic linker: the program must not ask for one. */
static bool is_static(int fd)
{
	ElfW(Ehdr) ehdr;
	ElfW(Phdr) phdr;
	off_t pos;
	int i;

	if (pread(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) || ehdr.e_phentsize != sizeof(phdr))
		return false;
	for (i = 0, pos = ehdr.e_phoff; i < ehdr.e_phnum; i++, pos += sizeof(phdr))
		if (pread(fd, &phdr, sizeof(phdr), pos) != sizeof(phdr) || phdr.p_type == PT_INTERP)
			return false;
	return true;
}

static int open_program(const char *program, int *fd)
{
	*fd = open(program, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0 && is_static(*fd))
		return 0;
	if (*fd >= 0)
		close(*fd);
	return dre_fail(DRE_ERR_BASE_NONEXISTENCE,
			"base image '" BASE_BUSYBOX "' cannot be made: %s %s; install the package "
			"busybox-static, or import a base image of your own", program,
			*fd < 0 ? "is missing" : "is not statically linked");
}

static int make_directories(int layer)
{
	size_t i;

	for (i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		if (mkdirat(layer, directories[i].path, 0700) < 0 ||
		    fchmodat(layer, directories[i].path, directories[i].mode, 0) < 0)
			return -errno;
	return 0;
}

static int open_new(int layer, const char *path, mode_t mode)
{
	int fd = openat(layer, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || fchmod(fd, mode) < 0) {
		int ret = -errno;

		if (fd >= 0)
			close(fd);
		return ret;
	}
	return fd;
}

static int write_files(int layer)
{
	int fd, ret = 0;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files) && !ret; i++) {
		fd = open_new(layer, files[i].path, files[i].mode);
		if (fd < 0)
			return fd;
		ret = file_write_all(fd, files[i].text, strlen(files[i].text));
		close(fd);
	}
	return ret;
}

static int copy_program(int layer, int program)
{
	int fd = open_new(layer, "bin/busybox", 0755);
	off_t pos = 0;
	ssize_t n;
	int ret = 0;

	if (fd < 0)
		return fd;
	while ((n = sendfile(fd, program, &pos, 1 << 20)) > 0)
		;
	if (n < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Starts "busybox --list-full", which writes the paths of its applets, like "usr/bin/env". */
static int start_list(const char *program, pid_t *pid, int *out)
{
	char *argv[] = { (char *)program, (char *)"--list-full", NULL };
	char *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	int pipe_fd[2];
	int ret;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	ret = posix_spawn_file_actions_init(&actions);
	if (!ret) {
		ret = posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], STDOUT_FILENO);
		if (!ret)
			ret = posix_spawn(pid, program, &actions, NULL, argv, envp);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(pipe_fd[1]);
	if (ret)
		close(pipe_fd[0]);
	else
		*out = pipe_fd[0];
	return -ret;
}

static int link_applets(int layer, FILE *list)
{
	char *line = NULL;
	size_t room = 0;
	int ret = 0;

	while (!ret && getline(&line, &room, list) > 0) {
		line[strcspn(line, "\n")] = '\0';
		/* Not those of directories that are not there, nor bin/busybox itself. */
		if (symlinkat("/bin/busybox", layer, line) < 0 && errno != ENOENT &&
		    errno != EEXIST)
			ret = -errno;
	}
	free(line);
	return ret;
}

static int make_links(int layer, const char *program)
{
	int fd = -1, ret;
	FILE *list;
	pid_t pid;

	ret = start_list(program, &pid, &fd);
	if (ret)
		return ret;
	list = fdopen(fd, "re");
	if (list) {
		ret = link_applets(layer, list);
		fclose(list);
	} else {
		ret = -errno;
		close(fd);
	}
	/* The caller's program may reap all of its children: then there is no status to be had. */
	TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
	return ret;
}

struct source {
	const char *program;
	int fd;
};

static int fill(void *arg, int layer)
{
	const struct source *source = arg;
	int ret;

	ret = make_directories(layer);
	if (!ret)
		ret = write_files(layer);
	if (!ret)
		ret = copy_program(layer, source->fd);
	if (!ret)
		ret = make_links(layer, source->program);
	return ret ? dre_fail_errno(-ret, "cannot make base image '" BASE_BUSYBOX "'") : 0;
}

int base_build_busybox(struct store *store, const char *program)
{
	struct source source = { .program = program };
	int ret;

	ret = open_program(program, &source.fd);
	if (ret)
		return ret;
	ret = base_make(store, BASE_BUSYBOX, fill, &source);
	close(source.fd);
	return ret;
}

int base_ensure(struct store *s, const char *name)
{
	struct manifest m;
	int ret;

	ret = base_read(s, name, &m);
	if (!ret)
		manifest_free(&m);
	if (ret != DRE_ERR_BASE_NONEXISTENCE || strcmp(name, BASE_BUSYBOX))
		return ret;
	/* Another one that was faster made the same. */
	ret = base_build_busybox(s, "/bin/busybox");
	return ret == DRE_ERR_BASE_EXISTENCE ? 0 : ret;
}
