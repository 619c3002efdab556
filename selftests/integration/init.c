// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Process 1 of the tests' base image: halts, and writes in the agents' journal
 * that it does. busybox's init takes its time for it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void note(const char *what)
{
	int fd = open("/var/log/journal", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	dprintf(fd, "%lld.%02ld init %s\n", (long long)ts.tv_sec, ts.tv_nsec / 10000000, what);
	close(fd);
}

int main(void)
{
	sigset_t set;
	int signo;

	/* liblxc has set SIGKILL, for the end of its monitor. An init may have it otherwise. */
	prctl(PR_SET_PDEATHSIG, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGPWR);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	note("starts");
	for (;;) {
		sigwait(&set, &signo);
		switch (signo) {
		case SIGPWR:
			note("halts");
			reboot(RB_POWER_OFF);
			return 0;
		case SIGINT:
			note("reboots");
			reboot(RB_AUTOBOOT);
			return 0;
		case SIGCHLD:
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
			break;
		}
	}
}
