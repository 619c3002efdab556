// SPDX-License-Identifier: LGPL-2.1-or-later

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "progress.h"

/* It shows only what takes longer, and is drawn no oftener; in seconds. */
#define DELAY		1.0
#define INTERVAL	0.1

/* The bar, without what stands beside it. */
#define BAR_MAX		40
#define BAR_MIN		5

static double seconds(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

void progress_begin(struct progress *p, const char *what)
{
	*p = (struct progress){ .what = what, .end = -1, .lock = PTHREAD_MUTEX_INITIALIZER };
	clock_gettime(CLOCK_MONOTONIC, &p->start);
}

static int terminal_columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

/* "12.3 MB" */
static const char *size_text(char text[16], double bytes)
{
	static const char units[][3] = { "B", "kB", "MB", "GB", "TB" };
	size_t unit = 0;

	for (; bytes >= 1000 && unit < sizeof(units) / sizeof(*units) - 1; unit++)
		bytes /= 1000;
	snprintf(text, 16, "%.*f %s", unit && bytes < 100 ? 1 : 0, bytes, units[unit]);
	return text;
}

/* What stands to the right of the bar: how much, how fast, and how long it will take still. */
static int numbers(char *text, size_t size, double done, double total, double time)
{
	char d[16], t[16], r[16];
	unsigned long left;

	size_text(d, done);
	size_text(r, done / time);
	if (total <= 0)
		return snprintf(text, size, "%s  %s/s", d, r);
	left = done > 0 ? time * (total - done) / done : 0;
	return snprintf(text, size, "%3.0f %%  %s of %s  %s/s  %lu:%02lu left", 100 * done / total,
			d, size_text(t, total), r, left / 60, left % 60);
}

static void draw(const struct progress *p, double done, double total, double time)
{
	char text[160], bar[BAR_MAX + 1] = "";
	int columns = terminal_columns() - 1;	/* a full line could go on to the next */
	int width, filled;

	if (done > total && total > 0)
		done = total;	/* the source has grown since */
	width = columns - (int)strlen(p->what) - 5 - numbers(text, sizeof(text), done, total, time);
	if (width > BAR_MAX)
		width = BAR_MAX;
	if (total > 0 && width >= BAR_MIN) {
		filled = width * (done / total);
		memset(bar, '-', width);
		memset(bar, '#', filled);
		bar[width] = '\0';
	}
	if (*bar)
		fprintf(stderr, "\r%s [%s] %s\033[K", p->what, bar, text);
	else
		fprintf(stderr, "\r%.*s\033[K", columns, text);
}

double progress_time(const struct progress *p)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return seconds(&p->start, &now);
}

/* Is there something to be shown now? For what takes its time, and not too often. */
static bool is_time(struct progress *p, double *time)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*time = seconds(&p->start, &now);
	if (*time < DELAY || seconds(&p->shown, &now) < INTERVAL)
		return false;
	p->shown = now;
	p->visible = isatty(STDERR_FILENO);
	return p->visible;
}

/* "stop web, 0:04, 0:16 left" */
static void draw_time(const struct progress *p, double time)
{
	unsigned long left = p->deadline > time ? p->deadline - time : 0;
	char text[64];
	int len;

	len = snprintf(text, sizeof(text), ", %lu:%02lu", (unsigned long)time / 60, (unsigned long)time % 60);
	if (p->deadline > time)
		len += snprintf(text + len, sizeof(text) - len, ", %lu:%02lu left", left / 60, left % 60);
	len = terminal_columns() - 1 - len;
	fprintf(stderr, "\r%.*s%s\033[K", len > 0 ? len : 0, p->what, text);
}

void progress_lock(struct progress *p)
{
	pthread_mutex_lock(&p->lock);
}

void progress_unlock(struct progress *p)
{
	pthread_mutex_unlock(&p->lock);
}

/* What was done before the first byte came says nothing of how fast they come. */
static void begin_to_count(struct progress *p)
{
	p->counts = true;
	if (p->runs)
		clock_gettime(CLOCK_MONOTONIC, &p->start);
}

void progress_show(void *progress, unsigned long long done, unsigned long long total)
{
	struct progress *p = progress;
	double time;

	progress_lock(p);
	if (!p->counts)
		begin_to_count(p);
	if (is_time(p, &time))
		draw(p, done, total, time);
	progress_unlock(p);
}

void progress_hide(struct progress *p)
{
	if (p->visible)
		fputs("\r\033[K", stderr);
	p->visible = false;
}

static void *show_time(void *progress)
{
	struct progress *p = progress;
	struct pollfd end = { .fd = p->end, .events = POLLIN };
	double time;

	while (!poll(&end, 1, 1000 * INTERVAL)) {
		progress_lock(p);
		if (!p->counts && is_time(p, &time))
			draw_time(p, time);
		progress_unlock(p);
	}
	return NULL;
}

void progress_begin_time(struct progress *p, const char *what)
{
	progress_begin(p, what);
	if (!isatty(STDERR_FILENO))
		return;
	p->end = eventfd(0, EFD_CLOEXEC);
	/* Without it the work is done as well. */
	p->runs = p->end >= 0 && !pthread_create(&p->thread, NULL, show_time, p);
}

void progress_end(struct progress *p)
{
	if (p->runs) {
		eventfd_write(p->end, 1);
		pthread_join(p->thread, NULL);
	}
	if (p->end >= 0)
		close(p->end);
	progress_hide(p);
}
