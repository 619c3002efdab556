// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ambush: lies in wait in a container for whoever comes in from outside, and tries to take what he brings before he has
 * become one of the container: his program, his memory, his files, where he stands. Root of the container in
 * another process can do so as often as somebody comes in. It ends when there is a file /stop.
 *
 * Prints "ready", a line for each thing that it could take, and how many it has seen come.
 *
 * ambush DIRECTORY: exchanges in there "place", a directory, and each of two symbolic links, "link" and "climb", for
 * whoever goes by "place" from outside. Prints how often.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static dev_t inside;	/* the file system of the container's files */
static unsigned int came;

static int open_of(int pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	return open(path, flags | O_CLOEXEC);
}

/* Of a file or directory which is there by way of the process; false also if it cannot be got at. */
static bool is_outside(int pid, const char *what)
{
	int fd = open_of(pid, what, O_PATH);
	struct stat st;
	bool outside;

	if (fd < 0)
		return false;
	outside = !fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) && st.st_dev != inside;
	close(fd);
	return outside;
}

static void take(int pid, const char *what)
{
	printf("DONE: %d %s\n", pid, what);
	fflush(stdout);
}

/* Files of /proc and /dev are of other file systems, and the container's as well. */
static bool is_of_the_host(int pid, const char *what)
{
	char path[64], target[256];
	ssize_t len;

	if (!is_outside(pid, what))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	len = readlink(path, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	return access(target, F_OK) < 0;
}

/* The first three are what whoever comes in gives away. */
static void take_files(int pid)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "fd/%.20s", entry->d_name);
		if (atoi(entry->d_name) > 2 && is_of_the_host(pid, path))
			take(pid, path);
	}
	if (dir)
		closedir(dir);
}

/* Who is one of the container by now may be traced; what he is sent meanwhile he gets. */
static void trace(int pid)
{
	int wstatus;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return;
	if (is_outside(pid, "exe"))
		take(pid, "trace");
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	if (waitpid(pid, &wstatus, __WALL) == pid && WIFSTOPPED(wstatus))
		ptrace(PTRACE_DETACH, pid, NULL, (long)(wstatus >> 16 ? 0 : WSTOPSIG(wstatus)));
}

static void lie_in_wait_for(int pid)
{
	int memory = open_of(pid, "mem", O_RDWR), exe = open_of(pid, "exe", O_PATH);

	/* Nobody of the container keeps these from its root. */
	if (exe < 0 && errno == EACCES)
		came++;
	if (exe >= 0)
		close(exe);
	if (is_outside(pid, "exe"))
		take(pid, memory >= 0 ? "program and memory" : "program");
	if (memory >= 0)
		close(memory);
	if (is_of_the_host(pid, "cwd"))
		take(pid, "working directory");
	if (is_outside(pid, "root"))
		take(pid, "root");
	take_files(pid);
	trace(pid);
}

/* Each time "place" is a directory again at the end. */
static int exchange_in(const char *directory)
{
	static const char *const links[] = { "link", "climb" };
	unsigned int nr;

	if (chdir(directory))
		return 1;
	for (nr = 0; access("/stop", F_OK); nr++)
		for (int i = 0; i < 2; i++)
			if (renameat2(AT_FDCWD, "place", AT_FDCWD, links[nr % 2], RENAME_EXCHANGE))
				return 1;
	printf("%u times\n", nr);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir = opendir("/proc");
	int pid;

	if (argc > 1)
		return exchange_in(argv[1]);
	if (!dir || stat("/", &st))
		return 1;
	inside = st.st_dev;
	puts("ready");
	fflush(stdout);
	while (access("/stop", F_OK)) {
		rewinddir(dir);
		while ((entry = readdir(dir))) {
			pid = atoi(entry->d_name);
			if (pid > 1 && pid != getpid())
				lie_in_wait_for(pid);
		}
	}
	printf("%u came\n", came);
	return 0;
}
