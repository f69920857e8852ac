// SPDX-License-Identifier: BSD-2-Clause
// Capabilities for servers written as guests. The check field is computed as the kernel's services do it (core/cap.h):
// SipHash-2-4-128 (Aumasson, Bernstein 2012) keyed with the object's secret.
#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_shorthash_siphash24.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

_Static_assert(CAP_KEY_BYTES == crypto_shorthash_siphashx24_KEYBYTES, "libsodium wants keys of this length");

#define SIGNED_BYTES offsetof(struct cap, check) // port and obj_rights
_Static_assert(SIGNED_BYTES == 20, "what is signed here is what core/cap.c signs");

static void compute_check(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES], uint32_t check[3])
{
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];
    crypto_shorthash_siphashx24(hash, (const uint8_t *)cap, SIGNED_BYTES, key);
    memcpy(check, hash, sizeof cap->check);
}

struct cap cap_make(struct port put_port, uint32_t obj, uint32_t rights, const uint8_t key[CAP_KEY_BYTES])
{
    struct cap cap = {.port = put_port, .obj_rights = obj << 8 | (rights & RIGHT_ALL)};
    compute_check(&cap, key, cap.check);
    return cap;
}

// --- What was found genuine ----------------------------------------------------------------------
// A server sees the same few capabilities again and again. The hash of one costs 500 instructions;
// to see that it was found genuine before, under the same key, costs 40. Entries are compared whole,
// so an entry that another one replaced, or a key that was changed, means a hash and nothing else.
// Each thread has its own: no lock.

#define GENUINE 8

static _Thread_local struct genuine {
    struct cap cap;
    uint64_t key[2];
} genuine[GENUINE];

static inline void load_key(uint64_t to[2], const uint8_t key[CAP_KEY_BYTES])
{
    if ((uintptr_t)key % sizeof to[0] == 0) {
        const uint64_t *words = (const uint64_t *)(const void *)key;
        to[0] = words[0];
        to[1] = words[1];
    } else {
        memcpy(to, key, CAP_KEY_BYTES);
    }
}

// All words are compared whatever the first says: time must not tell how much of a guess was right.
static inline bool same(const struct genuine *g, const struct cap *cap, const uint64_t key[2])
{
    uint64_t differ = (g->cap.port.w[0] ^ cap->port.w[0]) | (g->cap.port.w[1] ^ cap->port.w[1]) | (g->key[0] ^ key[0]) |
                      (g->key[1] ^ key[1]);
    uint32_t half = (g->cap.obj_rights ^ cap->obj_rights) | (g->cap.check[0] ^ cap->check[0]) |
                    (g->cap.check[1] ^ cap->check[1]) | (g->cap.check[2] ^ cap->check[2]);
    return (differ | half) == 0;
}

static bool hash_fits(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES])
{
    uint32_t check[3];
    compute_check(cap, key, check);
    uint32_t wrong = 0;
    for (int i = 0; i < 3; i++)
        wrong |= check[i] ^ cap->check[i];
    return wrong == 0;
}

static inline int64_t check(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES], uint32_t need)
{
    uint64_t words[2];
    load_key(words, key);
    struct genuine *g = &genuine[(cap->obj_rights ^ cap->obj_rights >> 8) % GENUINE];
    if (!same(g, cap, words)) {
        if (!hash_fits(cap, key))
            return -E_CAP;
        *g = (struct genuine){*cap, {words[0], words[1]}};
    }
    return (cap_rights(cap) & need) == need ? 0 : -E_RIGHTS;
}

int64_t cap_check(const struct cap *cap, const uint8_t key[CAP_KEY_BYTES], uint32_t need)
{
    return check(cap, key, need);
}

int64_t request_check(const struct request *req, struct port put_port, const uint8_t key[CAP_KEY_BYTES], uint32_t need)
{
    struct cap cap = {
        .port = put_port,
        .obj_rights = req->obj_rights,
        .check = {req->check[0], req->check[1], req->check[2]},
    };
    return check(&cap, key, need);
}

// --- Standard operations ---------------------------------------------------------------------------

static int64_t ask_cap(const struct cap *cap, uint32_t op, uint64_t word, struct cap *out)
{
    const uint64_t args[4] = {word};
    struct trans_result result;
    struct cap answer;
    int64_t status = trans(cap, op, args, NULL, 0, &answer, sizeof answer, &result);
    if (status < 0)
        return status;
    if (result.reply_len != sizeof answer)
        return -E_FORMAT;
    *out = answer;
    return 0;
}

int64_t cap_restrict(const struct cap *cap, uint32_t keep, struct cap *out)
{
    return ask_cap(cap, OP_RESTRICT, keep, out);
}

int64_t cap_rotate(const struct cap *cap, struct cap *out)
{
    return ask_cap(cap, OP_ROTATE, 0, out);
}

int64_t cap_destroy(const struct cap *cap)
{
    return trans(cap, OP_DESTROY, NULL, NULL, 0, NULL, 0, NULL);
}

#define TEXT_MAX ((size_t)256 * 1024) // of a process with 4,096 threads that tells its status

static int64_t ask_text(const struct cap *cap, uint32_t op, char *text, size_t size)
{
    struct trans_result result;
    if (size == 0)
        return -E_ARG;
    // A text longer than the buffer would be E_TOOBIG, and nothing of it be seen: it is received whole, and cut.
    char *all = size < TEXT_MAX ? malloc(TEXT_MAX) : text;
    if (!all)
        return -E_MEM;
    int64_t status = trans(cap, op, NULL, NULL, 0, all, TEXT_MAX - 1, &result);
    size_t len = status < 0 ? 0 : result.reply_len < size ? result.reply_len : size - 1;
    if (all != text) {
        memcpy(text, all, len);
        free(all);
    }
    text[len] = 0;
    return status < 0 ? status : (int64_t)len;
}

int64_t cap_info(const struct cap *cap, char *text, size_t size)
{
    return ask_text(cap, OP_INFO, text, size);
}

int64_t cap_status(const struct cap *cap, char *text, size_t size)
{
    return ask_text(cap, OP_STATUS, text, size);
}

struct port port_random(void)
{
    struct port port;
    sys_random(&port, sizeof port);
    return port;
}
