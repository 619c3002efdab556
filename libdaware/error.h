/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The error state of D-RE's libraries: one line of text a thread. Private to
 * them (exported from libdaware under the version DRE_PRIVATE).
 */
#ifndef DRE_PRIVATE_ERROR_H
#define DRE_PRIVATE_ERROR_H

#pragma GCC visibility push(default)

/*
 * Sets what dre_last_error() returns in this thread and returns @err, so that
 * callers write "return dre_fail(DRE_ERR_..., ...)". The text says what could
 * not be done and to what: "container 'web': cannot mount its root: No space
 * left on device". Arguments may point into the old text.
 */
int dre_fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#pragma GCC visibility pop

#endif /* DRE_PRIVATE_ERROR_H */
