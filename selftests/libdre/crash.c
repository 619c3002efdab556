// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every operation of the store, killed in place of each of its system calls,
 * and with each of them failing. The store is in the old state or in the new
 * one, and the next change leaves nothing of it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/base_private.h"
#include "common/container.h"
#include "common/import.h"
#include "common/snapshot.h"
#include "common/tree.h"
#include "fixture.h"
#include "inject.h"

static const struct idmap pool = { 1879048192, 65536 };

struct operation {
	const char *name;
	/* Brings the store into the old state, whichever it is in. */
	void (*prepare)(struct fixture *f);
	/* Is run in the child, with a store of its own. */
	int (*run)(struct store *store, struct fixture *f);
	/* Is the store in the new state? Fails if it is in neither. */
	bool (*is_done)(struct fixture *f);
};

struct job {
	struct fixture *f;
	const struct operation *operation;
};

static int run_job(void *arg)
{
	struct job *job = arg;
	struct store *store;
	int ret;

	ret = store_open(&store, job->f->root, &layer_tree);
	if (ret)
		return ret;
	ret = job->operation->run(store, job->f);
	store_close(store);
	return ret;
}

static bool has_base(struct fixture *f, const char *name)
{
	struct manifest m;
	int ret = base_read(f->store, name, &m);

	if (ret == DRE_ERR_BASE_NONEXISTENCE)
		return false;
	assert_success(ret);
	manifest_free(&m);
	return true;
}

/* A container that is there is whole, and free. */
static bool has_container(struct fixture *f, const char *name)
{
	struct container *c;
	struct stat st;
	int ret = container_lock(&c, f->store, name);

	if (ret == DRE_ERR_CONTAINER_NONEXISTENCE)
		return false;
	assert_success(ret);
	for (size_t i = 0; i < c->manifest.nr_layers; i++)
		assert_int_equal(stat(at(f, "store/layers/%s", c->manifest.layers[i]), &st), 0);
	assert_int_equal(stat(at(f, "store/layers/%s", c->manifest.writable), &st), 0);
	assert_int_equal(stat(at(f, "store/work/%s", c->manifest.writable), &st), 0);
	assert_int_equal(stat(at(f, "store/containers/%s/snapshots", name), &st), 0);
	container_unlock(c);
	return true;
}

static void remove_container(struct fixture *f, const char *name)
{
	struct container *c;

	if (!has_container(f, name))
		return;
	assert_success(container_lock(&c, f->store, name));
	assert_success(container_remove(c));
}

/* Any change. */
static void change_something(struct fixture *f)
{
	struct container *c;

	assert_success(container_create(&c, f->store, "next", "tiny", NULL, &pool));
	assert_success(container_remove(c));
}

/*
 * The operations.
 */

static void no_web(struct fixture *f)
{
	remove_container(f, "web");
}

static int create_web(struct store *store, struct fixture *f)
{
	struct container *c;
	int ret;

	(void)f;
	ret = container_create(&c, store, "web", "tiny", NULL, &pool);
	if (!ret)
		container_unlock(c);
	return ret;
}

static bool is_web_there(struct fixture *f)
{
	return has_container(f, "web");
}

static void web_with_port_1(struct fixture *f)
{
	struct container *c;

	remove_container(f, "web");
	assert_success(container_create(&c, f->store, "web", "tiny", NULL, &pool));
	assert_int_equal(manifest_set(&c->manifest, "port", "1"), 0);
	assert_success(container_commit(c));
	write_file(at(f, "store/layers/%s/precious", c->manifest.writable), "data");
	container_unlock(c);
}

static int change_port(struct store *store, struct fixture *f)
{
	struct container *c;
	int ret;

	(void)f;
	ret = container_lock(&c, store, "web");
	if (ret)
		return ret;
	manifest_set(&c->manifest, "port", "2");
	ret = container_commit(c);
	container_unlock(c);
	return ret;
}

static bool is_port_changed(struct fixture *f)
{
	struct manifest m;
	bool done;

	assert_true(has_container(f, "web"));
	assert_success(container_read(f->store, "web", &m));
	done = !strcmp(manifest_get(&m, "port"), "2");
	if (!done)
		assert_string_equal(manifest_get(&m, "port"), "1");
	manifest_free(&m);
	return done;
}

static int remove_web(struct store *store, struct fixture *f)
{
	struct container *c;
	int ret;

	(void)f;
	ret = container_lock(&c, store, "web");
	if (ret)
		return ret;
	ret = container_remove(c);
	if (ret)
		container_unlock(c);
	return ret;
}

static bool is_web_gone(struct fixture *f)
{
	struct manifest m;
	struct stat st;

	if (!has_container(f, "web"))
		return true;
	assert_success(container_read(f->store, "web", &m));
	assert_int_equal(stat(at(f, "store/layers/%s/precious", m.writable), &st), 0);
	manifest_free(&m);
	return false;
}

static void no_new_base(struct fixture *f)
{
	if (has_base(f, "new"))
		assert_success(base_remove(f->store, "new"));
}

static int import_directory(struct store *store, struct fixture *f)
{
	return import_base(store, "new", at(f, "tiny"), NULL, NULL);
}

static int import_tar(struct store *store, struct fixture *f)
{
	return import_base(store, "new", at(f, "tiny.tar.gz"), NULL, NULL);
}

/* Whole, or not at all. */
static bool is_imported(struct fixture *f)
{
	char *source, *copy, path[PATH_MAX];
	struct manifest m;

	if (!has_base(f, "new"))
		return false;
	assert_success(base_read(f->store, "new", &m));
	strcpy(path, at(f, "tiny"));
	source = list_tree(path);
	strcpy(path, at(f, "store/layers/%s", m.layers[0]));
	copy = list_tree(path);
	assert_string_equal(source, copy);
	free(source);
	free(copy);
	manifest_free(&m);
	return true;
}

static void new_base(struct fixture *f)
{
	if (!has_base(f, "new"))
		assert_success(import_base(f->store, "new", at(f, "tiny"), NULL, NULL));
}

static int remove_new_base(struct store *store, struct fixture *f)
{
	(void)f;
	return base_remove(store, "new");
}

static bool is_base_removed(struct fixture *f)
{
	return !is_imported(f);
}

static void some_garbage(struct fixture *f)
{
	if (access(at(f, "store/layers/aaaaaaaa"), F_OK)) {
		make_dir(at(f, "store/layers/aaaaaaaa"), 0755);
		make_dir(at(f, "store/layers/aaaaaaaa/dir"), 0755);
		write_file(at(f, "store/layers/aaaaaaaa/dir/file"), "");
		write_file(at(f, "store/pending/killed00"), "");
	}
}

static int collect(struct store *store, struct fixture *f)
{
	(void)f;
	return store_gc(store, NULL);
}

static bool is_collected(struct fixture *f)
{
	assert_true(has_base(f, "tiny"));
	return access(at(f, "store/layers/aaaaaaaa"), F_OK) < 0;
}

/* The file is in the container: in a layer that it may not be alone with. */
static void assert_precious(struct fixture *f, const char *name)
{
	struct manifest m;
	struct stat st;
	int found = 0;

	assert_true(has_container(f, name));
	assert_success(container_read(f->store, name, &m));
	for (size_t i = 0; i < m.nr_layers; i++)
		found += !stat(at(f, "store/layers/%s/precious", m.layers[i]), &st);
	found += !stat(at(f, "store/layers/%s/precious", m.writable), &st);
	manifest_free(&m);
	assert_int_equal(found, 1);
}

static int save_web(struct store *store, struct fixture *f)
{
	struct container *c;
	int ret = container_lock(&c, store, "web");

	(void)f;
	if (ret)
		return ret;
	ret = snapshot_save(c, "saved");
	container_unlock(c);
	return ret;
}

static bool is_saved(struct fixture *f)
{
	char **tags;
	bool saved;

	assert_precious(f, "web");
	assert_success(snapshot_list(f->store, "web", &tags));
	saved = tags[0];
	store_free_list(tags);
	return saved;
}

static void only_web(struct fixture *f)
{
	remove_container(f, "other");
	web_with_port_1(f);
}

static int copy_web(struct store *store, struct fixture *f)
{
	struct container *c, *copy;
	int ret = container_lock(&c, store, "web");

	(void)f;
	if (ret)
		return ret;
	ret = snapshot_copy(c, NULL, "other", NULL, &pool, &copy);
	if (!ret)
		container_unlock(copy);
	container_unlock(c);
	return ret;
}

static bool is_copied(struct fixture *f)
{
	assert_precious(f, "web");
	if (!has_container(f, "other"))
		return false;
	assert_precious(f, "other");
	return true;
}

static int rename_web(struct store *store, struct fixture *f)
{
	struct container *c;
	int ret = container_lock(&c, store, "web");

	(void)f;
	if (ret)
		return ret;
	ret = container_rename(c, "other");
	container_unlock(c);
	return ret;
}

/* It has one of the names. */
static bool is_renamed(struct fixture *f)
{
	bool renamed = has_container(f, "other");

	assert_int_equal(has_container(f, "web"), !renamed);
	assert_precious(f, renamed ? "other" : "web");
	return renamed;
}

static const struct operation operations[] = {
	{ "create", no_web, create_web, is_web_there },
	{ "commit", web_with_port_1, change_port, is_port_changed },
	{ "remove", web_with_port_1, remove_web, is_web_gone },
	{ "import a directory", no_new_base, import_directory, is_imported },
	{ "import a tar archive", no_new_base, import_tar, is_imported },
	{ "remove a base", new_base, remove_new_base, is_base_removed },
	{ "collect", some_garbage, collect, is_collected },
	{ "save", web_with_port_1, save_web, is_saved },
	{ "copy", only_web, copy_web, is_copied },
	{ "rename", only_web, rename_web, is_renamed },
};

/*
 * The tests.
 */

static int setup(void **state)
{
	struct fixture *f;
	char command[3 * PATH_MAX];

	/* Some thousand changes, and no way to pull the plug: a disk would only take time. */
	assert_int_equal(setenv("TMPDIR", "/dev/shm", 0), 0);
	fixture_setup_base(state);
	f = *state;
	make_dir(at(f, "tiny/dir"), 01777);
	write_file(at(f, "tiny/dir/file"), "content");
	assert_int_equal(link(at(f, "tiny/dir/file"), at(f, "tiny/link")), 0);
	assert_int_equal(symlink("dir", at(f, "tiny/symlink")), 0);
	snprintf(command, sizeof(command), "tar --numeric-owner -C %s -czf %s .", at(f, "tiny"),
		 at(f, "tiny.tar.gz"));
	assert_int_equal(system(command), 0);
	return 0;
}

static void killed_at(struct fixture *f, const struct operation *operation)
{
	struct job job = { f, operation };
	unsigned int n, old = 0, new = 0;
	struct outcome outcome;

	for (n = 1; ; n++) {
		operation->prepare(f);
		outcome = inject(INJECT_KILL, n, run_job, &job);
		if (!outcome.injected)
			break;
		if (operation->is_done(f))
			new++;
		else
			old++;
		change_something(f);
		assert_store_clean(f);
	}
	assert_true(outcome.finished);
	assert_int_equal(outcome.ret, 0);
	assert_true(operation->is_done(f));
	print_message("# %s: killed at %u calls: %u times in the old state, %u in the new one\n",
		      operation->name, n - 1, old, new);
	assert_true(old && new);
}

static void failing_at(struct fixture *f, const struct operation *operation, enum injection what)
{
	struct job job = { f, operation };
	unsigned int n, failed = 0, after = 0;
	struct outcome outcome;
	bool done;

	for (n = 1; ; n++) {
		operation->prepare(f);
		outcome = inject(what, n, run_job, &job);
		if (!outcome.injected)
			break;
		if (!outcome.finished)
			fail_msg("%s died at %s", operation->name, outcome.call);
		done = operation->is_done(f);
		if (outcome.leaked_fds)
			fail_msg("%s: %d fds leak at %s", operation->name, outcome.leaked_fds,
				 outcome.call);
		if (!outcome.ret && !done)
			fail_msg("%s: success, but not done, at %s", operation->name, outcome.call);
		if (outcome.ret) {
			failed++;
			after += done;
			if (outcome.ret == DRE_ERR_PERMISSION_DENIED || !*outcome.text)
				fail_msg("%s: %d, '%s' at %s", operation->name, outcome.ret,
					 outcome.text, outcome.call);
		}
		/* What failed has cleaned up behind itself, if it could. */
		if (outcome.ret && what == INJECT_EIO && operation->run != collect)
			assert_store_clean(f);
		change_something(f);
		assert_store_clean(f);
	}
	print_message("# %s: of %u calls that failed, %u were reported, %u after the fact\n",
		      operation->name, n - 1, failed, after);
	assert_true(failed);
}

static void killed(void **state)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		killed_at(*state, &operations[i]);
}

static void input_output_errors(void **state)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		failing_at(*state, &operations[i], INJECT_EIO);
}

static void full_disk(void **state)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations) - 1; i++)
		failing_at(*state, &operations[i], INJECT_FULL);
}

static int open_new_store(void *arg)
{
	struct store *store;
	int ret = store_open(&store, arg, &layer_tree);

	if (!ret)
		store_close(store);
	return ret;
}

/* What the container has written is on the disk, or nothing was saved. */
static void saving_syncs(void **state)
{
	static const struct operation save = { "save", web_with_port_1, save_web, is_saved };
	struct job job = { *state, &save };
	struct outcome outcome;
	char call[16];

	snprintf(call, sizeof(call), "nr %d", SYS_syncfs);
	for (unsigned int n = 1; ; n++) {
		save.prepare(*state);
		outcome = inject(INJECT_EIO, n, run_job, &job);
		assert_true(outcome.injected);
		if (strstr(outcome.call, call))
			break;
	}
	assert_int_equal(outcome.ret, DRE_ERR_DEVICE_BUSY);
	assert_false(is_saved(*state));
}

/* Not even the directory that cannot be written leaves the new state behind. */
static void change_that_fails(void **state)
{
	static const struct operation change = { "commit", web_with_port_1, change_port, is_port_changed };
	struct job job = { *state, &change };
	struct outcome outcome = { .injected = true };
	unsigned int failed = 0;

	for (unsigned int n = 1; outcome.injected; n++) {
		change.prepare(*state);
		outcome = inject(INJECT_EIO, n, run_job, &job);
		failed += !!outcome.ret;
		if (outcome.ret && change.is_done(*state))
			fail_msg("an error, but done, at %s", outcome.call);
	}
	assert_true(failed);
}

/* The first use of a store, of which there is no old state: the next one completes it. */
static void killed_in_first_use(void **state)
{
	static const char *const parts[] = {
		"layers", "work", "bases", "containers", "pending", "trash", "lxc",
	};
	struct fixture *f = *state;
	struct outcome outcome;
	char path[PATH_MAX];
	struct stat st;
	unsigned int n = 1;

	strcpy(path, at(f, "new"));
	do {
		outcome = inject(INJECT_KILL, n++, open_new_store, path);
		assert_int_equal(open_new_store(path), 0);
		for (int i = 0; i < 7; i++) {
			assert_int_equal(stat(at(f, "new/%s", parts[i]), &st), 0);
			assert_int_equal(st.st_mode & 0777, i == 6 ? 0711 : 0700);
		}
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0711);
		assert_int_equal(remove_tree(f, "new"), 0);
	} while (outcome.injected);
	print_message("# first use: killed at %u calls\n", n - 2);
	assert_true(outcome.finished && !outcome.ret);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(saving_syncs),
		TEST(change_that_fails),
		TEST(killed),
		TEST(killed_in_first_use),
		TEST(input_output_errors),
		TEST(full_disk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
