// SPDX-License-Identifier: BSD-2-Clause
// What a fuzz target gives to test/fuzz/driver.c.
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

// Feeds one input; keeps nothing from one to the next, so that each can be replayed alone. Returns 0; anything else is
// a failure, as is a sanitizer's report or a panic. Whoever finds one prints what it was.
int fuzz_one(const uint8_t *data, size_t size);
// Copies well-formed input number i into buf and returns its length (<= max); 0: there is no such number.
size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max);

#endif
