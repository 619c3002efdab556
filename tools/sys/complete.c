// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the arguments of commands may be, see struct program.
 */
#include "sys.h"

void complete_kind(const char *kind, const char *name)
{
	complete_common(kind, name);
}
