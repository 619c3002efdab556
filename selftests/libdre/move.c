// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A container that goes from one store to another, with everything that can happen on the way: it is whole in one of
 * both, whoever is killed and whatever fails.
 *
 * It takes some hundred calls. One in five of them is tried, others each time; with DRE_ALL in the environment all.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base.h"
#include "common/checkpoint.h"
#include "common/container.h"
#include "common/import_disk.h"
#include "common/info.h"
#include "common/move.h"
#include "common/snapshot.h"
#include "common/store_private.h"
#include "fixture.h"
#include "inject.h"

/* The second store, as a fixture of its own. */
static struct fixture other;

static void fill_file(const char *path, size_t size, char first)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	for (size_t i = 0; i < size; i++)
		fputc(first + i % 23, f);
	assert_int_equal(fclose(f), 0);
}

static void save_checkpoint(struct container *c)
{
	struct checkpoint cp;
	int fd;

	assert_success(checkpoint_begin(&cp, c, "then"));
	fd = openat(cp.dir_fd, "memory", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "memory", 6), 6);
	close(fd);
	assert_success(checkpoint_publish(&cp));
}

/* With a base image, a snapshot, a checkpoint and a log. */
static int setup(void **state)
{
	struct container *c;
	struct fixture *f;

	assert_int_equal(setenv("TMPDIR", "/dev/shm", 0), 0);
	fixture_setup_disk(state);
	f = *state;
	fill_file(at(f, "raw"), 65536, 'a');
	assert_success(import_disk(f->store, "base", at(f, "raw"), NULL, NULL));
	assert_success(container_create(&c, f->store, "web", "base", NULL, NULL));
	assert_success(snapshot_save(c, "one"));
	save_checkpoint(c);
	write_file(at(f, "store/containers/web/console.log"), "booted\n");
	container_unlock(c);
	other = *f;
	snprintf(other.dir, sizeof(other.dir), "%s", at(f, "other"));
	make_dir(other.dir, 0700);
	snprintf(other.root, sizeof(other.root), "%s", at(f, "other/store"));
	assert_success(store_open(&other.store, other.root, &layer_disk));
	return 0;
}

static int teardown(void **state)
{
	store_close(other.store);
	return fixture_teardown(state);
}

/* As libdresys does it. */
static int move(struct store *from, struct store *to)
{
	struct container *c, *made;
	bool unread;
	int ret = container_lock(&c, from, "web");

	if (ret)
		return ret;
	ret = container_copy_to(c, to, &c->manifest, NULL, NULL, &unread, &made);
	if (ret) {
		container_unlock(c);
		return ret;
	}
	container_unlock(made);
	ret = container_remove(c);
	if (ret)
		container_unlock(c);
	return ret;
}

static bool has_web(struct fixture *f)
{
	struct container *c;
	int ret = container_lock(&c, f->store, "web");

	if (ret == DRE_ERR_CONTAINER_NONEXISTENCE)
		return false;
	assert_success(ret);
	container_unlock(c);
	return true;
}

/* All that there is of it, and the content of each file. */
static char *list_web(struct fixture *f)
{
	char command[3 * PATH_MAX], *text = calloc(1, 65536);
	FILE *p;

	snprintf(command, sizeof(command), "cd %s && find containers bases -type f ! -name lock ! -name '.tmp-*' | sort | xargs sha256sum; "
		 "cat $(find containers -name manifest -o -path '*/snapshots/*') | sed -n 's/^layer //p; s/^writable //p' | "
		 "sort -u | (cd layers && xargs sha256sum)", f->root);
	p = popen(command, "re");
	assert_non_null(p);
	assert_non_null(text);
	fread(text, 1, 65535, p);
	assert_int_equal(pclose(p), 0);
	return text;
}

static void assert_whole(struct fixture *f, const char *wanted)
{
	char *list = list_web(f);

	assert_same_list(list, wanted);
	free(list);
}

static void there_and_back(void **state)
{
	struct fixture *f = *state;
	char *before = list_web(f);

	assert_success(move(f->store, other.store));
	assert_false(has_web(f));
	assert_whole(&other, before);
	assert_store_clean(f);
	assert_store_clean(&other);
	/* The base image stays where it was, and is the same. */
	assert_success(move(other.store, f->store));
	assert_whole(f, before);
	assert_success(base_remove(other.store, "base"));
	assert_int_equal(count_entries(at(&other, "store/layers")), 0);
	free(before);
}

/* All of it is as old there as it was here; the base image has come there now. */
static void times(void **state)
{
	static const char *const files[] = { "lock", "snapshots/one", "checkpoints/then/manifest" };
	static const struct timespec then[] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	struct fixture *f = *state;
	struct info info = {};
	char **list;

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(utimensat(AT_FDCWD, at(f, "store/containers/web/%s", files[i]), then, 0), 0);
	assert_success(move(f->store, other.store));
	info_add_times(&info, other.store, "web");
	assert_success(info_end(&info, "container", "web", &list));
	assert_string_equal(list[0], "created=2001-09-09T01:46:40Z");
	assert_string_equal(list[1], "snapshot.one=2001-09-09T01:46:40Z");
	assert_string_equal(list[2], "checkpoint.then=2001-09-09T01:46:40Z");
	assert_null(list[3]);
	store_free_list(list);
	assert_success(info_of_base(other.store, "base", &list));
	assert_int_equal(strncmp(list[0], "created=20", 10), 0);
	assert_true(strcmp(list[0], "created=2002") > 0);
	assert_int_equal(strncmp(list[1], "layers=", 7), 0);
	store_free_list(list);
	assert_fails(info_of_base(other.store, "absent", &list), DRE_ERR_BASE_NONEXISTENCE, "absent");
}

static void progress(void *arg, uint64_t done, uint64_t total)
{
	uint64_t *last = arg;

	assert_true(done >= *last && done <= total && total > 0);
	*last = done;
}

/* Layers that are there, because of another container, are not copied again; and they must be what they are called. */
static void layers_in_common(void **state)
{
	struct fixture *f = *state;
	struct container *c, *made;
	uint64_t done = 0;
	struct stat first, second;
	bool unread;
	char path[PATH_MAX];

	assert_success(container_create(&c, f->store, "db", "base", NULL, NULL));
	snprintf(path, sizeof(path), "%s", at(&other, "store/layers/%s", c->manifest.layers[0]));
	container_unlock(c);
	assert_success(move(f->store, other.store));
	assert_int_equal(stat(path, &first), 0);
	assert_success(container_lock(&c, f->store, "db"));
	assert_success(container_copy_to(c, other.store, &c->manifest, progress, &done, &unread, &made));
	assert_true(done > 0);
	assert_int_equal(stat(path, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_fails(container_copy_to(c, other.store, &c->manifest, NULL, NULL, &unread, &made), DRE_ERR_CONTAINER_EXISTENCE,
		     "db");
	assert_success(container_remove(made));
	fill_file(path, first.st_size, 'b');
	assert_fails(container_copy_to(c, other.store, &c->manifest, NULL, NULL, &unread, &made), DRE_ERR_DEVICE_BUSY,
		     c->manifest.layers[0]);
	assert_false(unread);
	assert_false(container_is_there(other.store, "db"));
	assert_store_clean(&other);
	container_unlock(c);
}

/* What an earlier, killed move has left under a layer's name is not taken for that. */
static void stale_layer(void **state)
{
	struct fixture *f = *state;
	char *before = list_web(f);
	struct manifest m;

	assert_success(container_read(f->store, "web", &m));
	write_file(at(&other, "store/layers/%s", m.writable), "of another time");
	write_file(at(&other, "store/pending/killed00"), "");
	manifest_free(&m);
	assert_success(move(f->store, other.store));
	assert_whole(&other, before);
	free(before);
}

static void base_of_that_name(void **state)
{
	struct fixture *f = *state;
	struct manifest m;

	fill_file(at(f, "raw"), 131072, 'x');
	assert_success(import_disk(other.store, "base", at(f, "raw"), NULL, NULL));
	assert_success(move(f->store, other.store));
	assert_success(container_read(other.store, "web", &m));
	assert_string_equal(m.base, "base");
	for (size_t i = 0; i < m.nr_layers; i++)
		assert_int_equal(access(at(&other, "store/layers/%s", m.layers[i]), F_OK), 0);
	manifest_free(&m);
	assert_store_clean(&other);
}

/* Nothing was made from it there: it is kept all the same, whatever becomes of the move. */
static void base_stays(void **state)
{
	struct fixture *f = *state;
	struct container *c, *made;
	struct manifest m;
	bool unread;

	assert_success(import_disk(other.store, "base", at(f, "raw"), NULL, NULL));
	assert_success(container_lock(&c, f->store, "web"));
	assert_int_equal(unlink(at(f, "store/layers/%s", c->manifest.writable)), 0);
	assert_fails(container_copy_to(c, other.store, &c->manifest, NULL, NULL, &unread, &made), DRE_ERR_DEVICE_BUSY,
		     "layer");
	assert_true(unread);
	container_unlock(c);
	assert_success(base_read(other.store, "base", &m));
	manifest_free(&m);
	assert_store_clean(&other);
}

/* Once: all layers come from somebody else, while the first one is copied. */
static void bring_layers(void *arg, uint64_t done, uint64_t total)
{
	const char **command = arg;

	(void)done;
	(void)total;
	if (*command)
		assert_int_equal(system(*command), 0);
	*command = NULL;
}

/* Of another container that is copied at the same time. */
static void layers_come_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct container *c, *made;
	char bring[2 * PATH_MAX + 64];
	const char *command = bring;
	bool unread;

	assert_success(container_lock(&c, f->store, "web"));
	snprintf(bring, sizeof(bring), "cd %s && for l in *; do echo x >%s/$l; done", at(f, "store/layers"),
		 at(&other, "store/layers"));
	assert_fails(container_copy_to(c, other.store, &c->manifest, bring_layers, &command, &unread, &made),
		     DRE_ERR_DEVICE_BUSY, "/store; gc removes it");
	assert_null(command);
	assert_false(unread);
	assert_store_clean(&other);
	snprintf(bring, sizeof(bring), "cp %s/* %s", at(f, "store/layers"), at(&other, "store/layers"));
	command = bring;
	assert_success(container_copy_to(c, other.store, &c->manifest, bring_layers, &command, &unread, &made));
	container_unlock(made);
	container_unlock(c);
	assert_store_clean(&other);
}

/* It was left there, and changed here since; others are at work there. */
static void layer_left_behind(void **state)
{
	struct fixture *f = *state;
	struct container *c, *made;
	struct store *busy;
	bool unread;

	assert_success(container_lock(&c, f->store, "web"));
	write_file(at(&other, "store/layers/%s", c->manifest.writable), "former");
	assert_success(store_open(&busy, other.root, &layer_disk));
	assert_success(store_change_begin(busy));
	assert_fails(container_copy_to(c, other.store, &c->manifest, NULL, NULL, &unread, &made), DRE_ERR_DEVICE_BUSY,
		     c->manifest.writable);
	assert_false(unread);
	assert_success(store_change_end(busy, false, 0));
	store_close(busy);
	assert_success(container_copy_to(c, other.store, &c->manifest, NULL, NULL, &unread, &made));
	container_unlock(made);
	container_unlock(c);
	assert_store_clean(&other);
}

static void remove_base(void *arg, uint64_t done, uint64_t total)
{
	int *removed = arg;

	(void)done;
	(void)total;
	*removed += !base_remove(other.store, "base");
}

/* As long as nothing is made from it others may remove it; the container that has come is not without one. */
static void base_is_removed_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct container *c, *made;
	struct manifest m;
	int removed = 0;
	bool unread;

	assert_success(container_lock(&c, f->store, "web"));
	assert_success(container_copy_to(c, other.store, &c->manifest, remove_base, &removed, &unread, &made));
	container_unlock(made);
	container_unlock(c);
	assert_true(removed > 0);
	assert_success(base_read(other.store, "base", &m));
	manifest_free(&m);
	assert_store_clean(&other);
}

static int run_move(void *arg)
{
	const struct fixture *f = arg;
	struct store *from, *to;
	int ret = store_open(&from, f->root, &layer_disk);

	if (ret)
		return ret;
	ret = store_open(&to, other.root, &layer_disk);
	if (!ret) {
		ret = move(from, to);
		store_close(to);
	}
	store_close(from);
	return ret;
}

/* It is here, or there; or in both, and then here and there the same. Then it is here again, and nothing is left. */
static void settle(struct fixture *f, const char *before)
{
	struct container *c;

	if (has_web(f)) {
		if (has_web(&other)) {
			assert_whole(&other, before);
			assert_success(container_lock(&c, other.store, "web"));
			assert_success(container_remove(c));
		}
	} else {
		assert_whole(&other, before);
		assert_success(move(other.store, f->store));
	}
	assert_whole(f, before);
	assert_success(store_gc(f->store, NULL));
	assert_success(store_gc(other.store, NULL));
	base_remove(other.store, "base");
	assert_store_clean(f);
	assert_store_clean(&other);
	assert_int_equal(count_entries(at(&other, "store/layers")), 0);
}

static void injected(struct fixture *f, enum injection what, const char *name)
{
	const unsigned int step = getenv("DRE_ALL") ? 1 : 5, first = 1 + getpid() % step;
	unsigned int n, here = 0, moved = 0;
	char *before = list_web(f);
	struct outcome outcome;

	for (n = first; ; n += step) {
		outcome = inject(what, n, run_move, f);
		if (!outcome.injected)
			break;
		if (has_web(f))
			here++;
		else
			moved++;
		if (what != INJECT_KILL && !outcome.finished)
			fail_msg("died at %s", outcome.call);
		if (outcome.finished && !outcome.ret && has_web(f))
			fail_msg("success, but not done, at %s", outcome.call);
		if (outcome.finished && outcome.leaked_fds)
			fail_msg("%d fds leak at %s", outcome.leaked_fds, outcome.call);
		settle(f, before);
	}
	assert_true(outcome.finished && !outcome.ret);
	print_message("# move: %s at %u calls of %u, from the %uth on: %u times here, %u times moved\n", name,
		      here + moved, n - 1, first, here, moved);
	assert_true(here && moved);
	free(before);
}

static void killed(void **state)
{
	injected(*state, INJECT_KILL, "killed");
}

static void input_output_errors(void **state)
{
	injected(*state, INJECT_EIO, "an error");
}

static void full_disk(void **state)
{
	injected(*state, INJECT_FULL, "a full disk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(times, setup, teardown),
		cmocka_unit_test_setup_teardown(layers_in_common, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_layer, setup, teardown),
		cmocka_unit_test_setup_teardown(base_of_that_name, setup, teardown),
		cmocka_unit_test_setup_teardown(base_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(base_is_removed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(layers_come_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(layer_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(killed, setup, teardown),
		cmocka_unit_test_setup_teardown(input_output_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(full_disk, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
