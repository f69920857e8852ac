// SPDX-License-Identifier: BSD-2-Clause
// The random numbers of a node: ports, keys, endpoints. ChaCha20 under a key that the world gives once (node->entropy)
// and that each draw replaces (fast key erasure; Bernstein, 2017): the first bytes of each keystream become the next
// key, and what is given out is wiped here. So a reader of the node's memory learns nothing about what was given
// before.
// Callers: node lock held.
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct node;

#define RANDOM_CHUNK 224 // output bytes of one draw; with the next key: four blocks of ChaCha20

struct random {
    uint8_t key[32];                         // [N] of the next draw
    uint64_t count;                          // [N] draws so far: the nonce
    _Alignas(8) uint8_t bytes[RANDOM_CHUNK]; // [N] drawn; the last `left` of them were not given out yet
    uint32_t left;                           // [N]
};

// Takes the first key from node->entropy. Callers: node_init.
void random_init(struct node *n);
// Wipes the key and what was drawn. Callers: node_fini.
void random_fini(struct node *n);

// Fills buf with len unpredictable bytes.
void node_random(struct node *n, void *buf, size_t len);
// Returns an unpredictable number that is never 0, which means "none" nearly everywhere.
uint64_t node_random64(struct node *n);

#endif
