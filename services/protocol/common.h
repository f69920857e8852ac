// SPDX-License-Identifier: BSD-2-Clause
// Standard operations: every object of every service answers them, the better if the service has its own (service.c).
//
// Each operation is a transaction. Its words are arg[0..3] in the request and res[0..3] in the reply; both may carry
// bytes. After an operation stand the right that it needs, and errors of its own; any may answer E_OBJECT (there is no
// such object), E_CAP, E_RIGHTS, E_OP (it has no such operation), E_ARG, E_MEM.
//
// OP_INFO      reply: one line of text for people. READ
// OP_STATUS    reply: text, several lines. READ
// OP_RESTRICT  arg[0] = rights to keep. reply: a capability of 32 bytes. No right needed
// OP_DESTROY   DESTROY; E_OP: an object that cannot be destroyed
// OP_READ      What can be read like a file: segments, host files, terminals (design D4). arg[0] offset, arg[1] most
//              bytes wanted. reply: bytes from that offset; fewer at the end or at a hole. res[0] = zero bytes that
//              follow the bytes given and are not sent (a hole). READ; E_EOF: at the end
// OP_WRITE     arg[0] offset. request: bytes. res[0] = bytes written. WRITE
// OP_SIZE      res[0] = bytes. READ
// OP_ROTATE    Draws a new key: every older capability of this object, wherever it is kept, is refused from now on
//              (E_CAP). reply: the new capability, with all rights. Requests that were admitted before are carried out.
//              A name in a directory, also in the boot directory, keeps the old capability: enter the new one if its
//              readers shall have it. OWNER; E_OP: the object has no key of its own
#ifndef SERVICES_PROTOCOL_COMMON_H
#define SERVICES_PROTOCOL_COMMON_H

#include "core/types.h"
#include "services/protocol/numbers.h"

#endif
