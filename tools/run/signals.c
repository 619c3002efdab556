// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signals.h"

/* A number of one or two digits, and nothing behind it; else -1. */
static int small_number(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 1 && len <= 2 && !text[len] ? atoi(text) : -1;
}

/* "" is 0, "+3" is 3: how far from SIGRTMIN or SIGRTMAX; else -1. */
static int distance(const char *text, char sign)
{
	if (!*text)
		return 0;
	return *text == sign ? small_number(text + 1) : -1;
}

static int realtime_signal(const char *name)
{
	int n;

	if (!strncasecmp(name, "RTMIN", 5)) {
		n = distance(name + 5, '+');
		return n < 0 || n > SIGRTMAX - SIGRTMIN ? -1 : SIGRTMIN + n;
	}
	if (!strncasecmp(name, "RTMAX", 5)) {
		n = distance(name + 5, '-');
		return n < 0 || n > SIGRTMAX - SIGRTMIN ? -1 : SIGRTMAX - n;
	}
	return -1;
}

int signal_by_name(const char *name)
{
	if (isdigit((unsigned char)*name)) {
		int signo = small_number(name);

		return signo >= 1 && signo <= SIGRTMAX ? signo : -1;
	}
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (int signo = 1; signo < SIGRTMIN; signo++) {
		const char *known = sigabbrev_np(signo);

		if (known && !strcasecmp(known, name))
			return signo;
	}
	return realtime_signal(name);
}
