// SPDX-License-Identifier: BSD-2-Clause
// The seed of random numbers: a hash over all that is not the same on every machine and at every boot.
#include "boards/entropy.h"

#include <sodium/crypto_generichash_blake2b.h>

#include "arch/riscv/boot.h"
#include "core/panic.h"

#define SAMPLES 256
#define SEED_GOOD 16 // bytes of rng-seed that are enough

// Samples how long it takes to read the clock, which varies with caches and, on some boards, with the firmware.
static void mix_jitter(crypto_generichash_blake2b_state *s)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t sample[2] = {arch_ticks(), arch_cycles()};
        crypto_generichash_blake2b_update(s, (const unsigned char *)sample, sizeof sample);
    }
}

bool entropy_gather(const struct machine *m, void *buf, size_t len)
{
    crypto_generichash_blake2b_state s;
    ASSERT(len <= crypto_generichash_blake2b_BYTES_MAX && len >= crypto_generichash_blake2b_BYTES_MIN);
    crypto_generichash_blake2b_init(&s, NULL, 0, len);
    ASSERT(m->rng_seed_len <= sizeof m->rng_seed);
    crypto_generichash_blake2b_update(&s, m->rng_seed, m->rng_seed_len);
    crypto_generichash_blake2b_update(&s, (const unsigned char *)m->harts, sizeof m->harts);
    crypto_generichash_blake2b_update(&s, (const unsigned char *)m->bootargs, sizeof m->bootargs);
    mix_jitter(&s);
    crypto_generichash_blake2b_final(&s, buf, len);
    return m->rng_seed_len >= SEED_GOOD;
}
