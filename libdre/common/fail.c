// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "utf8.h"

int dre_fail_errno(int errnum, const char *fmt, ...)
{
	int code = errnum == EACCES || errnum == EPERM ? DRE_ERR_PERMISSION_DENIED :
							 DRE_ERR_DEVICE_BUSY;
	const char *cause = strerrordesc_np(errnum);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (cause)
		return dre_fail(code, "%s: %s", text, cause);
	return dre_fail(code, "%s: error %d", text, errnum);
}

const char *dre_printable(struct printable *p, const char *text)
{
	size_t i = 0, n, left = strlen(text), max = sizeof(p->text) - sizeof("...");

	for (size_t control; left; text += n, left -= n) {
		control = utf8_control(text, left);
		n = control ?: utf8_character(text, left) ?: 1;
		if (i + (control ? 1 : n) > max)
			break;
		memcpy(p->text + i, control ? "?" : text, control ? 1 : n);
		i += control ? 1 : n;
	}
	strcpy(p->text + i, left ? "..." : "");
	return p->text;
}

int dre_fail_as(int err, int failed)
{
	return err == DRE_ERR_DEVICE_BUSY ? failed : err;
}

int dre_check_privilege(void)
{
	if (geteuid() != 0)
		return dre_fail(DRE_ERR_PERMISSION_DENIED, "only root may manage containers");
	return 0;
}

void save_error(struct saved_error *saved)
{
	snprintf(saved->text, sizeof(saved->text), "%s", dre_last_error());
}

void restore_error(const struct saved_error *saved)
{
	dre_fail(0, "%s", saved->text);
}
