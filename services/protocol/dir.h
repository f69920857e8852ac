// SPDX-License-Identifier: BSD-2-Clause
// Directory: names -> capabilities. The boot file system answers OP_DIR_LOOKUP and OP_DIR_LIST too (services/bootfs.h).
//
// OP_DIR_LOOKUP  request: name (no zero needed). reply: capability. READ; E_NAME: there is no such name
// OP_DIR_ENTER   request: name, zero byte, 32-byte capability. Replaces. CREATE; E_LIMIT: the directory is full
// OP_DIR_REMOVE  request: name. DESTROY; E_NAME
// OP_DIR_LIST    reply: array of struct dir_entry. READ
// OP_DIR_MEET    On the boot directory. request: name. reply: capability (DIR_MEETING_RIGHTS) of the meeting directory
//                of that name, made empty when there is none. CREATE
//
// Every node has a boot directory. Its get-port derives from the ring key and the node's name (cap_derive(ring_key,
// "boot-directory", name)), and so does the key of its capability (object 0): a program that has the ring key finds the
// directory and may use it. Entries made at boot: "proc" (EXEC|READ|CONTROL...), "seg", "console", "node", "bootfs"
// (READ; a directory of the files loaded beside the image). It is the operator's. A capability with some rights finds
// in it capabilities of the node's services with these rights and no others, so one with READ gives READ of each.
//
// Meeting directories (the other objects) are what programs find each other by. Each is made by the first
// OP_DIR_MEET with its name. When there are 32, the one that was used longest ago gives way to a new one: E_OBJECT.
#ifndef SERVICES_PROTOCOL_DIR_H
#define SERVICES_PROTOCOL_DIR_H

#include "core/types.h"
#include "services/protocol/numbers.h"

#define DIR_LABEL "boot-directory"
#define DIR_KEY_LABEL "boot-directory-key"

#define DIR_MEETING_RIGHTS (RIGHT_READ | RIGHT_CREATE | RIGHT_DESTROY) // its names: to find, to enter, to remove

struct dir_entry {
    char name[32]; // ends with a zero
    struct cap cap;
};

#endif
