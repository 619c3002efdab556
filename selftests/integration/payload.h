/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the payload has, by kinds: each is made once, and used whenever it is asked. What does not work then is told
 * to @lost by its name.
 */
#ifndef SELFTESTS_INTEGRATION_PAYLOAD_H
#define SELFTESTS_INTEGRATION_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>

struct thing {
	const char *name;
	bool (*holds)(void);
};

void use_things(const struct thing *things, size_t nr, void (*lost)(const char *name));

/* Pipes and sockets. */
void make_channels(void);
void use_channels(void (*lost)(const char *name));

/* What else is open as a file. */
void make_files(void);
void use_files(void (*lost)(const char *name));

/* Is there something to read from @fd, before long? */
bool is_readable(int fd);

#endif /* SELFTESTS_INTEGRATION_PAYLOAD_H */
