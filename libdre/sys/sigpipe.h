/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt writes to its connections with write(2), and it blocks SIGPIPE only while it waits: where libvirtd ends while
 * nobody asks it anything, the next question to it would end the process. So the thread that has a
 * connection holds that signal back, and gets EPIPE: an error of libvirt.
 *
 * What the application has made of the signal stays as it is, and one that was on its way to it gets there.
 */
#ifndef DRE_SYS_SIGPIPE_H
#define DRE_SYS_SIGPIPE_H

#include <stdbool.h>

/* All zero: it is not held back. */
struct sigpipe {
	bool held;
	bool was_blocked, was_pending;
};

/* In the calling thread. Nothing if it is @s that holds it already. */
void sigpipe_hold(struct sigpipe *s);

/* In the same thread; the last one that holds it is the first one that lets it go. Nothing if @s does not. */
void sigpipe_release(struct sigpipe *s);

#endif /* DRE_SYS_SIGPIPE_H */
