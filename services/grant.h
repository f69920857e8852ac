// SPDX-License-Identifier: BSD-2-Clause
// What a program is given beyond what every program has (terminal, files, itself): services, by name and right, and a
// directory to meet others in. Said in the same words to the shell and to `rotifer run`:
//
//   --grant WHAT[@NODE][:RIGHT,...]   what the boot directory of the node has under this name ("proc", "node", "seg",
//                                     "console", ...), or the directory itself ("dir"); no right said: read
//   --meet NAME[@NODE]                the meeting directory of this name (services/protocol/dir.h)
//
// A right is one of read, write, create, destroy, exec, control, owner; all: all of them.
#ifndef SERVICES_GRANT_H
#define SERVICES_GRANT_H

#include "core/config.h"
#include "core/types.h"

struct node;

#define GRANTS_MAX 8u
#define GRANT_MEET "meet" // what a program finds its meeting directory under

struct grant {
    char name[NAME_MAX_LEN]; // what the program finds it under: WHAT, or WHAT@NODE
    char what[NAME_MAX_LEN];
    char node[NAME_MAX_LEN]; // ends with a zero; empty: none was said
    uint32_t rights;         // RIGHT_* bits
};

// grant_parse reads what stands behind --grant, grant_parse_meet what stands behind --meet. Each returns NULL, or a
// sentence's end that says what is wrong ("is no ..."; a constant): then *g means nothing. Callers: any context; pure.
const char *grant_parse(const char *text, struct grant *g);
const char *grant_parse_meet(const char *text, struct grant *g);

// The capability that is meant, with no right more than said. node: when the grant names none. Returns 0; or -E_NAME:
// the node's boot directory has no such name; E_RIGHTS: no capability has that right there; or another error of a
// transaction. Callers: tasks of a node that has the ring key; blocks, for 10 s at most each time.
int64_t grant_fetch(struct node *n, const char *node, const struct grant *g, struct cap *out);

// Adds the grant to a text of NAME_MAX_LEN bytes, "+proc:rx +meet:farm": the comment by which ps and info tell what a
// process was given. The letters are those of the rights; k is control. " +.." stands for what has no room.
// Callers: any context; pure.
void grant_note(char note[NAME_MAX_LEN], const struct grant *g);

#endif
