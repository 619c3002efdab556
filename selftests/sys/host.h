/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all tests of system containers need: the store and dre.conf of this host, shells, and the guest
 * of guest.c, which says on its console what it does.
 */
#ifndef DRE_TEST_HOST_H
#define DRE_TEST_HOST_H

#include <dre_sys.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define STORE		"/var/lib/dre/sys"
#define SHARED		"/var/lib/dre/shared"
#define CONFIG		"/run/dre-test-sys.conf"
#define DISK		"/run/dre-test-disk"
#define BOOT_TIME	180	/* seconds, at most: a machine in an emulated machine */
#define HALT_TIMEOUT	60

/* It fails with that code, and one line of text that has @part in it. */
void assert_fails(int ret, int code, const char *part);

#define assert_success(call) assert_success_at((call), #call, __LINE__)
void assert_success_at(int ret, const char *call, int line);

/* What a command of the shell exits with; -1: it was killed. */
int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* libvirtd is gone then; "libvirtd -d" starts it again. */
void kill_libvirt(void);

/* dre.conf, which boots the guest; @more are further lines of its section [sys], or sections. */
void configure(const char *more);

dre_sys_handle handle(const char *name);
int create(const char *name, const char *base);
int status(const char *name);

/* How often the guest has said something on its console, and that it does so often enough in time. */
int count_said(const char *name, const char *text);
#define assert_says(name, text, times) assert_says_at(name, text, times, __LINE__)
void assert_says_at(const char *name, const char *text, int times, int line);

/* The layer that a container writes to, as its manifest says. */
void read_layer(const char *name, char layer[16]);

/* libvirt's definition names what the container writes to, and nothing else is one of ours. */
void assert_defined(const char *name);

/* There are files in the directory, and a user of this host gets at none of them. */
void assert_private(const char *directory);

/* dre.conf, and a base image "it" of an empty disk. */
int set_up_host(void **state);

/* Runs the tests, or those whose names are like DRE_TESTS in the environment ("*" and "?" stand for others). */
int host_main(const struct CMUnitTest *tests, size_t nr, CMFixtureFunction setup, CMFixtureFunction teardown);
#define HOST_MAIN(tests, setup, teardown) \
	host_main((tests), sizeof(tests) / sizeof((tests)[0]), (setup), (teardown))

#endif /* DRE_TEST_HOST_H */
