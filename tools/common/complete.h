/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a shell may complete a command with. All of it comes from what the
 * commands' help says of their arguments, so a new command is completed, too.
 */
#ifndef DRE_COMPLETE_H
#define DRE_COMPLETE_H

#include "command.h"

/* How a shell asks: PROGRAM __complete WORD..., of which the last one is to be completed. */
#define COMPLETE_COMMAND	"__complete"

/*
 * Prints, a line each, what the last of @words may be; "@files", which is the first line then, where it is any file.
 * What ends with "=" or ":" is not yet all of the word.
 */
void complete(const struct program *program, size_t nr, char **words);

/* For struct program's complete(): prints @candidate if that is what was begun. */
void complete_with(const char *candidate);

#endif /* DRE_COMPLETE_H */
