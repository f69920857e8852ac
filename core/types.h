// SPDX-License-Identifier: BSD-2-Clause
// The names by which everything is addressed. Plain data: safe on the wire, on disk, in guest memory.
// Callers: anywhere, guests too; no state, no lock.
#ifndef CORE_TYPES_H
#define CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Endpoint: location-free address of a process, or of a node's own tasks. Random, never zero, never used again: a node
// draws a new one at every boot (design D3).
typedef uint64_t ep_t;
#define EP_NONE ((ep_t)0)

// Port: the 128-bit name of a service. Who knows the secret get-port G may serve it; clients know only the put-port P =
// F(G) (cap.h). The two are the same type on purpose: a server that passes P where G is wanted serves F(P), a port
// nobody calls.
struct port {
    uint64_t w[2];
};

// Capability: 32 bytes of plain data.
//
//   0               16        20                    32
//   | put-port      | obj:rts | check field (96 b)  |
//
struct cap {
    struct port port;
    uint32_t obj_rights; // object number << 8 | rights
    uint32_t check[3];   // first 96 bits of SipHash-2-4-128 under the object's key (cap.h)
};
_Static_assert(sizeof(struct cap) == 32, "a capability is 32 bytes, four registers");

#define CAP_OBJ_MAX 0xffffffu
// Returns the object number, 0..CAP_OBJ_MAX.
static inline uint32_t cap_obj(const struct cap *c)
{
    return c->obj_rights >> 8;
}
// Returns the rights: RIGHT_* bits.
static inline uint32_t cap_rights(const struct cap *c)
{
    return c->obj_rights & 0xffu;
}

// Rights. A bit means the same on every kind of object.
#define RIGHT_READ 0x01u    // read contents, look up
#define RIGHT_WRITE 0x02u   // change contents
#define RIGHT_CREATE 0x04u  // make objects, enter names
#define RIGHT_DESTROY 0x08u // destroy the object, kill the process
#define RIGHT_EXEC 0x10u    // start a process here
#define RIGHT_CONTROL 0x20u // stun, resume, migrate, set owner, set registers
#define RIGHT_OWNER 0x80u   // withdraw every capability of the object (rotate). Who has it can get all the others by it
#define RIGHT_ALL 0xffu

// Copies a capability by loads and stores, as words_copy_4 (words.h) does and for the same reason. All is read before
// anything is written: dst and src may be the same.
static inline void copy_cap(struct cap *dst, const struct cap *src)
{
    uint64_t a = src->port.w[0], b = src->port.w[1];
    uint32_t o = src->obj_rights, x = src->check[0], y = src->check[1], z = src->check[2];
    dst->port.w[0] = a;
    dst->port.w[1] = b;
    dst->obj_rights = o;
    dst->check[0] = x;
    dst->check[1] = y;
    dst->check[2] = z;
}

// Returns the smaller of a and b.
static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// True if they are the same port. The comparison stops at the first difference: not for guesses at a secret.
static inline bool port_eq(struct port a, struct port b)
{
    return a.w[0] == b.w[0] && a.w[1] == b.w[1];
}
// True if it is no port: all zero. No get-port is, and no put-port comes out so but by chance of 2^-128.
static inline bool port_is_null(struct port a)
{
    return (a.w[0] | a.w[1]) == 0;
}
// True if it is no capability: without a port.
static inline bool cap_is_null(const struct cap *c)
{
    return port_is_null(c->port);
}

#endif
