// SPDX-License-Identifier: LGPL-2.1-or-later
/* init of the containers that are measured: its first instruction looks at the clock. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec now;
	sigset_t set;
	int fd, signo;

	clock_gettime(CLOCK_MONOTONIC, &now);
	fd = open("/stamp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	dprintf(fd, "%lld%09ld\n", (long long)now.tv_sec, now.tv_nsec);
	close(fd);
	sigemptyset(&set);
	sigaddset(&set, SIGPWR);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &signo);
	reboot(RB_POWER_OFF);
	return 0;
}
