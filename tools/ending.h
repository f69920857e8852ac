// SPDX-License-Identifier: BSD-2-Clause
// How a run ended: said to people, and as an exit status.
#ifndef TOOLS_ENDING_H
#define TOOLS_ENDING_H

#include "tools/run.h"

// Says it, unless run->quiet or there is nothing to say. Returns the program's own exit status (its low 8 bits); 128 +
// n when it was ended by what is signal n on Linux; EXIT_KILLED, EXIT_INTERRUPT, EXIT_LOST. Callers: the task of the
// command, after watch_until_end().
int ending_status(const struct run *run);

#endif
