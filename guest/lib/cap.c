// SPDX-License-Identifier: BSD-2-Clause
// Capabilities for servers written as guests. The check field is computed as the kernel's services
// do it (core/cap.h): SipHash-2-4-128 (Aumasson, Bernstein 2012) keyed with the object's secret.
#include <string.h>

#include <sodium/crypto_shorthash_siphash24.h>

#include "guest/lib/rotifer.h"

_Static_assert(CAP_KEY_BYTES == crypto_shorthash_siphashx24_KEYBYTES,
               "libsodium wants keys of this length");

#define SIGNED_BYTES offsetof(struct cap, check) // port and obj_rights

static void compute_check(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES],
                          uint32_t check[3])
{
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];
    crypto_shorthash_siphashx24(hash, (const uint8_t *)cap, SIGNED_BYTES, key);
    memcpy(check, hash, sizeof cap->check);
}

struct cap cap_make(struct port put_port, uint32_t obj, uint32_t rights,
                    const uint8_t key[CAP_KEY_BYTES])
{
    struct cap cap = {.port = put_port, .obj_rights = obj << 8 | (rights & RIGHT_ALL)};
    compute_check(&cap, key, cap.check);
    return cap;
}

int64_t cap_check(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES], uint32_t need)
{
    uint32_t check[3];
    compute_check(cap, key, check);
    // All words are compared whatever the first says: time must not tell how much of a guess was
    // right.
    uint32_t wrong = 0;
    for (int i = 0; i < 3; i++)
        wrong |= check[i] ^ cap->check[i];
    if (wrong)
        return -E_CAP;
    return (cap_rights(cap) & need) == need ? 0 : -E_RIGHTS;
}

int64_t request_check(const struct request *req, struct port put_port,
                      const uint8_t key[CAP_KEY_BYTES], uint32_t need)
{
    struct cap cap = {.port = put_port, .obj_rights = req->obj_rights};
    memcpy(cap.check, req->check, sizeof cap.check);
    return cap_check(&cap, key, need);
}

struct port port_random(void)
{
    struct port port;
    sys_random(&port, sizeof port);
    return port;
}
