// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Containers in the store: creation, locks, id ranges, removal.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "common/base.h"
#include "common/container.h"
#include "common/import.h"
#include "common/lock.h"
#include "fixture.h"

static const struct idmap pool = { 1879048192, 65536 };

static struct container *create(struct fixture *f, const char *name, const struct idmap *ids)
{
	struct container *c;

	assert_success(container_create(&c, f->store, name, "tiny", NULL, ids));
	return c;
}

static struct container *lock(struct fixture *f, const char *name)
{
	struct container *c;

	assert_success(container_lock(&c, f->store, name));
	return c;
}

static void assert_unchanged(const struct fixture *f, char *before)
{
	char *after = list_tree(f->root);

	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void created(void **state)
{
	struct fixture *f = *state;
	struct manifest settings = { 0 }, m;
	struct idmap map;
	struct container *c;
	char **names;

	assert_int_equal(manifest_set(&settings, "port", "2222"), 0);
	assert_int_equal(manifest_set(&settings, SETTING_REBOOT_SIGNAL, "SIGHUP"), 0);
	/* Not the caller's to choose. */
	assert_int_equal(manifest_set(&settings, SETTING_IDMAP, "1 1"), 0);
	assert_success(container_create(&c, f->store, "web", "tiny", &settings, &pool));
	manifest_free(&settings);
	assert_string_equal(c->name, "web");
	container_unlock(c);

	assert_success(container_read(f->store, "web", &m));
	assert_string_equal(m.base, "tiny");
	assert_int_equal(m.nr_layers, 1);
	assert_true(*m.writable);
	assert_string_equal(manifest_get(&m, "port"), "2222");
	assert_string_equal(manifest_get(&m, SETTING_HALT_SIGNAL), "SIGPWR");
	assert_string_equal(manifest_get(&m, SETTING_REBOOT_SIGNAL), "SIGHUP");
	assert_success(container_idmap("web", &m, &map));
	assert_int_equal(map.first, pool.first);
	assert_int_equal(map.count, pool.count);
	assert_int_equal(count_entries(at(f, "store/layers/%s", m.writable)), 0);
	assert_int_equal(count_entries(at(f, "store/work/%s", m.writable)), 0);
	manifest_free(&m);

	assert_int_equal(count_entries(at(f, "store/containers/web")), 5);
	assert_int_equal(count_entries(at(f, "store/containers/web/snapshots")), 0);
	assert_success(store_list_containers(f->store, &names));
	assert_string_equal(names[0], "web");
	assert_null(names[1]);
	store_free_list(names);
	assert_store_clean(f);
}

static void privileged_has_no_range(void **state)
{
	struct fixture *f = *state;
	struct container *c = create(f, "web", NULL);
	struct idmap map = pool;

	assert_null(manifest_get(&c->manifest, SETTING_IDMAP));
	assert_success(container_idmap("web", &c->manifest, &map));
	assert_int_equal(map.count, 0);
	container_unlock(c);
}

/* "/" of the container looks like that of the base, but for what overlayfs noted there. */
static void root_looks_like_the_base(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	struct stat st;
	char value[16];
	const char *top;

	make_tiny_tree(at(f, "odd"));
	assert_int_equal(chown(at(f, "odd"), 12, 34), 0);
	assert_int_equal(chmod(at(f, "odd"), 0751), 0);
	assert_int_equal(setxattr(at(f, "odd"), "user.note", "kept", 4, 0), 0);
	assert_int_equal(setxattr(at(f, "odd"), "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_success(import_base(f->store, "odd", at(f, "odd"), NULL, NULL));
	assert_success(container_create(&c, f->store, "web", "odd", NULL, NULL));
	top = at(f, "store/layers/%s", c->manifest.writable);
	assert_int_equal(stat(top, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0751);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
	assert_int_equal(getxattr(top, "user.note", value, sizeof(value)), 4);
	assert_int_equal(getxattr(top, "trusted.overlay.opaque", value, sizeof(value)), -1);
	container_unlock(c);
}

static void bad_names(void **state)
{
	struct fixture *f = *state;
	static const char long_name[] =
		"a23456789_123456789_123456789_123456789_123456789_123456789_1234";
	static const struct {
		const char *name;
		int code;
	} bad[] = {
		{ NULL, DRE_ERR_NULL_POINTER },
		{ long_name, DRE_ERR_REQUEST_TOO_LONG },
		{ "", DRE_ERR_INVALID_ARGUMENT },
		{ "..", DRE_ERR_INVALID_ARGUMENT },
		{ "../web", DRE_ERR_INVALID_ARGUMENT },
		{ ".tmp-aaaaaaaa", DRE_ERR_INVALID_ARGUMENT },
	};
	char *before = list_tree(f->root);
	struct container *c;
	struct manifest m;
	bool busy;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *name = bad[i].name;
		int code = bad[i].code;

		assert_fails(container_create(&c, f->store, name, "tiny", NULL, NULL), code,
			     "container");
		assert_fails(container_create(&c, f->store, "web", name, NULL, NULL), code,
			     "base image");
		assert_fails(container_lock(&c, f->store, name), code, "container");
		assert_fails(container_lock_damaged(&c, f->store, name), code, "container");
		assert_fails(container_read(f->store, name, &m), code, "container");
		assert_fails(container_busy(f->store, name, &busy), code, "container");
	}
	assert_unchanged(f, before);
}

static void absent(void **state)
{
	struct fixture *f = *state;
	char *before = list_tree(f->root);
	struct container *c;
	struct manifest m;
	bool busy;

	assert_fails(container_lock(&c, f->store, "web"), DRE_ERR_CONTAINER_NONEXISTENCE, "'web'");
	assert_null(c);
	assert_fails(container_lock_damaged(&c, f->store, "web"), DRE_ERR_CONTAINER_NONEXISTENCE,
		     "'web'");
	assert_fails(container_read(f->store, "web", &m), DRE_ERR_CONTAINER_NONEXISTENCE, "web");
	assert_fails(container_busy(f->store, "web", &busy), DRE_ERR_CONTAINER_NONEXISTENCE,
		     "'web'");
	assert_unchanged(f, before);
}

static void exists_already(void **state)
{
	struct fixture *f = *state;
	struct container *c, *other;
	char *before;

	c = create(f, "web", &pool);
	before = list_tree(f->root);
	/* Also while it is locked, and before the base is looked for. */
	assert_fails(container_create(&other, f->store, "web", "tiny", NULL, &pool),
		     DRE_ERR_CONTAINER_EXISTENCE, "'web'");
	assert_fails(container_create(&other, f->store, "web", "none", NULL, &pool),
		     DRE_ERR_CONTAINER_EXISTENCE, "'web'");
	assert_null(other);
	assert_unchanged(f, before);
	container_unlock(c);
}

struct creator {
	const char *root;
	const char *name;
	pthread_barrier_t *barrier;
	struct idmap map;
	int ret;
};

static void *create_in_thread(void *arg)
{
	struct creator *creator = arg;
	struct container *c;
	struct store *store;

	creator->ret = store_open(&store, creator->root, &layer_tree);
	pthread_barrier_wait(creator->barrier);
	if (creator->ret)
		return NULL;
	creator->ret = container_create(&c, store, creator->name, "tiny", NULL, &pool);
	if (!creator->ret) {
		creator->ret = container_idmap(creator->name, &c->manifest, &creator->map);
		container_unlock(c);
	}
	store_close(store);
	return NULL;
}

#define NR_CREATORS 8

static void run_creators(struct fixture *f, struct creator *creators, const char *(*name)(int i))
{
	pthread_t threads[NR_CREATORS];
	pthread_barrier_t barrier;

	pthread_barrier_init(&barrier, NULL, NR_CREATORS);
	for (int i = 0; i < NR_CREATORS; i++) {
		creators[i] = (struct creator){ f->root, name(i), &barrier, { 0 }, -1 };
		assert_int_equal(pthread_create(&threads[i], NULL, create_in_thread, &creators[i]),
				 0);
	}
	for (int i = 0; i < NR_CREATORS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
}

static const char *same_name(int i)
{
	(void)i;
	return "web";
}

static const char *own_name(int i)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };

	return names[i];
}

static void one_of_several_creates(void **state)
{
	struct creator creators[NR_CREATORS];
	struct fixture *f = *state;
	int successes = 0;

	run_creators(f, creators, same_name);
	for (int i = 0; i < NR_CREATORS; i++) {
		if (creators[i].ret)
			assert_int_equal(creators[i].ret, DRE_ERR_CONTAINER_EXISTENCE);
		successes += !creators[i].ret;
	}
	assert_int_equal(successes, 1);
	assert_store_clean(f);
}

static void several_create_at_once(void **state)
{
	struct creator creators[NR_CREATORS];
	struct fixture *f = *state;
	unsigned int slots = 0;

	run_creators(f, creators, own_name);
	for (int i = 0; i < NR_CREATORS; i++) {
		assert_int_equal(creators[i].ret, 0);
		assert_int_equal((creators[i].map.first - pool.first) % pool.count, 0);
		slots |= 1 << (creators[i].map.first - pool.first) / pool.count;
	}
	/* Each has its own, and they are the lowest. */
	assert_int_equal(slots, (1 << NR_CREATORS) - 1);
	assert_store_clean(f);
}

/*
 * Id ranges.
 */

static uint32_t first_id(struct fixture *f, const char *name, const struct idmap *ids)
{
	struct container *c = create(f, name, ids);
	struct idmap map;

	assert_success(container_idmap(name, &c->manifest, &map));
	assert_int_equal(map.count, ids->count);
	container_unlock(c);
	return map.first;
}

static void lowest_free_range(void **state)
{
	struct fixture *f = *state;
	const struct idmap large = { pool.first, 3 * pool.count };
	const struct idmap below = { pool.first - 2 * pool.count, pool.count };

	assert_int_equal(first_id(f, "a", &pool), pool.first);
	assert_int_equal(first_id(f, "b", &pool), pool.first + pool.count);
	assert_int_equal(first_id(f, "c", &pool), pool.first + 2 * pool.count);
	assert_success(container_remove(lock(f, "b")));
	assert_int_equal(first_id(f, "d", &pool), pool.first + pool.count);
	container_unlock(create(f, "e", NULL));
	/* After the configuration was changed: overlaps none of the old ones. */
	assert_int_equal(first_id(f, "f", &large), pool.first + 3 * pool.count);
	assert_int_equal(first_id(f, "g", &below), below.first);
	assert_int_equal(first_id(f, "h", &below), below.first + pool.count);
	assert_int_equal(first_id(f, "i", &below), pool.first + 6 * pool.count);
}

static void no_range_is_left(void **state)
{
	struct fixture *f = *state;
	const struct idmap small = { UINT32_MAX - 2 * 65536, 65536 };
	struct container *c;
	char *before;

	assert_int_equal(first_id(f, "a", &small), small.first);
	assert_int_equal(first_id(f, "b", &small), small.first + 65536);
	before = list_tree(f->root);
	assert_fails(container_create(&c, f->store, "c", "tiny", NULL, &small),
		     DRE_ERR_DEVICE_BUSY, "no range of 65536 ids is left");
	assert_unchanged(f, before);
}

static void bad_ranges(void **state)
{
	static const char *const bad[] = {
		"", "1", "1 ", "1 0", "1 2 3", "-1 2", "1 -2", "x 1", "1 x", "0x10 1", "1 1x",
		"4294967295 1", "1 4294967295", "99999999999 1", "1,1",
	};
	struct fixture *f = *state;
	struct container *c = create(f, "web", &pool), *other;
	struct idmap map;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(manifest_set(&c->manifest, SETTING_IDMAP, bad[i]), 0);
		assert_fails(container_idmap("web", &c->manifest, &map),
			     DRE_ERR_CONTAINER_UNKNOWN_STATUS, "'web'");
	}
	/* It is in a second place. Without that, nobody else gets one. */
	assert_success(container_commit(c));
	assert_int_equal(unlink(at(f, "store/containers/web/ids")), 0);
	assert_fails(container_create(&other, f->store, "other", "tiny", NULL, &pool),
		     DRE_ERR_DEVICE_BUSY, "bad id range");
	assert_store_clean(f);
	container_unlock(c);
}

/*
 * Locks.
 */

static bool is_busy(struct fixture *f, const char *name)
{
	bool busy;

	assert_success(container_busy(f->store, name, &busy));
	return busy;
}

static void locked_is_busy(void **state)
{
	struct fixture *f = *state;
	struct container *c = create(f, "web", &pool), *other;
	struct manifest m;

	for (int round = 0; round < 2; round++) {
		assert_true(is_busy(f, "web"));
		assert_fails(container_lock(&other, f->store, "web"), DRE_ERR_CONTAINER_BUSY,
			     "'web'");
		assert_null(other);
		assert_fails(container_lock_damaged(&other, f->store, "web"),
			     DRE_ERR_CONTAINER_BUSY, "'web'");
		/* Reading needs no lock. */
		assert_success(container_read(f->store, "web", &m));
		manifest_free(&m);
		container_unlock(c);
		assert_false(is_busy(f, "web"));
		c = lock(f, "web");
	}
	container_unlock(c);
	container_unlock(NULL);
}

/* Who cleans up after it is waited for, and makes nobody believe that it is busy. */
static void cleanup_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct container *c, *other;
	struct timespec start, end;
	pid_t pid;

	container_unlock(create(f, "web", &pool));
	assert_success(container_lock_to_settle(&c, f->store, "web"));
	assert_false(is_busy(f, "web"));
	/* Two of them do not wait for one another. */
	assert_fails(container_lock_to_settle(&other, f->store, "web"), DRE_ERR_CONTAINER_BUSY,
		     "'web'");
	assert_null(other);
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (!pid) {
		usleep(300000);
		container_unlock(c);
		_exit(0);
	}
	other = lock(f, "web");
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 >=
		    200);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* It has nothing to clean up where somebody else is at work. */
	assert_true(is_busy(f, "web"));
	container_unlock(c);
	assert_fails(container_lock_to_settle(&c, f->store, "web"), DRE_ERR_CONTAINER_BUSY,
		     "'web'");
	assert_true(is_busy(f, "web"));
	container_unlock(other);
}

/* Of another process, which dies with it. */
static void killed_holder_leaves_it_free(void **state)
{
	struct fixture *f = *state;
	int ready[2];
	char byte;
	pid_t pid;

	container_unlock(create(f, "web", &pool));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		struct container *c;

		if (container_lock(&c, f->store, "web") || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(is_busy(f, "web"));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(is_busy(f, "web"));
	container_unlock(lock(f, "web"));
	close(ready[0]);
	close(ready[1]);
}

/* Like liblxc's monitor: a child that lives on with all the fds. */
static void unlocks_for_children_too(void **state)
{
	struct fixture *f = *state;
	struct container *c = create(f, "web", &pool);
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(1);
	}
	assert_true(is_busy(f, "web"));
	container_unlock(c);
	assert_false(is_busy(f, "web"));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void fds_are_not_inherited(void **state)
{
	struct fixture *f = *state;
	struct container *c = create(f, "web", &pool);

	for (int fd = 0; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !f->open[fd])
			assert_true(flags & FD_CLOEXEC);
	}
	container_unlock(c);
}

/* The lock of a container that is gone is not the lock of the next one of that name. */
static void lock_belongs_to_one_life(void **state)
{
	struct fixture *f = *state;
	struct container *c = create(f, "web", &pool), *new;
	int old_lock = open(at(f, "store/containers/web/lock"), O_RDWR | O_CLOEXEC);

	assert_success(container_remove(c));
	assert_int_equal(lock_try(old_lock, LOCK_CHANGE, F_WRLCK), 0);
	new = create(f, "web", &pool);
	assert_true(is_busy(f, "web"));
	container_unlock(new);
	assert_false(is_busy(f, "web"));
	close(old_lock);
}

static void *remove_and_create(void *arg)
{
	struct fixture *f = arg;
	struct container *c;
	struct store *store;

	if (store_open(&store, f->root, &layer_tree))
		return (void *)1;
	for (int i = 0; i < 100; i++) {
		if (!container_lock(&c, store, "web") && container_remove(c))
			return (void *)2;
		if (!container_create(&c, store, "web", "tiny", NULL, &pool))
			container_unlock(c);
	}
	store_close(store);
	return NULL;
}

static void removal_races_with_everybody(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[3];
	void *result;

	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, remove_and_create, f), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	assert_false(is_busy(f, "web"));
	assert_success(store_gc(f->store, NULL));
	assert_store_clean(f);
	container_unlock(lock(f, "web"));
}

static void *rename_in_thread(void *arg)
{
	struct fixture *f = arg;
	struct container *c;
	struct store *store;
	int ret = store_open(&store, f->root, &layer_tree);

	if (ret)
		return (void *)1;
	ret = container_lock(&c, store, "web");
	if (!ret) {
		ret = container_rename(c, "a");
		container_unlock(c);
	}
	store_close(store);
	return ret ? (void *)2 : NULL;
}

/* Who has read which containers there are, and reads their manifests now, does not miss one. */
static void rename_waits_for_readers(void **state)
{
	struct fixture *f = *state;
	int fd = open(at(f, "store/lock"), O_RDWR | O_CLOEXEC);
	pthread_t thread;
	void *result;

	container_unlock(create(f, "web", &pool));
	assert_int_equal(lock_wait(fd, LOCK_NAMES, F_WRLCK), 0);
	assert_int_equal(pthread_create(&thread, NULL, rename_in_thread, f), 0);
	usleep(200000);
	assert_int_equal(access(at(f, "store/containers/web/manifest"), F_OK), 0);
	lock_release(fd, LOCK_NAMES);
	close(fd);
	pthread_join(thread, &result);
	assert_null(result);
	container_unlock(lock(f, "a"));
	assert_store_clean(f);
}

/*
 * Changes and removal.
 */

static void commit_keeps_what_it_does_not_know(void **state)
{
	struct fixture *f = *state;
	struct container *c = create(f, "web", &pool);
	struct manifest m;

	assert_int_equal(manifest_set(&c->manifest, "port", "22"), 0);
	assert_int_equal(manifest_set(&c->manifest, "from_the_future", "a b c"), 0);
	assert_success(container_commit(c));
	container_unlock(c);
	c = lock(f, "web");
	assert_int_equal(manifest_set(&c->manifest, "port", "23"), 0);
	assert_success(container_commit(c));
	container_unlock(c);
	assert_success(container_read(f->store, "web", &m));
	assert_string_equal(manifest_get(&m, "port"), "23");
	assert_string_equal(manifest_get(&m, "from_the_future"), "a b c");
	manifest_free(&m);
	assert_store_clean(f);
}

static void uncommitted_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct container *c = create(f, "web", &pool);
	char *before = list_tree(f->root);

	assert_int_equal(manifest_set(&c->manifest, "port", "22"), 0);
	container_unlock(c);
	assert_unchanged(f, before);
}

static void removed(void **state)
{
	struct fixture *f = *state;
	char *before = list_tree(f->root);
	struct container *c = create(f, "web", &pool);

	write_file(at(f, "store/layers/%s/file", c->manifest.writable), "data");
	write_file(at(f, "store/containers/web/snapshots/one"),
		   "dre-manifest 1\nbase tiny\nlayer aaaaaaaa\nend\n");
	make_dir(at(f, "store/layers/aaaaaaaa"), 0755);
	assert_success(container_remove(c));
	assert_unchanged(f, before);
	assert_fails(container_lock(&c, f->store, "web"), DRE_ERR_CONTAINER_NONEXISTENCE, "web");
}

/* What the root of a privileged container can do to its files. */
static void removed_though_immutable(void **state)
{
	struct fixture *f = *state;
	char *before = list_tree(f->root);
	struct container *c = create(f, "web", NULL);

	write_file(at(f, "store/layers/%s/file", c->manifest.writable), "data");
	set_flag(at(f, "store/layers/%s/file", c->manifest.writable), FS_IMMUTABLE_FL);
	set_flag(at(f, "store/layers/%s", c->manifest.writable), FS_IMMUTABLE_FL);
	assert_success(container_remove(c));
	assert_unchanged(f, before);
}

/* Others are at work: the rest goes with the next change. */
static void removed_while_the_store_is_changed(void **state)
{
	struct fixture *f = *state;
	char *before = list_tree(f->root);
	int other = open(at(f, "store/lock"), O_RDWR | O_CLOEXEC);
	struct container *c = create(f, "web", &pool);

	assert_int_equal(lock_try(other, LOCK_CHANGE, F_RDLCK), 0);
	assert_success(container_remove(c));
	assert_fails(container_lock(&c, f->store, "web"), DRE_ERR_CONTAINER_NONEXISTENCE, "web");
	assert_int_equal(count_entries(at(f, "store/layers")), 2);
	close(other);
	c = create(f, "other", &pool);
	assert_store_clean(f);
	assert_success(container_remove(c));
	assert_unchanged(f, before);
}

static void damaged_can_be_removed(void **state)
{
	static const char *const texts[] = {
		"", "?", "dre-manifest 1\nend", "dre-manifest 1\nlayer ../../etc\nend\n",
	};
	struct fixture *f = *state;
	char *before = list_tree(f->root);
	struct container *c, *other;
	struct manifest m;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		container_unlock(create(f, "web", NULL));
		write_file(at(f, "store/containers/web/manifest"), texts[i]);
		assert_fails(container_lock(&c, f->store, "web"), DRE_ERR_CONTAINER_UNKNOWN_STATUS,
			     "containers/web/manifest:");
		assert_null(c);
		assert_fails(container_read(f->store, "web", &m), DRE_ERR_CONTAINER_UNKNOWN_STATUS,
			     "containers/web/manifest:");
		assert_success(container_lock_damaged(&c, f->store, "web"));
		assert_null(c->manifest.base);
		assert_fails(container_lock_damaged(&other, f->store, "web"),
			     DRE_ERR_CONTAINER_BUSY, "web");
		assert_success(container_remove(c));
	}
	/* Without a manifest, or a lock file. */
	make_dir(at(f, "store/containers/web"), 0700);
	assert_fails(container_read(f->store, "web", &m), DRE_ERR_CONTAINER_UNKNOWN_STATUS,
		     "there is no");
	assert_false(is_busy(f, "web"));
	assert_success(container_lock_damaged(&c, f->store, "web"));
	assert_success(container_remove(c));
	assert_unchanged(f, before);
}

/* Until it is killed, "web" goes and comes again, as another one of that name. */
static void come_and_go(const struct fixture *f)
{
	char there[PATH_MAX], away[PATH_MAX];

	snprintf(there, sizeof(there), "%s/containers/web", f->root);
	snprintf(away, sizeof(away), "%s/work/web", f->root);
	for (;;)
		if (rename(there, away) || rename(away, there))
			_exit(1);
}

/* It is there, or it is not; but it is never damaged. */
static void read_while_it_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	struct manifest m = { 0 };
	int ret = 0, found = 0, absent = 0;
	pid_t pid;

	container_unlock(create(f, "web", NULL));
	pid = fork();
	if (!pid)
		come_and_go(f);
	for (int i = 0; i < 200000 && (i < 20000 || !found || !absent); i++) {
		ret = container_read(f->store, "web", &m);
		if (ret && ret != DRE_ERR_CONTAINER_NONEXISTENCE)
			break;
		found += !ret;
		absent += ret != 0;
		manifest_free(&m);
		m = (struct manifest){ 0 };
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	print_message("# found %d times, absent %d times\n", found, absent);
	if (ret)
		assert_fails(ret, DRE_ERR_CONTAINER_NONEXISTENCE, "web");
	assert_true(found && absent);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_base, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(created),
		TEST(privileged_has_no_range),
		TEST(root_looks_like_the_base),
		TEST(bad_names),
		TEST(absent),
		TEST(exists_already),
		TEST(one_of_several_creates),
		TEST(several_create_at_once),
		TEST(lowest_free_range),
		TEST(no_range_is_left),
		TEST(bad_ranges),
		TEST(locked_is_busy),
		TEST(cleanup_is_waited_for),
		TEST(killed_holder_leaves_it_free),
		TEST(unlocks_for_children_too),
		TEST(fds_are_not_inherited),
		TEST(lock_belongs_to_one_life),
		TEST(removal_races_with_everybody),
		TEST(rename_waits_for_readers),
		TEST(commit_keeps_what_it_does_not_know),
		TEST(uncommitted_is_nothing),
		TEST(removed),
		TEST(removed_though_immutable),
		TEST(removed_while_the_store_is_changed),
		TEST(damaged_can_be_removed),
		TEST(read_while_it_comes_and_goes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
