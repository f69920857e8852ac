// SPDX-License-Identifier: BSD-2-Clause
// Capabilities for servers written as guests. The check field is computed as the kernel's services
// do it (core/cap.h): SipHash-2-4-128 (Aumasson, Bernstein 2012) keyed with the object's secret.
#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_shorthash_siphash24.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

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
    char *all = size < TEXT_MAX ? malloc(TEXT_MAX) : text;
    if (!all || size == 0)
        return size ? -E_MEM : -E_ARG;
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
