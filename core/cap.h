// SPDX-License-Identifier: BSD-2-Clause
// Capabilities: the one-way function of ports and the check field. Pure functions; libsodium does the hashing. A
// service keeps a 16-byte secret key per object; to revoke, it draws a new one.
#ifndef CORE_CAP_H
#define CORE_CAP_H

#include "core/types.h"

// P = F(G) = SipHash-2-4-128 under the key G of "rotifer-port" (Aumasson, Bernstein: SipHash, 2012). Who finds a G for
// a given P has recovered a key of SipHash from one message and its hash, which is what keeps check fields from being
// forged too: docs/decisions.md.
struct port cap_put_port(struct port get_port);
// Get-port derived from a secret and a label, for services that must be found again from the ring key alone: BLAKE2b
// keyed with the secret over the label.
struct port cap_derive(const uint8_t secret[32], const char *label, const char *name);
// Fills in the check field: SipHash-2-4-128(key, port || obj_rights), first 96 bits (Aumasson, Bernstein: SipHash,
// 2012).
void cap_sign(struct cap *c, const uint8_t key[16]);
// 0, E_CAP when the check field does not fit, E_RIGHTS when a bit of `need` is missing (checked second).
int cap_verify(const struct cap *c, const uint8_t key[16], uint32_t need);
// Capability for an object, signed.
struct cap cap_make(struct port put_port, uint32_t obj, uint32_t rights, const uint8_t key[16]);

#endif
