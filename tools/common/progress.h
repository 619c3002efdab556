/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bar on stderr, or the time, for what takes longer than a second. It shows only on a
 * terminal, and is gone before anything else is printed.
 *
 *	struct progress progress;
 *
 *	progress_begin(&progress, "import");
 *	err = dre_app_import_base(name, source, progress_show, &progress);
 *	progress_end(&progress);
 */
#ifndef DRE_PROGRESS_H
#define DRE_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/**
 * struct progress - something that goes on
 * @what: what stands before the bar, one word
 * @start: when it began
 * @shown: when the bar was drawn last
 * @visible: whether it is on the terminal
 * @runs: whether there is a thread that shows the time, until @end can be read
 * @counts: whether it is known how far it is: that thread shows nothing then
 * @thread: that one
 * @end: an eventfd, or -1
 * @deadline: when there is no time left, in seconds since it began; 0: it takes what it takes
 * @lock: while that thread looks at what may change, and draws
 */
struct progress {
	const char *what;
	struct timespec start;
	struct timespec shown;
	bool visible;
	bool runs;
	bool counts;
	pthread_t thread;
	int end;
	double deadline;
	pthread_mutex_t lock;
};

/* @what must stay. */
void progress_begin(struct progress *p, const char *what);

/*
 * @done of @total bytes, or of a @total that is not known, if that is 0. It is a
 * dre_app_progress; @progress is a struct progress. It may be called as often as one likes.
 */
void progress_show(void *progress, unsigned long long done, unsigned long long total);

/*
 * The same for what does not say how far it is, or not at first: it shows by itself how long it takes, until
 * progress_show() is called, which begins anew then.
 */
void progress_begin_time(struct progress *p, const char *what);

/*
 * Where that changes as it goes on: between these two nothing is drawn, and @what and @deadline may be written to. Other
 * threads wait for it, too.
 */
void progress_lock(struct progress *p);
void progress_unlock(struct progress *p);

/* How long it goes on, in seconds. */
double progress_time(const struct progress *p);

/* Takes it off the terminal for what is printed now: with the lock, if there is a thread. It comes again. */
void progress_hide(struct progress *p);

/* Takes it off the terminal. */
void progress_end(struct progress *p);

#endif /* DRE_PROGRESS_H */
