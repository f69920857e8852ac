// SPDX-License-Identifier: BSD-2-Clause
// Capabilities: hashing by libsodium. Words of ports and check fields are the hash's bytes, little endian, as in memory
// and on the wire.
#include "core/cap.h"

#include "core/error.h"

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_shorthash_siphash24.h>
#include <sodium/utils.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ports are hashed as they lie in memory");
#define SIGNED_BYTES offsetof(struct cap, check)
_Static_assert(SIGNED_BYTES == 20, "the check field covers port, object number and rights");

#define PORT_LABEL "rotifer-port" // hashed without its final zero

static struct port hash_final(crypto_generichash_blake2b_state *state)
{
    uint8_t hash[crypto_generichash_blake2b_BYTES_MAX];
    struct port p;
    crypto_generichash_blake2b_final(state, hash, sizeof hash);
    memcpy(&p, hash, sizeof p);
    sodium_memzero(hash, sizeof hash);
    sodium_memzero(state, sizeof *state);
    return p;
}

static void hash_add(crypto_generichash_blake2b_state *state, const void *bytes, size_t len)
{
    crypto_generichash_blake2b_update(state, bytes, len);
}

struct port cap_put_port(struct port get_port)
{
    struct port p;
    _Static_assert(sizeof p == crypto_shorthash_siphashx24_BYTES, "a port is a whole hash");
    _Static_assert(sizeof get_port == crypto_shorthash_siphashx24_KEYBYTES, "and a whole key");
    crypto_shorthash_siphashx24((unsigned char *)&p, (const unsigned char *)PORT_LABEL, sizeof PORT_LABEL - 1,
                                (const unsigned char *)&get_port);
    return p;
}

struct port cap_derive(const uint8_t secret[32], const char *label, const char *name)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, secret, 32, crypto_generichash_blake2b_BYTES_MAX);
    // With its final zero: "ab" "c" and "a" "bc" must not meet.
    hash_add(&state, label, strlen(label) + 1);
    hash_add(&state, name, strlen(name));
    return hash_final(&state);
}

static void check_field(const struct cap *c, const uint8_t key[16], uint32_t check[3])
{
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];
    crypto_shorthash_siphashx24(hash, (const uint8_t *)c, SIGNED_BYTES, key);
    memcpy(check, hash, sizeof((struct cap *)0)->check);
}

void cap_sign(struct cap *c, const uint8_t key[16])
{
    check_field(c, key, c->check);
}

int cap_verify(const struct cap *c, const uint8_t key[16], uint32_t need)
{
    uint32_t check[3];
    check_field(c, key, check);
    if (sodium_memcmp(check, c->check, sizeof check) != 0)
        return -E_CAP;
    return (cap_rights(c) & need) == need ? 0 : -E_RIGHTS;
}

struct cap cap_make(struct port put_port, uint32_t obj, uint32_t rights, const uint8_t key[16])
{
    struct cap c = {.port = put_port, .obj_rights = (obj & CAP_OBJ_MAX) << 8 | (rights & RIGHT_ALL)};
    cap_sign(&c, key);
    return c;
}
