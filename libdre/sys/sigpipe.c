// SPDX-License-Identifier: LGPL-2.1-or-later
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "sigpipe.h"

void sigpipe_hold(struct sigpipe *s)
{
	sigset_t set, old, pending;

	if (s->held)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	*s = (struct sigpipe){
		.held = true,
		.was_blocked = sigismember(&old, SIGPIPE),
		.was_pending = sigismember(&pending, SIGPIPE),
	};
}

void sigpipe_release(struct sigpipe *s)
{
	const struct timespec at_once = {};
	sigset_t set;

	if (!s->held)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	/* It is libvirt's. */
	if (!s->was_pending)
		sigtimedwait(&set, NULL, &at_once);
	if (!s->was_blocked)
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	s->held = false;
}
