// SPDX-License-Identifier: BSD-2-Clause
// What victim.c and shaker.c say to each other.
#ifndef GUEST_TESTS_VICTIM_H
#define GUEST_TESTS_VICTIM_H

// A victim's port, entered in the directory under its name.
enum victim_op {
    // arg: a, b, number of the client, its count of calls. res: a + b, a * b, the count.
    VICTIM_ADD = 128,
    // arg[0]: a byte to turn all others with, arg[2], arg[3] as above. request: bytes; reply: as many. res[0]: their
    // sum.
    VICTIM_TURN,
    VICTIM_QUIET, // no more calls to the other victim from now on. res[0]: threads that still make some
    VICTIM_STOP,  // the end: all threads finish, and it says what it has seen
};
#define VICTIM_CLIENTS 3
#define VICTIM_BYTES_MAX (700u * 1024) // more than two steps of a local copy

#endif
