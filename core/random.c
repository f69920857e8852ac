// SPDX-License-Identifier: BSD-2-Clause
// A node's random numbers: fast key erasure over ChaCha20.
#include "core/random.h"
#include "core/node.h"
#include "core/words.h"

#include <sodium/crypto_stream_chacha20.h>
#include <sodium/utils.h>
#include <string.h>

_Static_assert(sizeof((struct random *)0)->key == crypto_stream_chacha20_KEYBYTES, "");
_Static_assert(sizeof((struct random *)0)->count == crypto_stream_chacha20_NONCEBYTES, "");

static void draw(struct random *r)
{
    uint8_t stream[sizeof r->key + RANDOM_CHUNK];
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    r->count++;
    memcpy(nonce, &r->count, sizeof nonce);
    crypto_stream_chacha20(stream, sizeof stream, nonce, r->key);
    memcpy(r->key, stream, sizeof r->key);
    memcpy(r->bytes, stream + sizeof r->key, RANDOM_CHUNK);
    r->left = RANDOM_CHUNK;
    sodium_memzero(stream, sizeof stream);
}

// Moves bytes out and wipes them here, as the key is wiped that made them. Mostly they are aligned words.
static void give_out(uint8_t *to, uint8_t *from, size_t len)
{
    if ((((uintptr_t)to | (uintptr_t)from | len) & 7) == 0) {
        words_copy(to, from, len);
        words_clear(from, len);
    } else {
        memcpy(to, from, len);
        memset(from, 0, len);
    }
}

void random_init(struct node *n)
{
    n->entropy(n, n->random.key, sizeof n->random.key);
    n->random.count = n->random.left = 0;
}

void random_fini(struct node *n)
{
    sodium_memzero(&n->random, sizeof n->random);
}

void node_random(struct node *n, void *buf, size_t len)
{
    struct random *r = &n->random;
    uint8_t *to = buf;
    while (len > 0) {
        if (r->left == 0)
            draw(r);
        size_t run = len < r->left ? len : r->left;
        give_out(to, r->bytes + RANDOM_CHUNK - r->left, run);
        r->left -= (uint32_t)run;
        to += run, len -= run;
    }
}

uint64_t node_random64(struct node *n)
{
    uint64_t v;
    node_random(n, &v, sizeof v);
    return v ? v : 1;
}
