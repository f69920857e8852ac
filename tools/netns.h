// SPDX-License-Identifier: BSD-2-Clause
// A network namespace of the ring's own, for one number: how many datagrams may wait at a unix socket.
#ifndef TOOLS_NETNS_H
#define TOOLS_NETNS_H

// Where this machine allows it, this process and those it starts from now on live in a private network namespace with
// longer queues: frames then wait there, and QEMU's main loop does not spin on EAGAIN. Sockets with a path work across
// namespaces, so nothing else changes; the machine's own setting is never touched. Where it is not allowed, nothing
// happens: the ring works all the same, slower under load. Callers: while this process has one thread.
void netns_enter(void);

#endif
