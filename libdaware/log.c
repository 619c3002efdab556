// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A message is formatted on the stack of the thread that logs it. The lock is
 * held while the settings are applied to it, but not while it is sent: a daemon
 * that does not keep up stops nobody but those who log.
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "daware.h"
#include "format.h"

#define CUT_MARK	"[...]"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What the program has set. The lock guards it. */
static struct {
	char ident[256];		/* "": the program's name */
	int option;
	int facility;			/* 0: LOG_USER */
	struct daware_format *format;	/* NULL: "%msg%" */
} settings;

static _Atomic int max_level = LOG_DEBUG;

/* The socket. The lock guards it. */
static struct {
	int fd;				/* -1: none */
	dev_t dev;			/* of the socket, to know it again */
	ino_t ino;
	unsigned int users;		/* threads that are sending */
	bool closing;			/* the last of them closes it */
} connection = { .fd = -1 };

/* What changes once a second at most. The lock guards it. */
static struct {
	time_t second;
	char stamp[96];			/* of RFC 3164 */
	char time[96];			/* of RFC 3339 */
	char host[256];
} moment = { .second = -1 };

/*
 * The process ID in decimal, or "". getpid(2) would take as long as all the
 * rest that is done here before the message is sent; the page is wiped in every
 * child, however it is made. The lock guards it.
 */
static char *cached_pid;

static const char *current_pid(void)
{
	static char text[12];

	if (cached_pid && *cached_pid)
		return cached_pid;
	snprintf(text, sizeof(text), "%d", getpid());
	return cached_pid ? strcpy(cached_pid, text) : text;
}

static void cache_pid(void)
{
	size_t size = sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return;
	if (madvise(page, size, MADV_WIPEONFORK))
		munmap(page, size);
	else
		cached_pid = page;
}

/*
 * Cancellation points are between these two. What each message goes through has
 * none, because these would take as long as formatting it.
 */
static int forbid_cancel(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

static void allow_cancel(int state)
{
	pthread_setcancelstate(state, NULL);
}

static int connect_daemon(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int cancel_state = forbid_cancel();

	/* Not where a program that closed its standard streams would write to. */
	if (fd >= 0 && fd <= STDERR_FILENO) {
		int low_fd = fd;

		fd = fcntl(low_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low_fd);
	}
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	allow_cancel(cancel_state);
	return fd;
}

static void set_connection(int fd)
{
	struct stat st = { 0 };

	fstat(fd, &st);
	connection.fd = fd;
	connection.dev = st.st_dev;
	connection.ino = st.st_ino;
}

/* False when the program has closed the socket, and may have got its number for another file. */
static bool connection_is_ours(void)
{
	struct stat st;

	return !fstat(connection.fd, &st) &&
	       st.st_dev == connection.dev && st.st_ino == connection.ino;
}

static void open_connection(void)
{
	int fd;

	connection.closing = false;
	if (connection.fd >= 0)
		return;
	fd = connect_daemon();
	if (fd >= 0)
		set_connection(fd);
}

static void close_connection(void)
{
	int cancel_state = forbid_cancel();

	if (connection.fd >= 0 && connection_is_ours())
		close(connection.fd);
	allow_cancel(cancel_state);
	connection.fd = -1;
	connection.closing = false;
}

/* For a thread that failed to send: there may be a new daemon. Returns -1 if there is none. */
static int renew_connection(void)
{
	int fd;

	pthread_mutex_lock(&lock);
	fd = connect_daemon();
	if (fd >= 0 && connection_is_ours()) {
		/* Other threads may be about to send on this number. */
		int new_fd = fd, cancel_state = forbid_cancel();

		fd = dup3(new_fd, connection.fd, O_CLOEXEC);
		close(new_fd);
		allow_cancel(cancel_state);
	}
	if (fd >= 0)
		set_connection(fd);
	pthread_mutex_unlock(&lock);
	return fd;
}

static void release_connection(void)
{
	pthread_mutex_lock(&lock);
	/* There are none in a child that was forked by a signal handler in the middle of this. */
	if (connection.users)
		connection.users--;
	if (!connection.users && connection.closing)
		close_connection();
	pthread_mutex_unlock(&lock);
}

/* Called with the lock. */
static void update_moment(void)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm = { 0 };
	long offset;

	if (now == moment.second)
		return;
	moment.second = now;

	tzset();
	localtime_r(&now, &tm);
	offset = tm.tm_gmtoff / 60;
	snprintf(moment.stamp, sizeof(moment.stamp), "%s %2d %02d:%02d:%02d ", months[tm.tm_mon],
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	snprintf(moment.time, sizeof(moment.time), "%04d-%02d-%02dT%02d:%02d:%02d%c%02ld:%02ld",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 offset < 0 ? '-' : '+', labs(offset) / 60, labs(offset) % 60);

	if (gethostname(moment.host, sizeof(moment.host)))
		moment.host[0] = '\0';
}

/* Cuts @line to @len bytes, mark included, but no UTF-8 character in two. */
static size_t cut_line(char *line, size_t len)
{
	len -= strlen(CUT_MARK);
	for (int i = 0; i < 3 && (line[len] & 0xc0) == 0x80; i++)
		len--;
	memcpy(line + len, CUT_MARK, strlen(CUT_MARK));
	return len + strlen(CUT_MARK);
}

/* Applies the settings. Called with the lock. Returns the line's length; IDENT begins at @body. */
static size_t render_line(char *line, struct daware_record *record, size_t *body)
{
	struct daware_text text = { .pos = line, .end = line + DAWARE_LOG_MAX };

	if (!LOG_FAC(record->priority) || LOG_FAC(record->priority) >= LOG_NFACILITIES)
		record->priority = LOG_PRI(record->priority) |
				   (settings.facility ? settings.facility : LOG_USER);
	record->prog = settings.ident[0] ? settings.ident : program_invocation_short_name;
	record->pid = current_pid();
	update_moment();
	record->time = moment.time;
	record->host = moment.host;

	daware_text_add(&text, "<", 1);
	daware_text_add_number(&text, record->priority);
	daware_text_add(&text, ">", 1);
	daware_text_adds(&text, moment.stamp);
	*body = text.pos - line;
	daware_text_adds(&text, record->prog);
	if (settings.option & LOG_PID) {
		daware_text_add(&text, "[", 1);
		daware_text_adds(&text, record->pid);
		daware_text_add(&text, "]", 1);
	}
	daware_text_add(&text, ": ", 2);
	if (settings.format)
		daware_format_render(settings.format, record, &text);
	else
		daware_text_add(&text, record->message, record->message_len);

	return text.cut ? cut_line(line, DAWARE_LOG_MAX) : (size_t)(text.pos - line);
}

/* A line that is too long for the socket is cut further. */
static bool send_line(int fd, char *line, size_t *len)
{
	bool renewed = false;

	while (fd >= 0) {
		/* send(2), which is a cancellation point as the C library has it. */
		if (syscall(SYS_sendto, fd, line, *len, MSG_NOSIGNAL, NULL, 0) >= 0)
			return true;
		if (errno == EINTR)
			continue;
		if (errno == EMSGSIZE && *len > 256) {
			*len = cut_line(line, *len / 2);
			continue;
		}
		if (renewed)
			return false;
		fd = renew_connection();
		renewed = true;
	}
	return false;
}

static void write_line(int fd, char *line, size_t len, const char *end)
{
	struct iovec parts[] = {
		{ .iov_base = line, .iov_len = len },
		{ .iov_base = (char *)end, .iov_len = strlen(end) },
	};
	int cancel_state = forbid_cancel();

	/* If it fails, too, there is nobody to tell. */
	(void)!writev(fd, parts, 2);
	allow_cancel(cancel_state);
}

static void write_console(char *line, size_t len)
{
	int cancel_state = forbid_cancel();
	int fd = open(_PATH_CONSOLE, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		write_line(fd, line, len, "\r\n");
		close(fd);
	}
	allow_cancel(cancel_state);
}

static size_t format_message(char *message, size_t size, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static size_t format_message(char *message, size_t size, const char *fmt, va_list args)
{
	int ret = vsnprintf(message, size, fmt, args);
	size_t len;

	if (ret < 0)
		ret = snprintf(message, size, "(cannot be formatted: %m) %s", fmt);
	len = (size_t)ret < size ? (size_t)ret : size - 1;
	while (len && message[len - 1] == '\n')
		len--;
	return len;
}

void daware_log(int priority, const char *file, int line_number, const char *func,
		const char *fmt, ...)
{
	char message[DAWARE_LOG_MAX + 1], line[DAWARE_LOG_MAX];
	struct daware_record record = {
		.priority = priority & (LOG_FACMASK | LOG_PRIMASK),
		.message = message,
		.file = file ? file : "?",
		.line = line_number,
		.func = func ? func : "?",
	};
	int saved_errno;
	size_t len, body;
	int fd, option;
	va_list args;

	if (LOG_PRI(priority) > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	saved_errno = errno;

	va_start(args, fmt);
	record.message_len = format_message(message, sizeof(message), fmt ? fmt : "(null)", args);
	va_end(args);

	pthread_mutex_lock(&lock);
	len = render_line(line, &record, &body);
	option = settings.option;
	open_connection();
	fd = connection.fd;
	connection.users++;
	pthread_mutex_unlock(&lock);

	if (option & LOG_PERROR)
		write_line(STDERR_FILENO, line + body, len - body, "\n");
	if (!send_line(fd, line, &len) && option & LOG_CONS)
		write_console(line + body, len - body);

	release_connection();
	errno = saved_errno;
}

void daware_log_open(const char *ident, int option, int facility)
{
	int saved_errno = errno;

	if (facility & ~LOG_FACMASK || LOG_FAC(facility) >= LOG_NFACILITIES)
		facility = 0;

	pthread_mutex_lock(&lock);
	snprintf(settings.ident, sizeof(settings.ident), "%s", ident ? ident : "");
	settings.option = option;
	settings.facility = facility;
	if (option & LOG_NDELAY)
		open_connection();
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}

void daware_log_close(void)
{
	int saved_errno = errno;

	pthread_mutex_lock(&lock);
	settings.ident[0] = '\0';
	settings.option = 0;
	settings.facility = 0;
	connection.closing = true;
	if (!connection.users)
		close_connection();
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}

void daware_log_set_format(const char *logfmt)
{
	int saved_errno = errno;
	struct daware_format *format = NULL, *old;

	if (logfmt)
		format = daware_format_compile(logfmt);
	if (format || !logfmt) {
		pthread_mutex_lock(&lock);
		old = settings.format;
		settings.format = format;
		pthread_mutex_unlock(&lock);
		free(old);
	}
	errno = saved_errno;
}

void daware_log_set_level(int level)
{
	if (level >= LOG_EMERG && level <= LOG_DEBUG)
		atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
	pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
	/* Those who were sending are threads of the parent. */
	connection.users = 0;
	if (connection.closing)
		close_connection();
	pthread_mutex_unlock(&lock);
}

static void __attribute__((constructor)) init(void)
{
	cache_pid();
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
