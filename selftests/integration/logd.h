/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real rsyslogd on this machine, which has none: /dev/log, and a socket in LOGD_DIRECTORY for volumes. */
#ifndef SELFTESTS_INTEGRATION_LOGD_H
#define SELFTESTS_INTEGRATION_LOGD_H

#include <stdbool.h>

#define LOGD_DIRECTORY	"/run/crowd-log"
#define LOGD_SOCKET	"socket"

/* It goes on with what it has; nothing is done if it is there. False: that has failed, and it is not there. */
bool start_logd(void);
bool stop_logd(void);

/* Nothing is left of it then, nor of what was logged; it need not be there. */
void remove_logd(void);

/* What was logged, a line each, has @text in it, or soon has. */
bool logd_gets(const char *text);

#endif /* SELFTESTS_INTEGRATION_LOGD_H */
