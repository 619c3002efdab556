/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAWARE_RUN_SIGNALS_H
#define DAWARE_RUN_SIGNALS_H

/* "TERM", "SIGTERM", "term", "15", "RTMIN+1", "RTMAX-1"; -1 if it is none. */
int signal_by_name(const char *name);

#endif /* DAWARE_RUN_SIGNALS_H */
