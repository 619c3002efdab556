// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The payload's files, locks, terminals, and what else is open as a file.
 */
#include <err.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "payload.h"

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* A file, open where it is written to, and one that is removed. */
static int file, removed;
static int written;

static bool file_grows(int fd)
{
	char c = 0;

	return lseek(fd, 0, SEEK_CUR) == written && write(fd, "x", 1) == 1 &&
	       pread(fd, &c, 1, 0) == 1 && c == 'x' && lseek(fd, 0, SEEK_END) == written + 1;
}

static bool files_hold(void)
{
	bool holds = file_grows(file) && file_grows(removed) && access("/gone", F_OK);

	written++;
	return holds;
}

static void make_disk(void)
{
	file = open_file("/file");
	removed = open_file("/gone");
	if (unlink("/gone"))
		err(1, "/gone");
	files_hold();
}

/* A file system in memory, with a file and a removed one. */
static int in_memory;

static bool tmpfs_holds(void)
{
	char text[8] = "";
	int fd = open("/memory/file", O_RDONLY);
	bool holds = read(fd, text, sizeof(text)) == 4 && !strcmp(text, "kept");

	close(fd);
	return holds && pread(in_memory, text, 4, 0) == 4 && !strcmp(text, "gone");
}

static void make_tmpfs(void)
{
	int fd;

	mkdir("/memory", 0755);
	if (mount("tmpfs", "/memory", "tmpfs", 0, NULL))
		err(1, "/memory");
	in_memory = open_file("/memory/gone");
	fd = open_file("/memory/file");
	if (write(fd, "kept", 4) != 4 || write(in_memory, "gone", 4) != 4 || unlink("/memory/gone"))
		err(1, "/memory");
	close(fd);
}

/* A file with a lock of each kind, and one more that is open to ask who has them. */
static int locked, asker;

static bool is_locked(off_t start, pid_t by)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = start, .l_len = 1 };

	return !fcntl(asker, F_OFD_GETLK, &lock) && lock.l_type == F_WRLCK && lock.l_pid == by;
}

static bool process_lock_holds(void)
{
	return is_locked(0, getpid());
}

static bool ofd_lock_holds(void)
{
	return is_locked(100, -1);
}

static bool flock_holds(void)
{
	return flock(asker, LOCK_EX | LOCK_NB);
}

static void make_locks(void)
{
	struct flock process = { .l_type = F_WRLCK, .l_len = 10 };
	struct flock ofd = { .l_type = F_WRLCK, .l_start = 100, .l_len = 10 };

	locked = open_file("/locked");
	asker = open_file("/locked");
	if (fcntl(locked, F_SETLK, &process) || fcntl(locked, F_OFD_SETLK, &ofd) || flock(locked, LOCK_EX))
		err(1, "locks");
}

/* A number that stays, and a signal that waits. */
static int event_fd, signal_fd;

static bool eventfd_holds(void)
{
	eventfd_t value;

	return !eventfd_read(event_fd, &value) && value == 7 && !eventfd_write(event_fd, 7);
}

static bool queue_signal(void)
{
	return !sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 42 });
}

static bool signalfd_holds(void)
{
	struct signalfd_siginfo info;

	return is_readable(signal_fd) && read(signal_fd, &info, sizeof(info)) == sizeof(info) &&
	       info.ssi_signo == SIGUSR2 && info.ssi_int == 42 && queue_signal();
}

static void make_events(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	event_fd = eventfd(7, 0);
	signal_fd = signalfd(-1, &set, 0);
	if (event_fd < 0 || signal_fd < 0 || !queue_signal())
		err(1, "events");
}

/* Directories that are watched, one with a name that nobody is to take for an argument of CRIU's. */
#define WATCHED_MEMORY	"/memory/watched"
#define WATCHED_DISK	"/watched\n--leave-stopped: x"

static int watch_memory, watch_disk;

static bool watch_holds(int fd, const char *path)
{
	char events[512];

	close(open_file(path));
	unlink(path);
	return is_readable(fd) && read(fd, events, sizeof(events)) > 0;
}

static bool watch_memory_holds(void)
{
	return watch_holds(watch_memory, WATCHED_MEMORY "/file");
}

static bool watch_disk_holds(void)
{
	return watch_holds(watch_disk, WATCHED_DISK "/file");
}

static int watch(const char *path)
{
	int fd = inotify_init();

	mkdir(path, 0755);
	if (inotify_add_watch(fd, path, IN_DELETE) < 0)
		err(1, "%s", path);
	return fd;
}

/* Both sides of a terminal; and one side of another one, whose other side controls a session. */
static int pty_master, pty_slave, session_master;

static bool pty_holds(void)
{
	char text[8];

	return write(pty_slave, "out", 3) == 3 && is_readable(pty_master) && read(pty_master, text, sizeof(text)) == 3 &&
	       write(pty_master, "in\n", 3) == 3 && is_readable(pty_slave) && read(pty_slave, text, sizeof(text)) == 3;
}

static int open_pty(int *slave)
{
	struct termios t;
	int master;

	if (openpty(&master, slave, NULL, NULL, NULL) || tcgetattr(*slave, &t))
		err(1, "pty");
	t.c_lflag &= ~ECHO;
	tcsetattr(*slave, TCSANOW, &t);
	return master;
}

/* By the name that only who has a controlling terminal can open. */
static void on_interrupt(int signo)
{
	int fd = open("/dev/tty", O_WRONLY);

	(void)signo;
	if (write(fd, "!", 1) == 1)
		close(fd);
}

/* ^C comes to those in the foreground of the terminal's session. */
static bool session_holds(void)
{
	char c = 0;

	return write(session_master, "\003", 1) == 1 && is_readable(session_master) &&
	       read(session_master, &c, 1) == 1 && c == '!';
}

static void make_session(void)
{
	int slave;

	session_master = open_pty(&slave);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, on_interrupt);
		close(session_master);
		if (login_tty(slave))
			err(1, "login_tty");
		for (;;)
			pause();
	}
	close(slave);
}

static const struct thing things[] = {
	{ "files", files_hold }, { "tmpfs", tmpfs_holds }, { "process lock", process_lock_holds },
	{ "OFD lock", ofd_lock_holds }, { "flock", flock_holds }, { "eventfd", eventfd_holds },
	{ "signalfd", signalfd_holds }, { "inotify of a tmpfs", watch_memory_holds },
	{ "inotify", watch_disk_holds }, { "pty", pty_holds }, { "session", session_holds },
};

void make_files(void)
{
	make_disk();
	make_tmpfs();
	make_locks();
	make_events();
	watch_memory = watch(WATCHED_MEMORY);
	watch_disk = watch(WATCHED_DISK);
	pty_master = open_pty(&pty_slave);
	make_session();
}

void use_files(void (*lost)(const char *name))
{
	use_things(things, sizeof(things) / sizeof(*things), lost);
}
