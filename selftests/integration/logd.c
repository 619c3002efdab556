// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "logd.h"

#define CONF		LOGD_DIRECTORY "/conf"
#define MESSAGES	LOGD_DIRECTORY "/messages"
#define SOCKET		LOGD_DIRECTORY "/" LOGD_SOCKET

/* A machine that is emulated, and busy. In tenths of a second. */
#define PATIENCE	1200
#define TENTH		100000

static const char conf[] =
	"global(workDirectory=\"" LOGD_DIRECTORY "\")\n"
	"module(load=\"imuxsock\" SysSock.RateLimit.Interval=\"0\")\n"
	"input(type=\"imuxsock\" Socket=\"" SOCKET "\" RateLimit.Interval=\"0\")\n"
	"*.* action(type=\"omfile\" file=\"" MESSAGES "\")\n";

static pid_t logd;

static bool write_conf(void)
{
	FILE *f = system("mkdir -p " LOGD_DIRECTORY) ? NULL : fopen(CONF, "we");
	bool written = f && fputs(conf, f) >= 0;

	return f && !fclose(f) && written;
}

static void run_logd(void)
{
	int fd = open(LOGD_DIRECTORY "/errors", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execlp("rsyslogd", "rsyslogd", "-n", "-f", CONF, "-i", LOGD_DIRECTORY "/pid", NULL);
	_exit(127);
}

bool start_logd(void)
{
	if (logd)
		return true;
	if (!write_conf())
		return false;
	fflush(stdout);
	logd = fork();
	if (!logd)
		run_logd();
	for (int tries = 0; logd > 0 && tries < PATIENCE; tries++) {
		if (!access("/dev/log", F_OK) && !access(SOCKET, F_OK))
			return true;
		if (waitpid(logd, NULL, WNOHANG))
			logd = 0;
		usleep(TENTH);
	}
	printf("# rsyslogd does not start\n");
	return false;
}

bool stop_logd(void)
{
	pid_t pid = logd;
	int status;

	logd = 0;
	if (pid <= 0 || kill(pid, SIGTERM) || waitpid(pid, &status, 0) != pid || status) {
		printf("# rsyslogd did not end as it should\n");
		return false;
	}
	unlink("/dev/log");
	unlink(SOCKET);
	return true;
}

void remove_logd(void)
{
	if (logd > 0)
		stop_logd();
	assert_int_equal(system("rm -rf " LOGD_DIRECTORY), 0);
}

static bool logd_has(const char *text)
{
	FILE *f = fopen(MESSAGES, "re");
	char *line = NULL;
	bool found = false;
	size_t size = 0;

	while (f && !found && getline(&line, &size, f) > 0)
		found = strstr(line, text);
	free(line);
	if (f)
		fclose(f);
	return found;
}

bool logd_gets(const char *text)
{
	for (int tries = 0; tries < PATIENCE; tries++) {
		if (logd_has(text))
			return true;
		usleep(TENTH);
	}
	return false;
}
