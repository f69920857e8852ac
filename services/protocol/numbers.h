// SPDX-License-Identifier: BSD-2-Clause
// Every operation's number, in one table: a number means the same wherever it is sent. Each service has a range; what
// an operation takes and gives is in the service's header beside this one. A new service takes the next sixteen. A
// program's own objects may use any number, but the standard operations mean the same there.
#ifndef SERVICES_PROTOCOL_NUMBERS_H
#define SERVICES_PROTOCOL_NUMBERS_H

// X(name, number, what people call it)
#define OP_NUMBERS(X)                                                                                                  \
    /* 1..31: every object of every service: common.h */                                                               \
    X(OP_INFO, 1, "info")                                                                                              \
    X(OP_STATUS, 2, "status")                                                                                          \
    X(OP_RESTRICT, 3, "restrict")                                                                                      \
    X(OP_DESTROY, 4, "destroy")                                                                                        \
    X(OP_READ, 5, "read")                                                                                              \
    X(OP_WRITE, 6, "write")                                                                                            \
    X(OP_SIZE, 7, "size")                                                                                              \
    X(OP_ROTATE, 8, "rotate")                                                                                          \
    /* 32..47: segments: seg.h */                                                                                      \
    X(OP_SEG_CREATE, 32, "create segment")                                                                             \
    X(OP_SEG_MARK, 33, "mark")                                                                                         \
    X(OP_SEG_WRITTEN, 34, "written")                                                                                   \
    X(OP_SEG_UNMARK, 35, "unmark")                                                                                     \
    /* 48..79: the node's process port, processes, their owners: proc.h */                                             \
    X(OP_PROC_EXEC, 48, "exec")                                                                                        \
    X(OP_PROC_LIST, 49, "list processes")                                                                              \
    X(OP_PROC_OFFER, 50, "offer")                                                                                      \
    X(OP_PROC_COMMIT, 51, "commit")                                                                                    \
    X(OP_PROC_ABORT, 52, "abort")                                                                                      \
    X(OP_PROC_SLOT, 53, "slot")                                                                                        \
    X(OP_PROC_STUN, 56, "stun")                                                                                        \
    X(OP_PROC_RESUME, 57, "resume")                                                                                    \
    X(OP_PROC_GET, 58, "get")                                                                                          \
    X(OP_PROC_MIGRATE, 59, "migrate")                                                                                  \
    X(OP_PROC_SET_OWNER, 60, "set owner")                                                                              \
    X(OP_PROC_WAIT_EVENT, 61, "event")                                                                                 \
    X(OP_PROC_SET, 62, "set")                                                                                          \
    X(OP_PROC_CHECK, 63, "check")                                                                                      \
    X(OP_PROC_SET_COMMENT, 64, "set comment")                                                                          \
    X(OP_PROC_SET_LIMIT, 65, "set limit")                                                                              \
    X(OP_PROC_SET_PRIORITY, 66, "set priority")                                                                        \
    X(OP_PROC_NEVER_RAN, 67, "never ran")                                                                              \
    /* 80..95: directories: dir.h */                                                                                   \
    X(OP_DIR_LOOKUP, 80, "look up")                                                                                    \
    X(OP_DIR_ENTER, 81, "enter")                                                                                       \
    X(OP_DIR_REMOVE, 82, "remove")                                                                                     \
    X(OP_DIR_LIST, 83, "list names")                                                                                   \
    X(OP_DIR_MEET, 84, "meet")                                                                                         \
    /* 96..111: the node: node.h */                                                                                    \
    X(OP_NODE_STATUS, 96, "node status")                                                                               \
    X(OP_NODE_NULL, 97, "null")                                                                                        \
    X(OP_NODE_BENCH, 98, "bench")                                                                                      \
    X(OP_NODE_TRACE, 99, "trace")                                                                                      \
    X(OP_NODE_STOP, 100, "stop node")                                                                                  \
    /* 112..127: terminals: console.h */                                                                               \
    X(OP_CONSOLE_KEYS, 112, "keys")                                                                                    \
    X(OP_CONSOLE_SHOW, 113, "show")                                                                                    \
    X(OP_CONSOLE_OPEN, 114, "open terminal")                                                                           \
    X(OP_CONSOLE_LOG, 115, "log")                                                                                      \
    X(OP_CONSOLE_TYPE, 116, "type")                                                                                    \
    X(OP_CONSOLE_FRONT, 117, "front")                                                                                  \
    /* 128..: free */

enum op_number {
#define X(name, number, text) name = number,
    OP_NUMBERS(X)
#undef X
};

#endif
