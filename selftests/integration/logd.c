// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
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

static void write_conf(void)
{
	FILE *f;

	assert_int_equal(system("mkdir -p " LOGD_DIRECTORY), 0);
	f = fopen(CONF, "we");
	assert_non_null(f);
	assert_true(fputs(conf, f) >= 0);
	assert_int_equal(fclose(f), 0);
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

void start_logd(void)
{
	if (logd)
		return;
	write_conf();
	fflush(stdout);
	logd = fork();
	assert_true(logd >= 0);
	if (!logd)
		run_logd();
	for (int tries = 0; access("/dev/log", F_OK) || access(SOCKET, F_OK); tries++) {
		assert_int_equal(waitpid(logd, NULL, WNOHANG), 0);
		assert_true(tries < PATIENCE);
		usleep(TENTH);
	}
}

void stop_logd(void)
{
	int status;

	assert_return_code(kill(logd, SIGTERM), errno);
	assert_int_equal(waitpid(logd, &status, 0), logd);
	logd = 0;
	assert_int_equal(status, 0);
	unlink("/dev/log");
	unlink(SOCKET);
}

void remove_logd(void)
{
	if (logd)
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
