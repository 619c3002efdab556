/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Callers who may not do anything: what this process becomes for good.
 */
#ifndef SELFTESTS_INTEGRATION_CALLER_H
#define SELFTESTS_INTEGRATION_CALLER_H

#include <stdbool.h>

bool become_user(void);

/* Root, with all privileges, of a user namespace of his own. */
bool become_root_of_nothing(void);

#endif /* SELFTESTS_INTEGRATION_CALLER_H */
