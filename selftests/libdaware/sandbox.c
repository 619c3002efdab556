// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include "sandbox.h"

static void bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

void sandbox_enter(void)
{
	char path[32];
	int null, fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS))
		bail_out("a mount namespace needs root, or unshare -r");
	null = open("/dev/null", O_PATH | O_CLOEXEC);
	/* No NULL where valgrind wants a name. */
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/dev", "tmpfs", 0, "mode=755"))
		bail_out("/dev");

	fd = open("/dev/null", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", null);
	if (fd < 0 || mount(path, "/dev/null", "none", MS_BIND, NULL))
		bail_out("/dev/null");
	close(fd);
	close(null);
}

int logd_start(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	const struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_return_code(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
			   errno);
	assert_return_code(bind(fd, (const struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

void logd_stop(int fd)
{
	close(fd);
	unlink("/dev/log");
}

const char *logd_receive(int fd)
{
	static char message[65536];
	ssize_t len = recv(fd, message, sizeof(message) - 1, 0);

	assert_return_code(len, errno);
	message[len] = '\0';
	return message;
}

const char *logd_receive_body(int fd, int priority)
{
	static const char pattern[] =
		"^<([0-9]+)>(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
		"([ 12][0-9]|3[01]) [0-2][0-9]:[0-5][0-9]:[0-6][0-9] ";
	const char *message = logd_receive(fd);
	regmatch_t match[2];
	regex_t header;

	assert_int_equal(regcomp(&header, pattern, REG_EXTENDED), 0);
	if (regexec(&header, message, 2, match, 0))
		fail_msg("no header: %s", message);
	regfree(&header);
	assert_int_equal(atoi(message + match[1].rm_so), priority);
	return message + match[0].rm_eo;
}

bool logd_is_idle(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

int find_log_fd(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct sockaddr_un peer = { 0 };
		socklen_t len = sizeof(peer) - 1;
		int fd = atoi(entry->d_name);

		if (!getpeername(fd, (struct sockaddr *)&peer, &len) &&
		    !strcmp(peer.sun_path, "/dev/log")) {
			assert_int_equal(found, -1);
			found = fd;
		}
	}
	closedir(dir);
	return found;
}

unsigned int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned int threads = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		threads += entry->d_name[0] != '.';
	closedir(dir);
	return threads;
}

bool thread_sleeps(pid_t tid)
{
	char path[64], state = 'R';
	FILE *file;

	if (!tid)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
	fclose(file);
	return state == 'S';
}

void sleep_ms(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

int run_in_child(void (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		alarm(60);	/* a child that hangs is a failure, too */
		fn(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}
