// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All that runs in the tests' machine: init of an initial RAM disk. It counts on its disk how often it
 * was started, says so on its console, and powers off when somebody presses the power button:
 *
 *	guest: boot 3		what the disk has now; what the host waits for
 *	guest: tick 17		each second, so that somebody can see whether it runs
 *	guest: power button
 *	guest: typed hello	a line on its console
 *	guest: wrote		to its disk, because that line was "write"
 *	guest: runs from the disk	see below
 *	guest: network		it answers what comes to TCP port 7 of 10.98.0.9, if it has a network
 *
 * With "dirty=24" for the kernel, which hands it on, it writes to so many MiB of its memory all the time; with "disk" it
 * runs what the disk has as /sbin/init, a file system of ext4, in place of itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DISK		"/dev/vda"
#define MAX_INPUTS	8

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* At once: other processes of ours say something, too. */
static void say(const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dprintf(STDOUT_FILENO, "guest: %s\n", text);
}

/* In the order in which /modules/order lists them; where the disk's own init is this program, it has none. */
static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "re");
	char line[128], path[160];
	int fd;

	while (order && fgets(line, sizeof(line), order)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), "/modules/%s", line);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			say("%s: %s", path, strerror(errno));
		close(fd);
	}
	if (order)
		fclose(order);
}

/* Devices come when their drivers find them. */
static int open_disk(void)
{
	int fd;

	for (int tries = 0; tries < 100; tries++) {
		fd = open(DISK, O_RDWR | O_SYNC | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		usleep(100000);
	}
	return -1;
}

/* Returns only if it cannot. */
static void run_disk(void)
{
	static char *const argv[] = { "/sbin/init", NULL };

	close(open_disk());
	mkdir("/disk", 0755);
	if (mount(DISK, "/disk", "ext4", 0, NULL) || mount("/dev", "/disk/dev", NULL, MS_MOVE, NULL) || chdir("/disk") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		say("cannot mount the disk: %s", strerror(errno));
	else
		execv(argv[0], argv);
	say("cannot run the disk's init: %s", strerror(errno));
}

static void count_boot(void)
{
	char sector[512] = "";
	int fd = open_disk(), count;

	if (fd < 0 || pread(fd, sector, sizeof(sector), 0) != sizeof(sector)) {
		say("no disk: %s", strerror(errno));
		return;
	}
	sector[sizeof(sector) - 1] = '\0';
	count = atoi(sector) + 1;
	memset(sector, 0, sizeof(sector));
	snprintf(sector, sizeof(sector), "%d", count);
	if (pwrite(fd, sector, sizeof(sector), 0) == sizeof(sector))
		say("boot %d", count);
	else
		say("cannot write: %s", strerror(errno));
	close(fd);
}

static void write_disk(void)
{
	static const char sector[512] = "written";
	int fd = open_disk();

	if (fd >= 0 && pwrite(fd, sector, sizeof(sector), sizeof(sector)) == sizeof(sector))
		say("wrote");
	else
		say("cannot write: %s", strerror(errno));
	close(fd);
}

static int open_inputs(struct pollfd inputs[MAX_INPUTS])
{
	char path[32];
	int nr = 0;

	for (int i = 0; i < MAX_INPUTS; i++) {
		snprintf(path, sizeof(path), "/dev/input/event%d", i);
		inputs[nr].fd = open(path, O_RDONLY | O_CLOEXEC);
		inputs[nr].events = POLLIN;
		if (inputs[nr].fd >= 0)
			nr++;
	}
	return nr;
}

/* The terminal gives it whole. */
static void read_line(void)
{
	char line[1024];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (n > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		say("typed %s", line);
		if (!strcmp(line, "write"))
			write_disk();
	}
}

static int button_pressed(int fd)
{
	struct input_event event;

	return read(fd, &event, sizeof(event)) == sizeof(event) && event.type == EV_KEY &&
	       event.code == KEY_POWER && event.value;
}

/* Another process does, for as long as there is this one, which is to the end. */
static void write_memory(size_t size)
{
	char *memory;

	if (fork())
		return;
	memory = malloc(size);
	for (char byte = 0; memory; byte++)
		for (size_t at = 0; at < size; at += 4096)
			((volatile char *)memory)[at] = byte;
	_exit(1);
}

/* Its device comes when its driver finds it, or not at all. */
static int set_address(int fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a620009) };
	struct ifreq request = { .ifr_name = "eth0" };
	int tries = 0;

	memcpy(&request.ifr_addr, &address, sizeof(address));
	while (ioctl(fd, SIOCSIFADDR, &request)) {
		if (++tries == 20)
			return -1;
		usleep(100000);
	}
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

static void answer(int fd)
{
	char buffer[256];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(fd, buffer, n) != n)
			break;
	close(fd);
}

/* One after the other, in a process of its own. */
static void serve_network(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(7) };
	int fd;

	if (fork())
		return;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || set_address(fd) || bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 5))
		_exit(0);
	say("network");
	for (;;)
		answer(accept(fd, NULL, NULL));
}

int main(int argc, char **argv)
{
	struct pollfd inputs[MAX_INPUTS + 1];
	int nr;

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	nr = open("/dev/console", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(nr, fd);
	load_modules();
	if (argc > 1 && !strcmp(argv[1], "disk"))
		run_disk();
	if (access("/etc/os", F_OK) == 0)
		say("runs from the disk");
	nr = open_inputs(inputs);
	count_boot();
	serve_network();
	if (getenv("dirty"))
		write_memory(atoi(getenv("dirty")) * 1024UL * 1024);
	for (int ticks = 0;; ticks++) {
		inputs[nr] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
		if (poll(inputs, nr + 1, 1000) == 0)
			say("tick %d", ticks);
		if (inputs[nr].revents)
			read_line();
		for (int i = 0; i < nr; i++) {
			if (inputs[i].revents && button_pressed(inputs[i].fd)) {
				say("power button");
				reboot(RB_POWER_OFF);
			}
		}
	}
}
