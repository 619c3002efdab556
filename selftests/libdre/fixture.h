/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of libdre/common share: a store of one's own in a temporary
 * directory, and ways to see that nothing was left behind.
 */
#ifndef SELFTESTS_LIBDRE_FIXTURE_H
#define SELFTESTS_LIBDRE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dre.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/store.h"

struct fixture {
	char dir[128];		/* temporary directory, removed at the end with all in it */
	char root[160];		/* dir + "/store" */
	struct store *store;
	unsigned int fds;	/* how many were open before the test */
	bool open[64];		/* which */
};

/* For cmocka_unit_test_setup_teardown(): *state is a struct fixture. */
int fixture_setup(void **state);		/* with an empty store */
int fixture_setup_base(void **state);		/* that has a base image "tiny", too */
int fixture_setup_disk(void **state);		/* with an empty store whose layers are disks */
int fixture_teardown(void **state);		/* also checks that no fd is left open */

/* A path below f->dir; the next but seven call overwrites it. */
const char *at(const struct fixture *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Makes the files that every importable tree must have, in a new directory. */
void make_tiny_tree(const char *path);
void write_file(const char *path, const char *text);
void make_dir(const char *path, mode_t mode);
/* As chattr(1): FS_IMMUTABLE_FL, FS_APPEND_FL. */
void set_flag(const char *path, int flag);

/* tree_remove() of a file or directory in f->dir. */
int remove_tree(const struct fixture *f, const char *name);

/* Entries of a directory but "." and "..". */
unsigned int count_entries(const char *path);
unsigned int count_fds(void);

/*
 * All files below @path with everything they have but times and link counts of
 * directories, one a line, sorted; the caller frees it. Two are equal if nothing has changed.
 */
char *list_tree(const char *path);

/* Two lists of it are equal; the first line that is not is shown. */
void assert_same_list(const char *list, const char *wanted);

/* Every layer and work directory is named by a manifest, and nothing waits to be collected. */
void assert_store_clean(const struct fixture *f);

/* The code, and that there is a text of one line that has @part in it. */
void assert_fails(int ret, int code, const char *part);

/* Prints the error text when it fails. */
#define assert_success(call) assert_success_at((call), #call, __FILE__, __LINE__)
void assert_success_at(int ret, const char *call, const char *file, int line);

#endif /* SELFTESTS_LIBDRE_FIXTURE_H */
