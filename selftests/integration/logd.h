/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real rsyslogd on this machine, which has none: /dev/log, and a socket in LOGD_DIRECTORY for volumes. */
#ifndef SELFTESTS_INTEGRATION_LOGD_H
#define SELFTESTS_INTEGRATION_LOGD_H

#include <stdbool.h>

#define LOGD_DIRECTORY	"/run/crowd-log"
#define LOGD_SOCKET	"socket"

/* What goes wrong in here fails the test. It goes on with what it has; nothing is done if it is there. */
void start_logd(void);
void stop_logd(void);

/* Nothing is left of it then, nor of what was logged; it need not be there. */
void remove_logd(void);

/* What was logged, a line each, has @text in it, or soon has. */
bool logd_gets(const char *text);

#endif /* SELFTESTS_INTEGRATION_LOGD_H */
