// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tries to get out of a container, by the ways that have been published for LXC, runc and the kernel's own
 * doors. Prints a line for each attempt: what, and the error's name, or "DONE"; "absent" where what it wants is kept
 * from it by not being there. With "handle" it tries only that one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/nsfs.h>
#include <linux/perf_event.h>

/* What escapes.c has made ready: without it there would be nothing to take. */
#define OUTSIDE		"/outside"
#define INTERPRETER	"dre-host"
#define HIERARCHY	"dre-host"
#define DISK		"/disk"		/* a node of the host's disk, as an image may bring one */

static void report(const char *what, long ret)
{
	printf("%s: %s\n", what, ret < 0 ? strerrorname_np(errno) : "DONE");
	fflush(stdout);
}

/* What is nowhere here: of all others that is no refusal, but a mistake of ours. */
static void report_absent(const char *what, long ret)
{
	if (ret < 0 && errno == ENOENT)
		printf("%s: absent\n", what);
	else
		report(what, ret);
}

/* One that can be opened is as good as written: nothing is done to the host. */
static void write_to(const char *path)
{
	char what[128];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* The kernel looks at some of them only when they are written to. */
	snprintf(what, sizeof(what), "write %s", path);
	report(what, fd < 0 ? fd : write(fd, "", 0));
	if (fd >= 0)
		close(fd);
}

static void read_from(const char *path, void (*tell)(const char *what, long ret))
{
	char what[128], byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	snprintf(what, sizeof(what), "read %s", path);
	tell(what, fd < 0 ? fd : read(fd, &byte, 1));
	if (fd >= 0)
		close(fd);
}

/* A node for a device of the host, made in each place that lets one be made. */
static void make_node(const char *what, mode_t type, dev_t dev)
{
	static const char *const places[] = { "/node", "/dev/node", "/tmp/node", "/run/node" };
	int fd = -1, ret = -1;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && fd < 0; i++) {
		ret = mknod(places[i], type | 0600, dev);
		if (ret < 0)
			continue;
		fd = open(places[i], O_RDONLY | O_CLOEXEC);
		ret = fd;
		unlink(places[i]);
	}
	report(what, ret);
	if (fd >= 0)
		close(fd);
}

static void mount_it(const char *what, const char *source, const char *type, const char *options)
{
	int ret;

	mkdir("/tmp/mount", 0700);
	ret = mount(source, "/tmp/mount", type, 0, options);
	report(what, ret);
	if (!ret)
		umount("/tmp/mount");
}

/* The host's disk, by its number and by a node that is there already, among its own files or in a volume. */
static void take_disk(void)
{
	struct stat disk;

	if (stat(DISK, &disk))
		report("no disk", 0);
	make_node("node of the host's disk", S_IFBLK, disk.st_rdev);
	read_from(DISK, report);
	read_from(OUTSIDE DISK, report);
	write_to(DISK);
	mount_it("mount the host's disk", DISK, "ext4", "");
}

/* "Shocker": a file by its number, on a file system that is mounted here by a volume of the host's. */
static void open_by_handle(void)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} file = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int fd = open(OUTSIDE, O_RDONLY | O_DIRECTORY | O_CLOEXEC), id;

	/* It is one that is valid: else the refusal would say nothing. */
	if (name_to_handle_at(fd, "", &file.handle, &id, AT_EMPTY_PATH))
		report("no handle", 0);
	report("open_by_handle_at", open_by_handle_at(fd, &file.handle, O_RDONLY));
	close(fd);
}

/* What whoever entered the container has left open, as runc did (CVE-2024-21626), or stands in. */
static void inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	char path[64], target[256];
	struct dirent *entry;
	ssize_t len;
	int nr = 0;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd <= 2 || fd == dirfd(dir))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		printf("# inherited: %d %s\n", fd, target);
		nr++;
	}
	if (dir)
		closedir(dir);
	errno = ENOENT;
	report_absent("inherited file", nr ? 0 : -1);
	len = readlink("/proc/self/cwd", target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	errno = ENOENT;
	report_absent("outer working directory", *target == '/' ? -1 : 0);
}

/* What whoever entered the container has in his session: his Kerberos tickets, the keys of his disks. */
static void take_key(void)
{
	report("key of who comes in", syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "dre-secret", 0));
}

static void call_kernel(void)
{
	struct perf_event_attr perf = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(perf) };
	union bpf_attr bpf = { .map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1 };
	struct timeval now;

	gettimeofday(&now, NULL);
	report("settimeofday", settimeofday(&now, NULL));
	report("init_module", syscall(SYS_init_module, "", 0L, ""));
	report("kexec_load", syscall(SYS_kexec_load, 0L, 0L, NULL, 0L));
	report("iopl", iopl(3));
	report("swapon", swapon("/dev/null", 0));
	report("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &bpf, sizeof(bpf)));
	report("perf_event_open", syscall(SYS_perf_event_open, &perf, -1, 0, -1, 0L));
	report("syslog clear", syscall(SYS_syslog, 5, NULL, 0));
}

/* The namespaces that it came from. */
static void join_parent(const char *what, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), parent = ioctl(fd, NS_GET_PARENT);

	report(what, parent < 0 ? parent : setns(parent, 0));
	close(fd);
}

/* An interpreter is run for whoever executes what it is for. From Linux 6.7 on a user namespace has its own ones. */
static void register_interpreter(void)
{
	int ret = mount("none", "/tmp/mount", "binfmt_misc", 0, NULL);
	bool own = !ret && access("/tmp/mount/" INTERPRETER, F_OK);

	if (own)
		puts("the host's interpreters: another instance");
	else
		report("the host's interpreters", ret);
	umount("/tmp/mount");
}

/* CVE-2022-0492: in namespaces of one's own a hierarchy of the first kind can be mounted, which all have in common. */
static void set_release_agent(void)
{
	pid_t pid = fork();
	int fd;

	if (pid) {
		waitpid(pid, NULL, 0);
		return;
	}
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP))
		report("no namespaces", 0);
	if (mount("none", "/tmp/mount", "cgroup", 0, "none,name=" HIERARCHY))
		report("no hierarchy", 0);
	fd = open("/tmp/mount/release_agent", O_WRONLY | O_CLOEXEC);
	report("release_agent", fd < 0 ? fd : write(fd, "/x", 2));
	_exit(0);
}

static void write_files(void)
{
	static const char *const files[] = {
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/panic_on_oom",
		"/proc/sysrq-trigger", "/sys/kernel/mm/ksm/run", "/sys/power/state", "/proc/irq/0/smp_affinity",
		"/proc/daware",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		write_to(files[i]);
}

/* Its mounts are its own, read-only or not: who owns the files is what counts. */
static void open_mounts(void)
{
	mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
	mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
	umount2("/proc/sys", MNT_DETACH);
	umount2("/proc/sysrq-trigger", MNT_DETACH);
}

/* Whoever takes them away when it has ended goes down as far. */
static void nest_groups(void)
{
	int ret = chdir("/sys/fs/cgroup"), depth = 0;

	while (!ret && depth < 1100) {
		ret = mkdir("deeper", 0755) ?: chdir("deeper");
		depth += !ret;
	}
	report("nest control groups", ret);
	while (depth-- && !chdir(".."))
		rmdir("deeper");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "handle")) {
		open_by_handle();
		return 0;
	}
	write_files();
	open_mounts();
	write_files();
	read_from("/proc/kcore", report);
	read_from("/dev/mem", report_absent);
	read_from("/proc/1/root/../../../../var/lib/dre/app/lock", report_absent);
	make_node("node of memory", S_IFCHR, makedev(1, 1));
	make_node("node of kmsg", S_IFCHR, makedev(1, 11));
	make_node("node of a loop device", S_IFBLK, makedev(7, 0));
	take_disk();
	mount_it("mount cgroup with a release_agent", "none", "cgroup", "release_agent=/x,memory");
	mount_it("mount debugfs", "none", "debugfs", "");
	mount_it("mount tracefs", "none", "tracefs", "");
	mount_it("mount securityfs", "none", "securityfs", "");
	mount_it("mount configfs", "none", "configfs", "");
	open_by_handle();
	inherited();
	take_key();
	call_kernel();
	join_parent("setns to the user namespace outside", "/proc/self/ns/user");
	join_parent("setns to the pid namespace outside", "/proc/self/ns/pid");
	register_interpreter();
	set_release_agent();
	nest_groups();
	puts("all tried");
	return 0;
}
