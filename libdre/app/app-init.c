// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-app-init: what liblxc executes in a container, in place of its init. It
 * makes the console the standard input, output and error, for which liblxc has
 * /dev/null only, leaves no trace of itself, and executes init.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "app-init.h"

#define INIT	"/sbin/init"
#define SELF	"/dev/.dre-init"	/* where it is bound */

/* Whoever starts the container looks at our name, and ends it. */
static void __attribute__((noreturn)) fail(int error)
{
	char name[16];

	fprintf(stderr, "%s: %s\n", INIT, strerror(error));
	snprintf(name, sizeof(name), INIT_FAILED, error);
	prctl(PR_SET_NAME, name);
	sleep(5);
	_exit(127);
}

int main(int argc, char **argv)
{
	int console = open("/dev/console", O_RDWR | O_NOCTTY);

	for (int fd = 0; console >= 0 && fd < 3; fd++)
		dup2(console, fd);
	if (console > 2)
		close(console);
	if (umount2(SELF, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		unlink(SELF);
	/* What it executes can be a link to who executes it. */
	if (argc < 1 || strcmp(argv[0], SELF) != 0)
		fail(ELOOP);
	argv[0] = INIT;
	execv(INIT, argv);
	fail(errno);
}
