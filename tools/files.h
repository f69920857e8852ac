// SPDX-License-Identifier: BSD-2-Clause
// Files of this machine, and bytes made up by a command, as objects that the ring reads (design D4: what a segment is
// filled from, and what a program reads as a file).
// Callers: tasks of the command; nothing here locks.
#ifndef TOOLS_FILES_H
#define TOOLS_FILES_H

#include "core/types.h"

struct node;

// Starts serving. Returns 0 or a negative error. Errors: as service_open(). Callers: once, before any of files_add_*.
int files_start(struct node *n);
// A new object with these bytes, which stay the caller's and must stay where they are. Returns a capability to read it,
// null: there are 128 objects already.
struct cap files_add_bytes(struct node *n, const void *bytes, uint64_t len);
// A new object for an open regular file; it is not closed. Offsets are the file's, whatever else reads it. Returns as
// files_add_bytes().
struct cap files_add_file(struct node *n, int fd);
// A new object for an open directory, in which plain names of regular files can be looked up (OP_DIR_LOOKUP). Returns
// as files_add_bytes().
struct cap files_add_dir(struct node *n, int fd);
// Returns all of a regular file, malloc()ed, *len bytes; NULL with errno set: EFBIG, it is longer than max bytes.
// Callers: anybody, needs no node.
void *file_read_all(const char *path, uint64_t max, uint64_t *len);

#endif
