// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Looking at a store, repairing it, and setting aside what cannot be understood.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/container.h"
#include "common/fsck.h"
#include "common/import.h"
#include "common/lock.h"
#include "common/snapshot.h"
#include "fixture.h"
#include "inject.h"

static const struct idmap pool = { 1879048192, 65536 };

/* What was reported: lines of "+PATH: WHAT" for what was repaired, or "-". */
static char reported[8192];
static bool is_stopped;

static void note(void *arg, const char *path, const char *what, bool repaired)
{
	size_t len = strlen(reported);

	(void)arg;
	snprintf(reported + len, sizeof(reported) - len, "%c%s: %s\n", repaired ? '+' : '-', path,
		 what);
}

static bool stopped(void *arg, const char *container)
{
	(void)arg;
	(void)container;
	return is_stopped;
}

static int look(const struct fixture *f, bool repair, bool set_aside)
{
	const struct fsck fsck = { .repair = repair, .set_aside = set_aside, .problem = note,
				   .stopped = stopped };

	*reported = '\0';
	return store_fsck(f->store, &fsck);
}

static void assert_sound(const struct fixture *f)
{
	assert_success(look(f, false, false));
	assert_string_equal(reported, "");
}

/* Exactly one problem. */
static void assert_found(const struct fixture *f, bool repair, const char *wanted)
{
	assert_success(look(f, repair, false));
	assert_string_equal(reported, wanted);
}

static struct container *make(struct fixture *f, const char *name)
{
	struct container *c;

	assert_success(container_create(&c, f->store, name, "tiny", NULL, &pool));
	return c;
}

static void sound(void **state)
{
	struct fixture *f = *state;
	struct container *c = make(f, "web");
	char *before, *after;

	assert_success(snapshot_save(c, "one"));
	assert_success(snapshot_commit(c, "one", "made"));
	container_unlock(c);
	before = list_tree(f->root);
	assert_sound(f);
	after = list_tree(f->root);
	assert_same_list(after, before);
	free(before);
	free(after);
	assert_success(look(f, true, true));
	assert_string_equal(reported, "");
	assert_int_not_equal(access(at(f, "store/lost"), F_OK), 0);
}

static void garbage(void **state)
{
	static const char *const found[] = {
		"layers/aaaaaaaa: no manifest names it", "layers/qcow2abc: no manifest names it",
		"work/bbbbbbbb: belongs to no writable layer",
		"containers/.tmp-01234567: was not completed", "bases/.tmp-01234567: was not completed",
		"trash/whatever: was not removed to its end",
		"pending/01234567: a change that did not come to its end",
	};
	struct fixture *f = *state;
	char *sound, *before, *after;

	container_unlock(make(f, "web"));
	sound = list_tree(f->root);
	make_dir(at(f, "store/layers/aaaaaaaa"), 0755);
	write_file(at(f, "store/layers/aaaaaaaa/file"), "x");
	write_file(at(f, "store/layers/qcow2abc"), "x");
	make_dir(at(f, "store/work/bbbbbbbb"), 0700);
	make_dir(at(f, "store/containers/.tmp-01234567"), 0700);
	write_file(at(f, "store/bases/.tmp-01234567"), "");
	make_dir(at(f, "store/trash/whatever"), 0700);
	write_file(at(f, "store/trash/whatever/file"), "");
	write_file(at(f, "store/pending/01234567"), "");

	before = list_tree(f->root);
	for (int repair = 0; repair < 2; repair++) {
		assert_success(look(f, repair, false));
		for (size_t i = 0; i < sizeof(found) / sizeof(*found); i++) {
			const char *line = strstr(reported, found[i]);

			if (!line || line[-1] != (repair ? '+' : '-'))
				fail_msg("%s in\n%s", found[i], reported);
		}
		after = list_tree(f->root);
		assert_same_list(after, repair ? sound : before);
		free(after);
	}
	assert_sound(f);
	free(sound);
	free(before);
}

static void missing(void **state)
{
	struct fixture *f = *state;
	struct container *c = make(f, "web");
	char name[64], wanted[200];

	snprintf(name, sizeof(name), "store/work/%s", c->manifest.writable);
	assert_int_equal(rmdir(at(f, "%s", name)), 0);
	snprintf(wanted, sizeof(wanted), "-containers/web/manifest: work/%s is missing\n",
		 c->manifest.writable);
	assert_found(f, false, wanted);
	*wanted = '+';
	assert_found(f, true, wanted);
	assert_sound(f);

	assert_int_equal(rmdir(at(f, "store/containers/web/snapshots")), 0);
	assert_found(f, true, "+containers/web/snapshots: is missing\n");
	assert_int_equal(unlink(at(f, "store/containers/web/ids")), 0);
	assert_found(f, false, "-containers/web/ids: is missing or damaged\n");
	assert_found(f, true, "+containers/web/ids: is missing or damaged\n");
	write_file(at(f, "store/containers/web/ids"), "1879048192 655");
	assert_found(f, true, "+containers/web/ids: is missing or damaged\n");
	write_file(at(f, "store/containers/web/ids"), "5 65536\n");
	assert_found(f, true, "-containers/web/ids: is not the id range that the manifest has\n");
	assert_int_equal(unlink(at(f, "store/containers/web/ids")), 0);
	assert_found(f, true, "+containers/web/ids: is missing or damaged\n");
	assert_sound(f);

	assert_int_equal(rename(at(f, "store/bases/tiny"), at(f, "saved")), 0);
	assert_found(f, true, "-containers/web/manifest: its base image 'tiny' is missing\n");
	assert_int_equal(rename(at(f, "saved"), at(f, "store/bases/tiny")), 0);

	snprintf(name, sizeof(name), "store/layers/%s", c->manifest.writable);
	assert_int_equal(rename(at(f, "%s", name), at(f, "saved")), 0);
	snprintf(wanted, sizeof(wanted), "-containers/web/manifest: layers/%s is missing\n",
		 c->manifest.writable);
	assert_found(f, true, wanted);
	assert_int_equal(rename(at(f, "saved"), at(f, "%s", name)), 0);
	assert_sound(f);
	container_unlock(c);
}

static void contradictions(void **state)
{
	struct fixture *f = *state;
	struct container *a = make(f, "a"), *b = make(f, "b");
	layer_name_t layer, unused;

	assert_int_equal(manifest_set(&b->manifest, SETTING_IDMAP, "1879048193 65536"), 0);
	assert_success(container_commit(b));
	assert_int_equal(unlink(at(f, "store/containers/b/ids")), 0);
	assert_success(look(f, true, false));
	assert_non_null(strstr(reported, "-containers/b/manifest: container 'a' has some of its ids"));
	assert_int_equal(manifest_set(&b->manifest, SETTING_IDMAP, "x"), 0);
	assert_success(container_commit(b));
	assert_found(f, true, "-containers/b/manifest: has a bad id range: x\n");
	assert_int_equal(manifest_set(&b->manifest, SETTING_IDMAP, NULL), 0);
	assert_int_equal(unlink(at(f, "store/containers/b/ids")), 0);
	assert_success(container_commit(b));
	assert_success(look(f, true, false));
	assert_sound(f);

	strcpy(layer, a->manifest.writable);
	strcpy(unused, b->manifest.writable);
	strcpy(b->manifest.writable, layer);
	assert_success(container_commit(b));
	assert_success(look(f, false, false));
	assert_non_null(strstr(reported, "is the writable layer of two containers"));
	strcpy(b->manifest.writable, unused);
	container_unlock(a);
	container_unlock(b);
}

/* Three manifests, one of each kind. */
static const char *const manifests[] = {
	"bases/odd", "containers/web/snapshots/odd", "containers/web/manifest",
};

/* Nothing is lost of what a damaged manifest may name; others get ids of their own. */
static void damaged(void **state)
{
	struct fixture *f = *state;
	struct container *c = make(f, "web"), *other;
	struct idmap map;
	char path[64], wanted[200];

	assert_success(snapshot_save(c, "odd"));
	assert_success(snapshot_commit(c, "odd", "odd"));
	container_unlock(c);
	for (size_t i = 0; i < 3; i++) {
		char *before, *after;

		snprintf(path, sizeof(path), "store/%s", manifests[i]);
		assert_int_equal(rename(at(f, "%s", path), at(f, "saved")), 0);
		write_file(at(f, "%s", path), "dre-manifest 1\nlay");
		make_dir(at(f, "store/layers/aaaaaaaa"), 0755);
		before = list_tree(f->root);
		snprintf(wanted, sizeof(wanted), "-%s: damaged, line 2: a line that was cut off\n",
			 manifests[i]);
		assert_found(f, false, wanted);
		assert_found(f, true, wanted);
		after = list_tree(f->root);
		assert_same_list(after, before);
		free(before);
		free(after);

		assert_success(container_create(&other, f->store, "other", "tiny", NULL, &pool));
		assert_success(container_idmap("other", &other->manifest, &map));
		assert_int_equal(map.first, pool.first + pool.count);
		assert_success(container_remove(other));

		assert_int_equal(rename(at(f, "saved"), at(f, "%s", path)), 0);
		assert_success(look(f, true, false));
		assert_sound(f);
	}
	/* Only where its ids are not known either, nobody gets any. */
	write_file(at(f, "store/containers/web/manifest"), "");
	write_file(at(f, "store/containers/web/ids"), "187904");
	assert_fails(container_create(&other, f->store, "other", "tiny", NULL, &pool),
		     DRE_ERR_DEVICE_BUSY, "containers/web/manifest");
	assert_success(container_create(&other, f->store, "other", "tiny", NULL, NULL));
	container_unlock(other);
}

static unsigned int entries_in_lost(const struct fixture *f, const char *sub)
{
	char command[400];
	FILE *out;
	unsigned int nr = 0;

	snprintf(command, sizeof(command), "ls %s/lost/*/%s | wc -l", f->root, sub);
	out = popen(command, "re");
	assert_int_equal(fscanf(out, "%u", &nr), 1);
	pclose(out);
	return nr;
}

static void set_aside(void **state)
{
	struct fixture *f = *state;
	struct container *c = make(f, "web"), *other = make(f, "other");
	char *list, *before, *after;
	int lock;

	assert_success(snapshot_save(c, "one"));
	write_file(at(f, "store/layers/%s/file", c->manifest.writable), "precious");
	assert_success(snapshot_save(other, "bad"));
	container_unlock(c);
	container_unlock(other);
	write_file(at(f, "store/containers/web/manifest"), "");
	write_file(at(f, "store/containers/other/snapshots/bad"), "");
	write_file(at(f, "store/bases/bad"), "");

	/* Not under those who use it. */
	before = list_tree(f->root);
	is_stopped = false;
	assert_success(look(f, true, true));
	assert_null(strchr(reported, '+'));
	is_stopped = true;
	lock = open(at(f, "store/containers/web/lock"), O_RDWR | O_CLOEXEC);
	assert_int_equal(lock_try(lock, LOCK_CHANGE, F_WRLCK), 0);
	assert_success(look(f, true, true));
	assert_non_null(strstr(reported, "-containers/web/manifest: damaged; it stays"));
	close(lock);
	after = list_tree(f->root);
	assert_same_list(after, before);
	free(before);
	free(after);

	assert_success(look(f, true, true));
	assert_null(strstr(reported, "-"));
	assert_non_null(strstr(reported, "+containers/web/manifest: damaged"));
	assert_non_null(strstr(reported, "+containers/other/snapshots/bad: damaged"));
	assert_non_null(strstr(reported, "+bases/bad: damaged"));
	assert_sound(f);
	assert_store_clean(f);
	/* All is there: web's two layers; the other's own are named by the other. */
	assert_int_equal(entries_in_lost(f, "layers"), 2);
	assert_int_equal(entries_in_lost(f, "work"), 1);
	assert_int_equal(entries_in_lost(f, "containers:web/snapshots/one"), 1);
	assert_int_equal(entries_in_lost(f, "containers:other:snapshots:bad"), 1);
	assert_int_equal(entries_in_lost(f, "bases:bad"), 1);
	assert_int_equal(entries_in_lost(f, "layers/*/file"), 1);
	assert_success(store_gc(f->store, NULL));
	assert_int_equal(entries_in_lost(f, "layers"), 2);
	list = list_tree(at(f, "store/containers"));
	assert_null(strstr(list, "web"));
	free(list);
	assert_success(container_lock(&c, f->store, "other"));
	container_unlock(c);
}

static int set_aside_in_child(void *arg)
{
	const struct fsck fsck = { .repair = true, .set_aside = true, .problem = note, .stopped = stopped };
	struct fixture *f = arg;
	struct store *store;
	int ret = store_open(&store, f->root, &layer_tree);

	if (ret)
		return ret;
	ret = store_fsck(store, &fsck);
	store_close(store);
	return ret;
}

static void assert_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void assert_run(const char *fmt, ...)
{
	char command[4 * PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

/* What cannot be read or moved at this moment is neither set aside nor collected. */
static void set_aside_with_errors(void **state)
{
	struct fixture *f = *state;
	struct container *c = make(f, "web");
	struct outcome outcome;
	struct store *store;
	unsigned int n = 1;

	write_file(at(f, "store/layers/%s/file", c->manifest.writable), "precious");
	container_unlock(c);
	container_unlock(make(f, "other"));
	write_file(at(f, "store/containers/web/manifest"), "");
	is_stopped = true;
	assert_run("cp -a %s %s", f->root, at(f, "saved"));
	do {
		assert_run("rm -rf %s/* && cp -a %s/. %s", f->root, at(f, "saved"), f->root);
		outcome = inject(INJECT_EIO, n++, set_aside_in_child, f);
		assert_true(outcome.finished);
		assert_success(store_open(&store, f->root, &layer_tree));
		assert_success(container_lock(&c, store, "other"));
		for (size_t i = 0; i < c->manifest.nr_layers; i++)
			assert_int_equal(access(at(f, "store/layers/%s", c->manifest.layers[i]), F_OK), 0);
		assert_int_equal(access(at(f, "store/layers/%s", c->manifest.writable), F_OK), 0);
		container_unlock(c);
		store_gc(store, NULL);
		store_close(store);
		assert_run("ls %s/layers/*/file %s/lost/*/layers/*/file 2>/dev/null | grep -q .", f->root, f->root);
	} while (outcome.injected);
	assert_int_equal(outcome.ret, 0);
}

static void busy(void **state)
{
	struct fixture *f = *state;
	int other = open(at(f, "store/lock"), O_RDWR | O_CLOEXEC);

	assert_int_equal(lock_try(other, LOCK_CHANGE, F_RDLCK), 0);
	assert_fails(look(f, true, true), DRE_ERR_DEVICE_BUSY, "somebody changes the store");
	close(other);
	assert_sound(f);
}

/* What others have not collected yet, but will at once, or are at, is no problem; what nobody collects is one. */
static void under_way(void **state)
{
	struct fixture *f = *state;
	int other = open(at(f, "store/lock"), O_RDWR | O_CLOEXEC), ended;
	pid_t pid;

	write_file(at(f, "store/pending/abcdefgh"), "");
	make_dir(at(f, "store/trash/abcdefgh"), 0700);
	pid = fork();
	if (!pid) {
		usleep(100000);
		_exit(unlink(at(f, "store/pending/abcdefgh")) || rmdir(at(f, "store/trash/abcdefgh")));
	}
	assert_sound(f);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(ended, 0);

	make_dir(at(f, "store/trash/abcdefgh"), 0700);
	assert_int_equal(lock_try(other, LOCK_TRASH, F_WRLCK), 0);
	assert_sound(f);
	lock_release(other, LOCK_TRASH);
	assert_found(f, false, "-trash/abcdefgh: was not removed to its end\n");
	assert_found(f, true, "+trash/abcdefgh: was not removed to its end\n");
	close(other);
	assert_sound(f);
}

/* Others never are at rest: nobody has collected it yet, and it is no more than that. With somebody killed it may be. */
static void to_be_collected(void **state)
{
	struct fixture *f = *state;
	int other = open(at(f, "store/lock"), O_RDWR | O_CLOEXEC);
	char *before = list_tree(f->root), *after;
	struct container *c = make(f, "web");

	assert_int_equal(lock_try(other, LOCK_CHANGE, F_RDLCK), 0);
	assert_success(container_remove(c));
	close(other);
	assert_int_equal(count_entries(at(f, "store/pending")), 1);
	assert_sound(f);
	assert_int_equal(count_entries(at(f, "store/layers")), 2);
	write_file(at(f, "store/pending/abcdefgh"), "");
	assert_success(look(f, false, false));
	assert_non_null(strstr(reported, "-pending/abcdefgh: a change that did not come to its end"));
	assert_non_null(strstr(reported, "no manifest names it"));
	assert_success(look(f, true, false));
	assert_int_equal(*reported, '+');
	assert_null(strstr(reported, "\n-"));
	assert_non_null(strstr(reported, ".ended: what it has left was not collected"));
	assert_sound(f);
	assert_store_clean(f);
	after = list_tree(f->root);
	assert_same_list(after, before);
	free(before);
	free(after);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_base, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(sound),
		TEST(garbage),
		TEST(missing),
		TEST(contradictions),
		TEST(damaged),
		TEST(set_aside),
		TEST(set_aside_with_errors),
		TEST(busy),
		TEST(under_way),
		TEST(to_be_collected),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
