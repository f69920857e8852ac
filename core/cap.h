// SPDX-License-Identifier: BSD-2-Clause
// Capabilities: the one-way function of ports and the check field. Pure functions; libsodium does the hashing. A
// service keeps a 16-byte secret key per object; to revoke, it draws a new one. Sparse capabilities as in Amoeba
// (Tanenbaum, Mullender, van Renesse: Using Sparse Capabilities in a Distributed Operating System, 1986).
// Callers: anywhere; no state, no lock.
#ifndef CORE_CAP_H
#define CORE_CAP_H

#include "core/types.h"

// Returns the put-port P = F(G) = SipHash-2-4-128 under the key G of "rotifer-port" (Aumasson, Bernstein: SipHash,
// 2012). To find a G for a given P is to recover a key of SipHash from one message and its hash, and that this is hard
// is what keeps check fields from being forged too: docs/decisions.md.
struct port cap_put_port(struct port get_port);
// Returns the get-port derived from a secret, a label (what kind of service) and a name (which one), for services that
// must be found again from the ring key alone: BLAKE2b (RFC 7693) keyed with the secret, over the label with its final
// zero and the name without; the first 16 bytes.
struct port cap_derive(const uint8_t secret[32], const char *label, const char *name);
// Fills in the check field of c, whose port and obj_rights are there: SipHash-2-4-128(key, port || obj_rights), first
// 96 bits (Aumasson, Bernstein: SipHash, 2012).
void cap_sign(struct cap *c, const uint8_t key[16]);
// Is c genuine under the object's key, and does it have all the rights in `need` (RIGHT_* bits)? Returns 0, or E_CAP:
// the check field does not fit; E_RIGHTS: a bit of `need` is missing. The check field is looked at first and whole, so
// that neither the answer nor the time tells how much of a forged one was right.
int cap_verify(const struct cap *c, const uint8_t key[16], uint32_t need);
// Returns the capability, signed with key, for object number obj (0..CAP_OBJ_MAX) of the service of put_port, with
// these rights (RIGHT_* bits). What goes beyond obj's 24 bits, or the rights' 8, is cut off.
struct cap cap_make(struct port put_port, uint32_t obj, uint32_t rights, const uint8_t key[16]);

#endif
