// SPDX-License-Identifier: BSD-2-Clause
// Segment service. Object 0 creates segments; every other object is a segment, with OP_READ, OP_WRITE, OP_SIZE.
//
// OP_SEG_CREATE   on object 0. arg[0] length. reply: capability. The segment lives until OP_DESTROY; a process that has
//                 the capability may map it (SYS_MAP_CAP), and so share it. With a request of 32 bytes, a capability
//                 with READ of a segment of this node: the new segment begins as a copy of that one from arg[1] on
//                 (copy-on-write; arg[0] 0: to its end). CREATE; E_LIMIT; E_NOTHERE: the source is not of this node
// OP_SEG_MARK     From now on the pages that are written are noted. Replaces an earlier mark. res[0] = number of this
//                 mark. CONTROL
// OP_SEG_WRITTEN  arg[0] = that number. reply: struct seg_run[], the ranges written since, in order, page multiples;
//                 what they hold now is read afterwards. These count as not written from now on: the next call tells
//                 what was written after this one. res[0] = length of the segment, res[1] = runs. CONTROL; E_STATE: it
//                 is not the present mark, so everything may have been written
// OP_SEG_UNMARK   arg[0] = that number: writes are noted no more. CONTROL; E_STATE
#ifndef SERVICES_PROTOCOL_SEG_H
#define SERVICES_PROTOCOL_SEG_H

#include "core/types.h"
#include "services/protocol/numbers.h"

struct seg_run {
    uint64_t off, len; // bytes
};

#endif
