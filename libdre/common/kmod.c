// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "kmod.h"
#include "module.h"

int kmod_open(int *dre)
{
	*dre = dre_module_open();
	if (*dre >= 0)
		return 0;
	if (*dre == -EACCES || *dre == -EPERM)
		return dre_fail_errno(-*dre, "cannot open /dev/dre");
	return dre_fail(DRE_ERR_DAWARE_MOD_NONEXISTENCE,
			"/dev/dre: %s: is the D-RE module loaded (modprobe dre)?",
			strerror(-*dre));
}

int kmod_check(void)
{
	int dre, err = kmod_open(&dre);

	if (!err)
		close(dre);
	return err;
}
