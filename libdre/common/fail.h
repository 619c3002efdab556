/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Failed system calls as D-RE's error codes.
 */
#ifndef DRE_COMMON_FAIL_H
#define DRE_COMMON_FAIL_H

#include "error.h"

/*
 * Sets the error text to "<fmt>: <what errno says>" and returns the code for
 * @errnum, which is positive:
 *
 *   EACCES, EPERM  DRE_ERR_PERMISSION_DENIED
 *   all others     DRE_ERR_DEVICE_BUSY
 *
 * The specification has no code for a full disk, an I/O error or a lack of
 * memory. DRE_ERR_DEVICE_BUSY, "no response from the device", is the one that
 * tells a program what it can do about them: the request was right, the
 * machine could not serve it, and it may be repeated once the cause is
 * removed. The text says which it was.
 */
int dre_fail_errno(int errnum, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What the machine could not do has a code of its own for some operations, @failed; the text stays. */
int dre_fail_as(int err, int failed);

/* DRE_ERR_PERMISSION_DENIED for everybody but root. */
int dre_check_privilege(void);

/* What failed first, while what it left is cleaned up, which may fail as well. */
struct saved_error {
	char text[1024];
};

void save_error(struct saved_error *saved);
void restore_error(const struct saved_error *saved);

/*
 * Makes a name that others chose (a file's, an archive member's) fit for an
 * error text, which is one line: control characters (utf8.h) become '?', and what
 * is too long is cut. Returns p->text.
 */
struct printable {
	char text[256];
};

const char *dre_printable(struct printable *p, const char *text);

#endif /* DRE_COMMON_FAIL_H */
