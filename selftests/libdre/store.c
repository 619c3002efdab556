// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The store: opening, base images, collection.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/base_private.h"
#include "common/container.h"
#include "common/import.h"
#include "common/lock.h"
#include "common/store.h"
#include "common/store_private.h"
#include "fixture.h"

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/*
 * Opening.
 */

static void open_makes_the_layout(void **state)
{
	struct fixture *f = *state;
	static const char *const closed[] = {
		"layers", "work", "bases", "containers", "pending", "trash",
	};
	char **names;

	assert_int_equal(mode_of(f->root), 0711);
	assert_int_equal(mode_of(at(f, "store/lxc")), 0711);
	assert_int_equal(mode_of(at(f, "store/lock")), 0600);
	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		assert_int_equal(mode_of(at(f, "store/%s", closed[i])), 0700);
		assert_int_equal(count_entries(at(f, "store/%s", closed[i])), 0);
	}
	assert_int_equal(count_entries(f->root), 8);
	assert_string_equal(store_root(f->store), f->root);
	assert_success(store_list_containers(f->store, &names));
	assert_null(names[0]);
	store_free_list(names);
	assert_success(store_list_bases(f->store, &names));
	assert_null(names[0]);
	store_free_list(names);
	store_free_list(NULL);
	store_close(NULL);
}

static void open_ignores_the_umask(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	mode_t old = umask(0777);

	assert_success(store_open(&store, at(f, "a/b/c"), &layer_tree));
	umask(old);
	assert_int_equal(mode_of(at(f, "a/b/c")), 0711);
	assert_int_equal(mode_of(at(f, "a/b/c/lxc")), 0711);
	store_close(store);
}

static void open_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	char *before = list_tree(f->root), *after;

	assert_success(store_open(&store, f->root, &layer_tree));
	store_close(store);
	after = list_tree(f->root);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* Opened by mistake, or by one that was killed before it could set them. */
static void open_mends_modes(void **state)
{
	struct fixture *f = *state;
	struct store *store;

	assert_int_equal(chmod(at(f, "store/layers"), 0755), 0);
	assert_int_equal(chmod(at(f, "store/lxc"), 0700), 0);
	assert_int_equal(chmod(f->root, 0700), 0);
	assert_success(store_open(&store, f->root, &layer_tree));
	store_close(store);
	assert_int_equal(mode_of(at(f, "store/layers")), 0700);
	assert_int_equal(mode_of(at(f, "store/lxc")), 0711);
	assert_int_equal(mode_of(f->root), 0711);
	/* That of the root may be the operator's. */
	assert_int_equal(chmod(f->root, 0755), 0);
	assert_success(store_open(&store, f->root, &layer_tree));
	store_close(store);
	assert_int_equal(mode_of(f->root), 0755);
}

static void open_refuses(void **state)
{
	struct fixture *f = *state;
	struct store *store;

	assert_fails(store_open(&store, "relative", &layer_tree), DRE_ERR_INVALID_ARGUMENT, "relative");
	assert_fails(store_open(&store, "", &layer_tree), DRE_ERR_INVALID_ARGUMENT, "absolute");
	write_file(at(f, "file"), "");
	assert_fails(store_open(&store, at(f, "file"), &layer_tree), DRE_ERR_DEVICE_BUSY, "Not a directory");
	assert_fails(store_open(&store, at(f, "file/store"), &layer_tree), DRE_ERR_DEVICE_BUSY,
		     "Not a directory");
	make_dir(at(f, "open"), 0777);
	assert_fails(store_open(&store, at(f, "open"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "others");
	assert_int_equal(count_entries(at(f, "open")), 0);
	make_dir(at(f, "foreign"), 0700);
	assert_int_equal(chown(at(f, "foreign"), 1000, 1000), 0);
	assert_fails(store_open(&store, at(f, "foreign"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "foreign");
	/* A part of the store that leads elsewhere. */
	assert_int_equal(rmdir(at(f, "store/trash")), 0);
	assert_int_equal(symlink("/", at(f, "store/trash")), 0);
	assert_fails(store_open(&store, f->root, &layer_tree), DRE_ERR_DEVICE_BUSY, "trash");
	assert_int_equal(unlink(at(f, "store/trash")), 0);
	make_dir(at(f, "store/trash"), 0700);
}

/* Whoever can rename the store, or what it is in, can put another one in its place. */
static void open_refuses_parents(void **state)
{
	struct fixture *f = *state;
	struct store *store;

	make_dir(at(f, "a"), 0755);
	make_dir(at(f, "a/b"), 0755);
	assert_success(store_open(&store, at(f, "a/b/store"), &layer_tree));
	store_close(store);
	assert_int_equal(chmod(at(f, "a"), 0777), 0);
	assert_fails(store_open(&store, at(f, "a/b/store"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "/a, which");
	assert_int_equal(symlink("a/b/store", at(f, "link")), 0);
	assert_fails(store_open(&store, at(f, "link"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "/a, which");
	assert_int_equal(chmod(at(f, "a"), 01777), 0);
	assert_success(store_open(&store, at(f, "link"), &layer_tree));
	store_close(store);
	assert_int_equal(chmod(at(f, "a/b"), 0775), 0);
	assert_fails(store_open(&store, at(f, "a/b/new"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "/a/b, which");
	assert_int_equal(access(at(f, "a/b/new"), F_OK), -1);
	assert_fails(store_open(&store, at(f, "a/b/store"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "/a/b, which");
	assert_int_equal(chmod(at(f, "a/b"), 0755), 0);
	assert_int_equal(chown(at(f, "a/b"), 1000, 1000), 0);
	assert_fails(store_open(&store, at(f, "a/b/store"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "/a/b, which");
	/* What is its own to lead elsewhere, a link too, though it leads to what is ours. */
	assert_int_equal(symlink("../../store", at(f, "a/b/link")), 0);
	assert_fails(store_open(&store, at(f, "a/b/link"), &layer_tree), DRE_ERR_PERMISSION_DENIED, "/a/b, which");
}

/* Runs @fn as an ordinary user, in a child; returns what it returns. */
static int as_user(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(99);
		_exit(fn(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int user_opens(void *arg)
{
	struct fixture *f = arg;
	struct store *store;
	int ret = store_open(&store, f->root, &layer_tree);

	if (ret != DRE_ERR_PERMISSION_DENIED || !strstr(dre_last_error(), "Permission denied"))
		return 1;
	ret = store_open(&store, at(f, "other"), &layer_tree);
	return ret != DRE_ERR_PERMISSION_DENIED;
}

static void users_get_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(as_user(user_opens, f), 0);
	assert_int_not_equal(access(at(f, "other"), F_OK), 0);
}

/*
 * Base images.
 */

static void base_names_are_checked(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *name;
		int code;
	} bad[] = {
		{ NULL, DRE_ERR_NULL_POINTER },
		{ "a23456789_123456789_123456789_123456789_123456789_123456789_1234",
		  DRE_ERR_REQUEST_TOO_LONG },
		{ "../tiny", DRE_ERR_INVALID_ARGUMENT },
		{ ".tmp-aaaaaaaa", DRE_ERR_INVALID_ARGUMENT },
	};
	char *before = list_tree(f->root), *after;
	struct manifest m;
	bool in_use;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_fails(base_read(f->store, bad[i].name, &m), bad[i].code, "base image");
		assert_fails(base_ensure(f->store, bad[i].name), bad[i].code, "base image");
		assert_fails(base_remove(f->store, bad[i].name), bad[i].code, "base image");
		assert_fails(base_in_use(f->store, bad[i].name, &in_use), bad[i].code,
			     "base image");
		assert_fails(import_base(f->store, bad[i].name, "/", NULL, NULL), bad[i].code,
			     "base image");
	}
	after = list_tree(f->root);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void absent_base(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	struct manifest m;

	assert_fails(base_read(f->store, "none", &m), DRE_ERR_BASE_NONEXISTENCE, "'none'");
	assert_fails(base_ensure(f->store, "none"), DRE_ERR_BASE_NONEXISTENCE, "'none'");
	assert_fails(base_remove(f->store, "none"), DRE_ERR_BASE_NONEXISTENCE, "'none'");
	assert_fails(container_create(&c, f->store, "web", "none", NULL, NULL),
		     DRE_ERR_BASE_NONEXISTENCE, "'none'");
	assert_null(c);
	assert_store_clean(f);
}

static void busybox_base(void **state)
{
	struct fixture *f = *state;
	static const char *const links[] = {
		"bin/sh", "bin/ls", "sbin/init", "sbin/syslogd", "usr/bin/env",
	};
	char target[64] = "", *before, *after;
	const char *layer;
	struct manifest m;
	struct stat st;

	assert_success(base_ensure(f->store, BASE_BUSYBOX));
	assert_store_clean(f);
	assert_success(base_read(f->store, BASE_BUSYBOX, &m));
	assert_int_equal(m.nr_layers, 1);
	assert_string_equal(m.writable, "");
	assert_null(m.base);
	assert_string_equal(manifest_get(&m, SETTING_HALT_SIGNAL), "SIGUSR1");
	assert_string_equal(manifest_get(&m, SETTING_REBOOT_SIGNAL), "SIGTERM");
	layer = at(f, "store/layers/%s", m.layers[0]);
	manifest_free(&m);

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", layer, links[i]);
		assert_int_equal(readlink(path, target, sizeof(target)), strlen("/bin/busybox"));
		assert_memory_equal(target, "/bin/busybox", strlen("/bin/busybox"));
	}
	assert_int_equal(mode_of(layer), 0755);
	assert_int_equal(mode_of(at(f, "%s/tmp", layer + strlen(f->dir) + 1)), 01777);
	assert_int_equal(mode_of(at(f, "%s/root", layer + strlen(f->dir) + 1)), 0700);
	assert_int_equal(mode_of(at(f, "%s/bin/busybox", layer + strlen(f->dir) + 1)), 0755);
	assert_int_equal(lstat(at(f, "%s/dev/dre", layer + strlen(f->dir) + 1), &st), 0);
	assert_true(S_ISREG(st.st_mode) && !st.st_size);

	before = list_tree(f->root);
	assert_success(base_ensure(f->store, BASE_BUSYBOX));
	assert_fails(base_build_busybox(f->store, "/bin/busybox"), DRE_ERR_BASE_EXISTENCE,
		     "busybox");
	after = list_tree(f->root);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void busybox_must_be_static(void **state)
{
	struct fixture *f = *state;
	char **names;

	assert_fails(base_build_busybox(f->store, "/nonexistent"), DRE_ERR_BASE_NONEXISTENCE,
		     "/nonexistent is missing; install the package busybox-static");
	assert_fails(base_build_busybox(f->store, "/bin/cat"), DRE_ERR_BASE_NONEXISTENCE,
		     "/bin/cat is not statically linked; install the package busybox-static");
	write_file(at(f, "text"), "no program\n");
	assert_fails(base_build_busybox(f->store, at(f, "text")), DRE_ERR_BASE_NONEXISTENCE,
		     "not statically linked");
	assert_success(store_list_bases(f->store, &names));
	assert_null(names[0]);
	store_free_list(names);
	assert_store_clean(f);
}

struct maker {
	const char *root;
	pthread_barrier_t *barrier;
	int ret;
};

static void *make_base(void *arg)
{
	struct maker *maker = arg;
	struct store *store;

	maker->ret = store_open(&store, maker->root, &layer_tree);
	pthread_barrier_wait(maker->barrier);
	if (!maker->ret) {
		maker->ret = base_ensure(store, BASE_BUSYBOX);
		store_close(store);
	}
	return NULL;
}

static void several_make_one_base(void **state)
{
	struct fixture *f = *state;
	pthread_barrier_t barrier;
	struct maker makers[4];
	pthread_t threads[4];

	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 4; i++) {
		makers[i] = (struct maker){ f->root, &barrier, -1 };
		assert_int_equal(pthread_create(&threads[i], NULL, make_base, &makers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(makers[i].ret, 0);
	}
	pthread_barrier_destroy(&barrier);
	/* The last one that was slower could collect, because no one was left to be in its way. */
	assert_int_equal(count_entries(at(f, "store/layers")), 1);
	assert_int_equal(count_entries(at(f, "store/bases")), 1);
	assert_store_clean(f);
}

static void damaged_base(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	struct manifest m;
	char *before, *after;

	write_file(at(f, "store/bases/broken"), "dre-manifest 1\nlayer x\nend\n");
	write_file(at(f, "store/bases/container"),
		   "dre-manifest 1\nlayer aaaaaaaa\nwritable bbbbbbbb\nend\n");
	write_file(at(f, "store/bases/nothing"), "dre-manifest 1\nend\n");
	make_dir(at(f, "store/bases/directory"), 0700);
	assert_int_equal(symlink("tiny", at(f, "store/bases/link")), 0);
	before = list_tree(f->root);
	assert_fails(base_read(f->store, "broken", &m), DRE_ERR_INVALID_ARGUMENT,
		     "bases/broken:2: not the name of a layer");
	assert_fails(base_read(f->store, "container", &m), DRE_ERR_INVALID_ARGUMENT,
		     "bases/container is not the manifest of a base image");
	assert_fails(base_read(f->store, "nothing", &m), DRE_ERR_INVALID_ARGUMENT,
		     "bases/nothing is not");
	assert_fails(base_read(f->store, "directory", &m), DRE_ERR_INVALID_ARGUMENT,
		     "bases/directory:1: not a manifest");
	assert_fails(base_read(f->store, "link", &m), DRE_ERR_INVALID_ARGUMENT,
		     "bases/link:1: not a manifest");
	assert_fails(container_create(&c, f->store, "web", "broken", NULL, NULL),
		     DRE_ERR_INVALID_ARGUMENT, "bases/broken:2");
	after = list_tree(f->root);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void base_in_use_stays(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	char *before, *after;
	bool in_use;

	assert_success(base_in_use(f->store, "tiny", &in_use));
	assert_false(in_use);
	assert_success(container_create(&c, f->store, "web", "tiny", NULL, NULL));
	assert_success(base_in_use(f->store, "tiny", &in_use));
	assert_true(in_use);
	before = list_tree(f->root);
	assert_fails(base_remove(f->store, "tiny"), DRE_ERR_REMOVE_BASE_FAILED, "'tiny'");
	after = list_tree(f->root);
	assert_string_equal(before, after);
	free(before);
	free(after);

	/* A snapshot alone counts, too. */
	assert_int_equal(rename(at(f, "store/containers/web/manifest"), at(f, "saved")), 0);
	write_file(at(f, "store/containers/web/snapshots/one"),
		   "dre-manifest 1\nbase tiny\nlayer aaaaaaaa\nend\n");
	assert_fails(base_remove(f->store, "tiny"), DRE_ERR_REMOVE_BASE_FAILED, "'tiny'");
	assert_int_equal(unlink(at(f, "store/containers/web/snapshots/one")), 0);
	assert_int_equal(rename(at(f, "saved"), at(f, "store/containers/web/manifest")), 0);

	assert_success(container_remove(c));
	assert_success(base_remove(f->store, "tiny"));
	assert_int_equal(count_entries(at(f, "store/layers")), 0);
	assert_int_equal(count_entries(at(f, "store/bases")), 0);
	assert_store_clean(f);
}

/* Where it cannot be told what a container was made from, its base is kept. */
static void base_stays_if_in_doubt(void **state)
{
	struct fixture *f = *state;
	struct container *c;

	assert_success(container_create(&c, f->store, "web", "tiny", NULL, NULL));
	container_unlock(c);
	write_file(at(f, "store/containers/web/manifest"), "?");
	assert_fails(base_remove(f->store, "tiny"), DRE_ERR_DEVICE_BUSY,
		     "containers/web/manifest:1");
	assert_int_equal(access(at(f, "store/bases/tiny"), F_OK), 0);
}

/*
 * Collection.
 */

/* What killed operations and others could have left. */
static void make_garbage(const struct fixture *f)
{
	make_dir(at(f, "store/layers/aaaaaaaa"), 0755);
	make_dir(at(f, "store/layers/aaaaaaaa/deep"), 0);
	write_file(at(f, "store/layers/aaaaaaaa/deep/file"), "x");
	write_file(at(f, "store/layers/qcow2abc"), "a layer that is a file");
	make_dir(at(f, "store/work/aaaaaaaa"), 0700);
	make_dir(at(f, "store/work/aaaaaaaa/work"), 0);
	make_dir(at(f, "store/work/bbbbbbbb"), 0700);
	make_dir(at(f, "store/containers/.tmp-01234567"), 0700);
	write_file(at(f, "store/containers/.tmp-01234567/manifest"), "");
	write_file(at(f, "store/bases/.tmp-01234567"), "");
	make_dir(at(f, "store/trash/whatever"), 0700);
	write_file(at(f, "store/trash/whatever/file"), "");
}

static void make_foreign(const struct fixture *f)
{
	make_dir(at(f, "store/layers/lost+found"), 0700);
	write_file(at(f, "store/layers/.nfs0000000000000001"), "");
	make_dir(at(f, "store/layers/UPPERCAS"), 0700);
	make_dir(at(f, "store/layers/toolongname"), 0700);
	write_file(at(f, "store/containers/.keep"), "");
	write_file(at(f, "store/bases/.nfs0000000000000002"), "");
}

static void collects_what_nobody_names(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	char *before, *after;
	bool busy = true;

	assert_success(container_create(&c, f->store, "web", "tiny", NULL, NULL));
	write_file(at(f, "store/layers/%s/file", c->manifest.writable), "data");
	make_dir(at(f, "store/work/%s/work", c->manifest.writable), 0);
	make_foreign(f);
	before = list_tree(f->root);
	make_garbage(f);
	assert_success(store_gc(f->store, &busy));
	assert_false(busy);
	after = list_tree(f->root);
	assert_string_equal(before, after);
	free(before);
	free(after);
	container_unlock(c);
}

/* A layer that nobody names, with @nr files. The next change finds it. */
static void make_large_garbage(const struct fixture *f, unsigned int nr)
{
	make_dir(at(f, "store/layers/aaaaaaaa"), 0755);
	make_dir(at(f, "store/layers/aaaaaaaa/deep"), 0755);
	for (unsigned int i = 0; i < nr; i++)
		write_file(at(f, "store/layers/aaaaaaaa/deep/%u", i), "");
	write_file(at(f, "store/pending/abcdefgh"), "");
}

static void change(const struct fixture *f)
{
	assert_success(store_change_begin(f->store));
	assert_int_equal(store_change_end(f->store, false, 0), 0);
}

/* One that only says what it was called with, and what of ours it holds. */
static void make_remover(const struct fixture *f)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s", at(f, "remover"));
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n"
		"cd %s && echo \"$@\" $(readlink /proc/$$/fd/0) $(ls -l /proc/$$/fd | grep -c /held) >said && mv said removed\n",
		f->dir);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static void assert_remover_was_called(const struct fixture *f)
{
	char wanted[PATH_MAX + 32], line[PATH_MAX + 32] = "";
	FILE *file;

	for (int tries = 0; access(at(f, "removed"), F_OK) && tries < 60000; tries++)
		usleep(1000);
	file = fopen(at(f, "removed"), "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	snprintf(wanted, sizeof(wanted), "trash %s /dev/null 0\n", store_root(f->store));
	assert_string_equal(line, wanted);
	assert_int_equal(unlink(at(f, "removed")), 0);
}

/* What is removed quickly is gone when the change has ended; the rest is the remover's, or that of who waits for it. */
static void leaves_much_to_the_remover(void **state)
{
	struct fixture *f = *state;
	char remover[PATH_MAX];
	int held = open(at(f, "held"), O_WRONLY | O_CREAT, 0600);

	assert_true(held >= 0);
	make_remover(f);
	snprintf(remover, sizeof(remover), "%s", at(f, "remover"));
	store_remove_with(f->store, remover);
	make_large_garbage(f, 20);
	change(f);
	assert_store_clean(f);
	assert_int_equal(access(at(f, "removed"), F_OK), -1);

	make_large_garbage(f, 100);
	change(f);
	assert_remover_was_called(f);
	assert_int_equal(access(at(f, "store/layers/aaaaaaaa"), F_OK), -1);
	assert_int_equal(count_entries(at(f, "store/trash")), 1);
	/* Who comes next calls it again: nobody knows what has become of the first one. */
	change(f);
	assert_remover_was_called(f);
	assert_int_equal(count_entries(at(f, "store/trash")), 1);
	assert_success(store_gc(f->store, NULL));
	assert_store_clean(f);
	assert_int_equal(access(at(f, "removed"), F_OK), -1);
	close(held);
}

static void removes_itself_without_a_remover(void **state)
{
	struct fixture *f = *state;

	store_remove_with(f->store, at(f, "absent"));
	make_large_garbage(f, 100);
	change(f);
	assert_store_clean(f);
}

static void keeps_layers_of_snapshots(void **state)
{
	struct fixture *f = *state;
	struct container *c;

	assert_success(container_create(&c, f->store, "web", "tiny", NULL, NULL));
	write_file(at(f, "store/containers/web/snapshots/one"),
		   "dre-manifest 1\nbase tiny\nlayer aaaaaaaa\nlayer cccccccc\nend\n");
	make_dir(at(f, "store/layers/aaaaaaaa"), 0755);
	make_dir(at(f, "store/layers/bbbbbbbb"), 0755);
	make_dir(at(f, "store/layers/cccccccc"), 0755);
	make_dir(at(f, "store/work/aaaaaaaa"), 0755);
	assert_success(store_gc(f->store, NULL));
	assert_int_equal(access(at(f, "store/layers/aaaaaaaa"), F_OK), 0);
	assert_int_equal(access(at(f, "store/layers/cccccccc"), F_OK), 0);
	assert_int_not_equal(access(at(f, "store/layers/bbbbbbbb"), F_OK), 0);
	/* Immutable layers have none. */
	assert_int_not_equal(access(at(f, "store/work/aaaaaaaa"), F_OK), 0);
	assert_success(container_remove(c));
	assert_store_clean(f);
}

/* A damaged manifest may name any layer. */
static void collects_nothing_if_in_doubt(void **state)
{
	struct fixture *f = *state;
	static const char *const where[] = {
		"store/bases/odd", "store/containers/web/manifest",
		"store/containers/web/snapshots/odd",
	};
	struct container *c;

	assert_success(container_create(&c, f->store, "web", "tiny", NULL, NULL));
	container_unlock(c);
	for (size_t i = 0; i < sizeof(where) / sizeof(*where); i++) {
		char *before, *after;
		bool existed = !rename(at(f, "%s", where[i]), at(f, "saved"));

		write_file(at(f, "%s", where[i]), "dre-manifest 1\nlay");
		make_garbage(f);
		before = list_tree(at(f, "store/layers"));
		assert_fails(store_gc(f->store, NULL), DRE_ERR_DEVICE_BUSY,
			     ":2: a line that was cut off");
		after = list_tree(at(f, "store/layers"));
		assert_string_equal(before, after);
		free(before);
		free(after);
		assert_int_equal(unlink(at(f, "%s", where[i])), 0);
		if (existed)
			assert_int_equal(rename(at(f, "saved"), at(f, "%s", where[i])), 0);
		assert_success(store_gc(f->store, NULL));
		assert_store_clean(f);
	}
}

static void collects_nothing_during_a_change(void **state)
{
	struct fixture *f = *state;
	int lock = open(at(f, "store/lock"), O_RDWR | O_CLOEXEC);
	bool busy = false;
	char *before, *after;

	make_garbage(f);
	before = list_tree(at(f, "store/layers"));
	assert_int_equal(lock_try(lock, LOCK_CHANGE, F_RDLCK), 0);
	assert_success(store_gc(f->store, &busy));
	assert_true(busy);
	after = list_tree(at(f, "store/layers"));
	assert_string_equal(before, after);
	free(before);
	free(after);
	close(lock);
	assert_success(store_gc(f->store, &busy));
	assert_false(busy);
	assert_store_clean(f);
}

/* Every change collects what a killed one left, if that left its mark. */
static void next_change_collects(void **state)
{
	struct fixture *f = *state;
	struct container *c;

	make_garbage(f);
	write_file(at(f, "store/pending/killed00"), "");
	assert_success(container_create(&c, f->store, "web", "tiny", NULL, NULL));
	assert_store_clean(f);

	make_garbage(f);
	write_file(at(f, "store/pending/killed00"), "");
	assert_success(container_commit(c));
	assert_store_clean(f);

	/* A failed one, too, and says why it failed nevertheless. */
	make_garbage(f);
	write_file(at(f, "store/pending/killed00"), "");
	assert_fails(import_base(f->store, "new", at(f, "tiny/sbin/init"), NULL, NULL),
		     DRE_ERR_INVALID_ARGUMENT, "sbin/init");
	assert_store_clean(f);
	container_unlock(c);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define BASE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup_base, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(open_makes_the_layout),
		TEST(open_ignores_the_umask),
		TEST(open_again_changes_nothing),
		TEST(open_mends_modes),
		TEST(open_refuses),
		TEST(open_refuses_parents),
		TEST(users_get_nothing),
		TEST(base_names_are_checked),
		TEST(absent_base),
		TEST(busybox_base),
		TEST(busybox_must_be_static),
		TEST(several_make_one_base),
		BASE_TEST(damaged_base),
		BASE_TEST(base_in_use_stays),
		BASE_TEST(base_stays_if_in_doubt),
		BASE_TEST(collects_what_nobody_names),
		BASE_TEST(leaves_much_to_the_remover),
		BASE_TEST(removes_itself_without_a_remover),
		BASE_TEST(keeps_layers_of_snapshots),
		BASE_TEST(collects_nothing_if_in_doubt),
		BASE_TEST(collects_nothing_during_a_change),
		BASE_TEST(next_change_collects),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
