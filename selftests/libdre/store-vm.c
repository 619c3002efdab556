// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What needs mounts and control groups: root file systems of containers,
 * trees with mounts in them, full disks. For the virtual machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/cgroupfs.h"
#include "common/container.h"
#include "common/import.h"
#include "common/rootfs.h"
#include "common/tree.h"
#include "common/userns.h"
#include "fixture.h"
#include "inject.h"

static const struct idmap pool = { 1879048192, 65536 };

/* The fixture with a container, its root directory, and what is mounted at the beginning. */
struct world {
	struct fixture *f;
	struct container *c;
	char where[256];
	char *mounts;
};

static char *read_text(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) >= 0);
	fclose(file);
	return text;
}

/* Mounts, without the ids, which are counted on. */
static char *read_mounts(void)
{
	return read_text("/proc/self/mounts");
}

static void assert_mounts(const struct world *w)
{
	char *now = read_mounts();

	assert_string_equal(now, w->mounts);
	free(now);
}

static void make_base(struct fixture *f)
{
	make_tiny_tree(at(f, "src"));
	make_dir(at(f, "src/dir"), 0755);
	write_file(at(f, "src/dir/file"), "from the base");
	write_file(at(f, "src/user"), "x");
	assert_int_equal(chown(at(f, "src/user"), 1000, 1000), 0);
	write_file(at(f, "src/beyond"), "x");
	assert_int_equal(chown(at(f, "src/beyond"), 70000, 70000), 0);
	assert_int_equal(mknod(at(f, "src/null"), S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(chmod(at(f, "src/null"), 0666), 0);
	assert_success(import_base(f->store, "base", at(f, "src"), NULL, NULL));
}

static int setup(void **state, const struct idmap *ids)
{
	struct world *w = calloc(1, sizeof(*w));
	void *fixture;

	fixture_setup(&fixture);
	w->f = fixture;
	make_base(w->f);
	assert_success(container_create(&w->c, w->f->store, "web", "base", NULL, ids));
	make_dir(at(w->f, "store/lxc/web"), 0755);
	make_dir(at(w->f, "store/lxc/web/rootfs"), 0755);
	strcpy(w->where, at(w->f, "store/lxc/web/rootfs"));
	w->mounts = read_mounts();
	*state = w;
	return 0;
}

static int setup_privileged(void **state)
{
	return setup(state, NULL);
}

static int setup_mapped(void **state)
{
	return setup(state, &pool);
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *fixture = w->f;

	assert_success(rootfs_unmount("web", w->where, true));
	assert_mounts(w);
	container_unlock(w->c);
	free(w->mounts);
	free(w);
	return fixture_teardown(&fixture);
}

static int mount_web(const struct world *w)
{
	return rootfs_mount(w->c, w->where);
}

static bool is_mounted(const struct world *w)
{
	bool mounted;

	assert_success(rootfs_mounted("web", w->where, &mounted));
	return mounted;
}

static struct stat stat_at(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (lstat(path, &st) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st;
}

static const char *upper(const struct world *w)
{
	return at(w->f, "store/layers/%s", w->c->manifest.writable);
}

/*
 * Runs @fn as root of the container's user namespace, or of the host, with the container's root as
 * the current directory. It returns 0 or the line that failed.
 */
#define check(condition) do { if (!(condition)) return __LINE__; } while (0)

static void run_inside(const struct world *w, int (*fn)(void))
{
	struct idmap map;
	int status, fd = -1;
	pid_t pid;

	assert_success(container_idmap("web", &w->c->manifest, &map));
	if (map.count) {
		fd = userns_open(&map);
		assert_true(fd >= 0);
	}
	pid = fork();
	if (!pid) {
		if (chdir(w->where) || (fd >= 0 && (setns(fd, CLONE_NEWUSER) || setgid(0) ||
						    setuid(0))))
			_exit(255);
		umask(022);
		_exit(fn());
	}
	if (fd >= 0)
		close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status))
		fail_msg("inside: line %d", WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status));
}

/*
 * Mounting.
 */

static int use_files(void)
{
	struct stat st;
	int fd;

	check(!stat("dir/file", &st) && st.st_uid == 0 && st.st_gid == 0);
	check(!stat("user", &st) && st.st_uid == 1000 && st.st_gid == 1000);
	check((fd = open("new", O_WRONLY | O_CREAT | O_EXCL, 0644)) >= 0);
	check(write(fd, "new", 3) == 3 && !close(fd));
	check(!mkdir("newdir", 0700));
	check(!chown("newdir", 1000, 1000));
	check(!rename("dir", "renamed"));	/* a directory of the base */
	check(!access("renamed/file", R_OK) && access("dir", F_OK));
	check((fd = open("user", O_WRONLY | O_APPEND)) >= 0);
	check(write(fd, "y", 1) == 1 && !close(fd));
	check(!unlink("sbin/init"));
	check(!chmod("new", 04755));
	return 0;
}

static int see_what_was_written(void)
{
	struct stat st;

	check(!stat("new", &st) && st.st_size == 3 && st.st_mode == (S_IFREG | 04755));
	check(!stat("newdir", &st) && st.st_uid == 1000);
	check(!access("renamed/file", R_OK) && access("dir", F_OK));
	check(!stat("user", &st) && st.st_size == 2 && st.st_uid == 1000);
	check(access("sbin/init", F_OK));
	return 0;
}

static void mount_and_use(struct world *w)
{
	char *base_before = list_tree(at(w->f, "store/layers/%s", w->c->manifest.layers[0]));
	char *base_after;
	struct stat st;

	assert_false(is_mounted(w));
	assert_success(mount_web(w));
	assert_true(is_mounted(w));
	run_inside(w, use_files);
	assert_success(rootfs_unmount("web", w->where, true));
	assert_false(is_mounted(w));
	assert_int_equal(count_entries(w->where), 0);
	assert_mounts(w);

	/* On the disk, ids are those that the container saw. */
	st = stat_at(upper(w), "new");
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(stat_at(upper(w), "newdir").st_uid, 1000);
	assert_int_equal(stat_at(upper(w), "user").st_uid, 1000);
	st = stat_at(upper(w), "sbin/init");
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	base_after = list_tree(at(w->f, "store/layers/%s", w->c->manifest.layers[0]));
	assert_string_equal(base_before, base_after);
	free(base_before);
	free(base_after);

	assert_success(mount_web(w));
	run_inside(w, see_what_was_written);
	assert_success(rootfs_unmount("web", w->where, true));
	assert_success(rootfs_unmount("web", w->where, true));
}

static void privileged(void **state)
{
	struct world *w = *state;

	mount_and_use(w);
	assert_success(mount_web(w));
	assert_int_equal(stat_at(w->where, "renamed").st_uid, 0);
	assert_int_equal(stat_at(w->where, "beyond").st_uid, 70000);
}

static int open_device(void)
{
	check(open("null", O_WRONLY) < 0 && errno == EACCES);
	check(mknod("device", S_IFCHR | 0666, makedev(1, 3)) < 0 && errno == EPERM);
	return 0;
}

static void mapped(void **state)
{
	struct world *w = *state;

	mount_and_use(w);
	assert_success(mount_web(w));
	/* As the host sees it. */
	assert_int_equal(stat_at(w->where, ".").st_uid, pool.first);
	assert_int_equal(stat_at(w->where, "renamed/file").st_uid, pool.first);
	assert_int_equal(stat_at(w->where, "user").st_gid, pool.first + 1000);
	assert_int_equal(stat_at(w->where, "beyond").st_uid, 65534);	/* has no id there */
	run_inside(w, open_device);
}

/* Two with different ranges share the layers of their base. */
static void ranges_share_layers(void **state)
{
	struct world *w = *state;
	struct container *other;
	char where[PATH_MAX];

	assert_success(container_create(&other, w->f->store, "other", "base", NULL, &pool));
	make_dir(at(w->f, "other"), 0755);
	strcpy(where, at(w->f, "other"));
	assert_success(mount_web(w));
	assert_success(rootfs_mount(other, where));
	assert_int_equal(stat_at(w->where, "user").st_uid, pool.first + 1000);
	assert_int_equal(stat_at(where, "user").st_uid, pool.first + pool.count + 1000);
	assert_success(rootfs_unmount("other", where, true));
	container_unlock(other);
}

/* Only the mount is there afterwards: the caller and all the rest are as they were. */
static void caller_is_not_touched(void **state)
{
	static const char *const links[] = { "cwd", "root", "ns/mnt", "ns/user", "ns/pid" };
	struct world *w = *state;
	char before[5][PATH_MAX] = { "" }, after[PATH_MAX], path[64];
	char *status, *now;
	unsigned int fds;
	sigset_t mask, mask_now;

	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", links[i]);
		assert_true(readlink(path, before[i], PATH_MAX - 1) > 0);
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	status = strndup(strstr(status = read_text("/proc/self/status"), "Uid:"), 60);
	fds = count_fds();
	assert_success(mount_web(w));
	assert_int_equal(count_fds(), fds);
	for (int i = 0; i < 5; i++) {
		memset(after, 0, sizeof(after));
		snprintf(path, sizeof(path), "/proc/self/%s", links[i]);
		assert_true(readlink(path, after, PATH_MAX - 1) > 0);
		assert_string_equal(before[i], after);
	}
	sigprocmask(SIG_SETMASK, NULL, &mask_now);
	assert_memory_equal(&mask, &mask_now, sizeof(mask));
	now = read_text("/proc/self/status");
	assert_non_null(strstr(now, status));
	free(now);
	free(status);
	/* No child is left, and none was announced. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

static volatile sig_atomic_t children;

static void count_child(int sig)
{
	(void)sig;
	children++;
}

static void no_sigchld(void **state)
{
	struct sigaction action = { .sa_handler = count_child }, old;
	struct world *w = *state;

	sigaction(SIGCHLD, &action, &old);
	assert_success(mount_web(w));
	sigaction(SIGCHLD, &old, NULL);
	assert_int_equal(children, 0);
	assert_success(rootfs_unmount("web", w->where, true));
	/* Where the caller ignores its children, they are still waited for. */
	signal(SIGCHLD, SIG_IGN);
	assert_success(mount_web(w));
	signal(SIGCHLD, SIG_DFL);
}

static void mounted_already(void **state)
{
	struct world *w = *state;
	char *once, *twice;

	assert_success(mount_web(w));
	once = read_mounts();
	assert_success(mount_web(w));
	twice = read_mounts();
	assert_string_equal(once, twice);
	free(once);
	free(twice);
}

static void something_else_is_mounted(void **state)
{
	struct world *w = *state;
	struct container *other, odd;
	char *before, *after;

	assert_int_equal(mount("tmpfs", w->where, "tmpfs", 0, NULL), 0);
	before = read_mounts();
	assert_true(is_mounted(w));
	assert_fails(mount_web(w), DRE_ERR_DEVICE_BUSY, "something else is mounted");
	assert_fails(rootfs_unmount("web", w->where, true), DRE_ERR_DEVICE_BUSY, "something else");
	after = read_mounts();
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(umount(w->where), 0);

	/* Another container's root is something else, and so is ours with another layer. */
	assert_success(container_create(&other, w->f->store, "other", "base", NULL, NULL));
	assert_success(rootfs_mount(other, w->where));
	assert_fails(mount_web(w), DRE_ERR_DEVICE_BUSY, "something else is mounted");
	assert_fails(rootfs_unmount("web", w->where, true), DRE_ERR_DEVICE_BUSY, "something else");
	assert_success(rootfs_unmount("other", w->where, true));
	odd = *w->c;
	odd.manifest = other->manifest;
	assert_success(rootfs_mount(&odd, w->where));
	assert_fails(mount_web(w), DRE_ERR_DEVICE_BUSY, "something else is mounted");
	assert_success(rootfs_unmount("web", w->where, true));
	container_unlock(other);
}

static void nowhere_to_mount(void **state)
{
	struct world *w = *state;
	bool mounted = true;
	const char *file = at(w->f, "file"), *link = at(w->f, "link"), *none = at(w->f, "none/x");

	write_file(file, "");
	assert_int_equal(symlink(w->where, link), 0);
	assert_fails(rootfs_mount(w->c, none), DRE_ERR_DEVICE_BUSY, "No such file");
	assert_fails(rootfs_mount(w->c, file), DRE_ERR_DEVICE_BUSY, "Not a directory");
	assert_fails(rootfs_mount(w->c, link), DRE_ERR_DEVICE_BUSY, "Not a directory");
	assert_success(rootfs_mounted("web", none, &mounted));
	assert_false(mounted);
	assert_success(rootfs_unmount("web", none, true));
	assert_mounts(w);
}

static void still_in_use(void **state)
{
	struct world *w = *state;
	char path[PATH_MAX];
	int fd;

	assert_success(mount_web(w));
	snprintf(path, sizeof(path), "%s/dir/file", w->where);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_fails(rootfs_unmount("web", w->where, true), DRE_ERR_CONTAINER_BUSY, w->where);
	assert_true(is_mounted(w));
	close(fd);
	assert_success(rootfs_unmount("web", w->where, true));
	assert_mounts(w);
}

static void missing_layers(void **state)
{
	struct world *w = *state;
	char layer[PATH_MAX], saved[PATH_MAX], work[64];

	strcpy(saved, at(w->f, "saved"));
	strcpy(layer, at(w->f, "store/layers/%s", w->c->manifest.layers[0]));
	assert_int_equal(rename(layer, saved), 0);
	assert_fails(mount_web(w), DRE_ERR_DEVICE_BUSY, w->c->manifest.layers[0]);
	assert_int_equal(rename(saved, layer), 0);
	strcpy(layer, upper(w));
	assert_int_equal(rename(layer, saved), 0);
	assert_fails(mount_web(w), DRE_ERR_DEVICE_BUSY, w->c->manifest.writable);
	assert_int_equal(rename(saved, layer), 0);
	snprintf(work, sizeof(work), "store/work/%s", w->c->manifest.writable);
	assert_int_equal(remove_tree(w->f, work), 0);
	assert_fails(mount_web(w), DRE_ERR_DEVICE_BUSY, work);
	make_dir(at(w->f, "%s", work), 0700);
	assert_mounts(w);
	assert_success(mount_web(w));
}

static void bad_manifests(void **state)
{
	struct world *w = *state;
	struct container empty = *w->c;

	empty.manifest = (struct manifest){ 0 };
	assert_fails(rootfs_mount(&empty, w->where), DRE_ERR_CONTAINER_UNKNOWN_STATUS,
		     "names no layers");
	assert_int_equal(manifest_set(&w->c->manifest, SETTING_IDMAP, "nonsense"), 0);
	assert_fails(mount_web(w), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "bad id range");
	assert_mounts(w);
}

static void longest_chain(void **state)
{
	struct world *w = *state;
	char layer[9], path[PATH_MAX];

	for (unsigned int i = w->c->manifest.nr_layers; i < ROOTFS_MAX_LAYERS; i++) {
		snprintf(layer, sizeof(layer), "chain%03u", i);
		make_dir(at(w->f, "store/layers/%s", layer), 0755);
		snprintf(path, sizeof(path), "store/layers/%s/%u", layer, i);
		write_file(at(w->f, "%s", path), "");
		assert_int_equal(manifest_add_layer(&w->c->manifest, layer), 0);
	}
	assert_success(mount_web(w));
	/* All of them are there, also the lowest: nothing was cut off. */
	assert_int_equal(stat_at(w->where, "dir/file").st_size, strlen("from the base"));
	assert_int_equal(count_entries(w->where),
			 ROOTFS_MAX_LAYERS - 1 + count_entries(at(w->f, "src")));
	assert_success(rootfs_unmount("web", w->where, true));

	make_dir(at(w->f, "store/layers/onemore0"), 0755);
	assert_int_equal(manifest_add_layer(&w->c->manifest, "onemore0"), 0);
	assert_fails(mount_web(w), DRE_ERR_REQUEST_TOO_LONG, "441 layers is longer than 440");
	assert_mounts(w);
}

/* What is mounted appears in namespaces that are slaves of ours, and goes from there as well. */
static void shared_propagation(void **state)
{
	struct world *w = *state;
	int status, ready[2], go[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		bool mounted = false;

		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) ||
		    write(ready[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		if (rootfs_mounted("web", w->where, &mounted) || !mounted ||
		    write(ready[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(rootfs_mounted("web", w->where, &mounted) || mounted ? 3 : 0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_success(mount_web(w));
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_success(rootfs_unmount("web", w->where, true));
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

/* A host without systemd. */
static void private_propagation(void **state)
{
	struct world *w = *state;

	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_success(mount_web(w));
	run_inside(w, use_files);
	assert_success(rootfs_unmount("web", w->where, true));
	assert_mounts(w);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
}

static void no_idmapped_mounts(void **state)
{
	struct world *w = *state;
	struct fixture ram = *w->f;
	struct container *c;
	struct store *store;

	make_dir(at(w->f, "ram"), 0755);
	snprintf(ram.root, sizeof(ram.root), "%s/ram/store", w->f->dir);
	assert_int_equal(mount("ramfs", at(w->f, "ram"), "ramfs", 0, NULL), 0);
	assert_success(store_open(&store, ram.root, &layer_tree));
	assert_success(import_base(store, "base", at(w->f, "src/dir/.."), NULL, NULL));
	assert_success(container_create(&c, store, "web", "base", NULL, &pool));
	assert_fails(rootfs_mount(c, w->where), DRE_ERR_DEVICE_BUSY, "does not support idmapped mounts");
	container_unlock(c);
	store_close(store);
	assert_int_equal(umount(at(w->f, "ram")), 0);
	assert_mounts(w);
}

struct mounter {
	struct fixture *f;
	int nr;
	int ret;
};

static void *mount_repeatedly(void *arg)
{
	struct mounter *m = arg;
	struct container *c;
	char name[8], where[PATH_MAX];
	struct store *store;

	snprintf(name, sizeof(name), "c%d", m->nr);
	snprintf(where, sizeof(where), "%s/%s", m->f->dir, name);
	m->ret = mkdir(where, 0755);
	if (!m->ret)
		m->ret = store_open(&store, m->f->root, &layer_tree);
	if (m->ret)
		return NULL;
	m->ret = container_create(&c, store, name, "base", NULL, m->nr % 2 ? &pool : NULL);
	for (int i = 0; i < 20 && !m->ret; i++) {
		m->ret = rootfs_mount(c, where);
		if (!m->ret)
			m->ret = rootfs_unmount(name, where, true);
	}
	container_unlock(c);
	store_close(store);
	return NULL;
}

static void several_threads(void **state)
{
	struct world *w = *state;
	struct mounter mounters[4];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		mounters[i] = (struct mounter){ w->f, i, -1 };
		assert_int_equal(pthread_create(&threads[i], NULL, mount_repeatedly, &mounters[i]),
				 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(mounters[i].ret, 0);
	}
	assert_mounts(w);
}

/*
 * Killed and failing at every system call.
 */

static int mount_in_child(void *arg)
{
	return mount_web(arg);
}

static void injected_everywhere(struct world *w, enum injection what, const char *name)
{
	unsigned int n, failed = 0, mounted = 0;
	struct outcome outcome;

	for (n = 1; ; n++) {
		outcome = inject(what, n, mount_in_child, w);
		if (!outcome.injected)
			break;
		if (outcome.finished && outcome.leaked_fds)
			fail_msg("%d fds leak at %s", outcome.leaked_fds, outcome.call);
		if (outcome.finished && !outcome.ret != is_mounted(w))
			fail_msg("%d, %s, at %s", outcome.ret, outcome.text, outcome.call);
		failed += outcome.finished && outcome.ret;
		mounted += is_mounted(w);
		/* Whatever it was, it can be done now. */
		assert_success(mount_web(w));
		assert_success(rootfs_unmount("web", w->where, true));
		assert_mounts(w);
	}
	print_message("# %s at %u calls: mounted after %u, an error after %u\n", name, n - 1,
		      mounted, failed);
	assert_true(outcome.finished && !outcome.ret);
	assert_success(rootfs_unmount("web", w->where, true));
}

static void killed(void **state)
{
	injected_everywhere(*state, INJECT_KILL, "killed");
}

static void mounter_killed(void **state)
{
	injected_everywhere(*state, INJECT_KILL_CALLER, "the one that calls killed");
}

static void failing(void **state)
{
	injected_everywhere(*state, INJECT_EIO, "I/O error");
}

/*
 * Trees with mounts.
 */

static void removal_stops_at_mounts(void **state)
{
	struct fixture *f = *state;

	make_dir(at(f, "t"), 0755);
	make_dir(at(f, "t/mnt"), 0755);
	write_file(at(f, "t/file"), "");
	assert_int_equal(mount("tmpfs", at(f, "t/mnt"), "tmpfs", 0, NULL), 0);
	write_file(at(f, "t/mnt/precious"), "x");
	assert_int_equal(remove_tree(f, "t"), -EXDEV);
	assert_int_equal(count_entries(at(f, "t/mnt")), 1);
	assert_int_equal(count_entries(at(f, "t")), 1);	/* the rest went */
	assert_int_equal(umount(at(f, "t/mnt")), 0);
	/* A file can be a mount point, too. */
	write_file(at(f, "t/file"), "");
	assert_int_equal(mount("/etc/passwd", at(f, "t/file"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(remove_tree(f, "t"), -EBUSY);
	assert_int_equal(umount(at(f, "t/file")), 0);
	assert_int_equal(remove_tree(f, "t"), 0);
}

static void mount_points_are_copied_empty(void **state)
{
	struct fixture *f = *state;
	struct manifest m;
	struct stat st;

	make_tiny_tree(at(f, "src"));
	make_dir(at(f, "src/mnt"), 0755);
	assert_int_equal(mount("tmpfs", at(f, "src/mnt"), "tmpfs", 0, "mode=1777,uid=5"), 0);
	write_file(at(f, "src/mnt/file"), "x");
	assert_success(import_base(f->store, "new", at(f, "src"), NULL, NULL));
	assert_success(base_read(f->store, "new", &m));
	assert_int_equal(count_entries(at(f, "store/layers/%s/mnt", m.layers[0])), 0);
	assert_int_equal(stat(at(f, "store/layers/%s/mnt", m.layers[0]), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 01777);
	assert_int_equal(st.st_uid, 5);
	manifest_free(&m);
	assert_int_equal(umount(at(f, "src/mnt")), 0);
}

static void no_space_left(void **state)
{
	struct fixture *f = *state, small = *f;
	char *before, *after, *data = malloc(100001);
	struct container *c, *removed;
	struct store *store;

	memset(data, 'x', 100000);
	data[100000] = '\0';
	make_tiny_tree(at(f, "large"));
	for (int i = 0; i < 20; i++)
		write_file(at(f, "large/%d", i), data);
	make_tiny_tree(at(f, "src"));
	make_dir(at(f, "small"), 0755);
	assert_int_equal(mount("tmpfs", at(f, "small"), "tmpfs", 0, "size=1m,nr_inodes=64"), 0);
	snprintf(small.root, sizeof(small.root), "%s/small/store", f->dir);
	assert_success(store_open(&store, small.root, &layer_tree));
	assert_success(import_base(store, "tiny", at(f, "src"), NULL, NULL));
	before = list_tree(small.root);
	assert_fails(import_base(store, "large", at(f, "large"), NULL, NULL), DRE_ERR_DEVICE_BUSY,
		     "No space left on device");
	after = list_tree(small.root);
	assert_string_equal(before, after);
	free(after);

	assert_success(container_create(&removed, store, "removed", "tiny", NULL, NULL));
	/* No inodes, either, for a container. */
	for (int i = 0; i < 100; i++) {
		int fd = open(at(f, "small/%d", i), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			break;
		close(fd);
	}
	/* Removal needs nothing. */
	assert_success(container_remove(removed));
	for (int i = 0; i < 8; i++) {
		int fd = open(at(f, "small/again%d", i), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(unlink(at(f, "small/0")), 0);
	assert_int_equal(unlink(at(f, "small/1")), 0);
	assert_fails(container_create(&c, store, "web", "tiny", NULL, NULL), DRE_ERR_DEVICE_BUSY,
		     "No space left on device");
	after = list_tree(small.root);
	assert_string_equal(before, after);
	free(before);
	free(after);
	free(data);
	store_close(store);
	assert_int_equal(umount(at(f, "small")), 0);
}

/* An archive that is a thousandth of what is in it. */
static void full_of_zeros(void **state)
{
	struct fixture *f = *state, small = *f;
	char *before, *after, line[3 * PATH_MAX];
	struct store *store;
	struct stat st;

	make_tiny_tree(at(f, "src"));
	snprintf(line, sizeof(line), "cd %s && truncate -s 64M zeros && tar -czf %s .", at(f, "src"), at(f, "x.tar.gz"));
	assert_int_equal(system(line), 0);
	assert_int_equal(stat(at(f, "x.tar.gz"), &st), 0);
	assert_true(st.st_size < 128 * 1024);
	make_dir(at(f, "small"), 0755);
	assert_int_equal(mount("tmpfs", at(f, "small"), "tmpfs", 0, "size=4m"), 0);
	snprintf(small.root, sizeof(small.root), "%s/small/store", f->dir);
	assert_success(store_open(&store, small.root, &layer_tree));
	before = list_tree(small.root);
	assert_fails(import_base(store, "zeros", at(f, "x.tar.gz"), NULL, NULL), DRE_ERR_DEVICE_BUSY,
		     "No space left on device");
	after = list_tree(small.root);
	assert_string_equal(before, after);
	free(before);
	free(after);
	store_close(store);
	assert_int_equal(umount(at(f, "small")), 0);
}

/*
 * Control groups.
 */

#define GROUPS "/sys/fs/cgroup/dre-test"

static void groups_are_removed(void **state)
{
	struct stat st;

	(void)state;
	assert_success(cgroupfs_remove("dre-test"));
	make_dir(GROUPS, 0755);
	make_dir(GROUPS "/a", 0755);
	make_dir(GROUPS "/a/b", 0755);
	make_dir(GROUPS "/a/b/c", 0755);
	make_dir(GROUPS "/a/d", 0755);
	make_dir(GROUPS "/a/d/c", 0755);
	make_dir(GROUPS "/a/e", 0755);
	make_dir(GROUPS "/a/e/c", 0755);
	make_dir(GROUPS "/d", 0755);
	assert_success(cgroupfs_remove("dre-test/a"));
	assert_int_equal(stat(GROUPS "/d", &st), 0);
	assert_int_not_equal(stat(GROUPS "/a", &st), 0);
	assert_success(cgroupfs_remove("dre-test"));
	assert_int_not_equal(stat(GROUPS, &st), 0);
	assert_success(cgroupfs_remove("dre-test/none/such"));
}

#define MANY_GROUPS 620

/* More than there can be files open, and with a path that is longer than any can be. */
static void groups_far_down_are_removed(void **state)
{
	struct rlimit old, few = {};
	struct stat st;

	(void)state;
	make_dir(GROUPS, 0755);
	assert_int_equal(chdir(GROUPS), 0);
	for (int i = 0; i < MANY_GROUPS; i++) {
		make_dir("deeper", 0755);
		assert_int_equal(mkdir("beside", 0755), 0);
		assert_int_equal(chdir("deeper"), 0);
	}
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ 64, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_success(cgroupfs_remove("dre-test"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_not_equal(stat(GROUPS, &st), 0);
}

static void groups_in_use_stay(void **state)
{
	char pid_text[16], part[64];
	struct stat st;
	pid_t pid;

	(void)state;
	make_dir(GROUPS, 0755);
	make_dir(GROUPS "/a", 0755);
	make_dir(GROUPS "/a/empty", 0755);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	write_file(GROUPS "/a/cgroup.procs", pid_text);
	snprintf(part, sizeof(part), "dre-test/a still has process %d (store-vm)", pid);
	assert_fails(cgroupfs_remove("dre-test"), DRE_ERR_CONTAINER_BUSY, part);
	assert_int_equal(stat(GROUPS "/a", &st), 0);
	assert_int_equal(kill(pid, 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_success(cgroupfs_remove("dre-test"));
	assert_int_not_equal(stat(GROUPS, &st), 0);
}

/* A host without it, seen from a mount namespace that has none. */
static void no_unified_hierarchy(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		int ret;

		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    umount2("/sys/fs/cgroup", MNT_DETACH))
			_exit(1);
		ret = cgroupfs_remove("dre-test");
		_exit(ret == DRE_ERR_CGROUP_NONEXISTENCE &&
		      strstr(dre_last_error(), "control groups v2") ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void found_elsewhere(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	make_dir(at(f, "elsewhere"), 0755);
	pid = fork();
	if (!pid) {
		/* A mount without these takes them from the whole host. */
		static const char options[] = "nsdelegate,memory_recursiveprot";
		int fd;

		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    umount2("/sys/fs/cgroup", MNT_DETACH) ||
		    mount("cgroup2", at(f, "elsewhere"), "cgroup2", 0, options))
			_exit(1);
		_exit(cgroupfs_open(&fd) || faccessat(fd, "cgroup.procs", F_OK, 0) ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
#define PRIVILEGED(name) cmocka_unit_test_setup_teardown(name, setup_privileged, teardown)
#define MAPPED(name)	cmocka_unit_test_setup_teardown(name, setup_mapped, teardown)
#define TREE(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		PRIVILEGED(privileged),
		MAPPED(mapped),
		MAPPED(ranges_share_layers),
		MAPPED(caller_is_not_touched),
		MAPPED(no_sigchld),
		MAPPED(mounted_already),
		PRIVILEGED(something_else_is_mounted),
		MAPPED(nowhere_to_mount),
		MAPPED(still_in_use),
		PRIVILEGED(missing_layers),
		PRIVILEGED(bad_manifests),
		PRIVILEGED(longest_chain),
		MAPPED(longest_chain),
		MAPPED(shared_propagation),
		MAPPED(private_propagation),
		PRIVILEGED(no_idmapped_mounts),
		PRIVILEGED(several_threads),
		PRIVILEGED(killed),
		MAPPED(killed),
		PRIVILEGED(mounter_killed),
		MAPPED(mounter_killed),
		PRIVILEGED(failing),
		MAPPED(failing),
		TREE(removal_stops_at_mounts),
		TREE(mount_points_are_copied_empty),
		TREE(no_space_left),
		TREE(full_of_zeros),
		cmocka_unit_test(groups_are_removed),
		cmocka_unit_test(groups_far_down_are_removed),
		cmocka_unit_test(groups_in_use_stay),
		cmocka_unit_test(no_unified_hierarchy),
		TREE(found_elsewhere),
	};

	/* A namespace of our own, but shared within, as systemd has it on a host. */
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL)) {
		perror("Bail out! cannot get a mount namespace");
		return 1;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
