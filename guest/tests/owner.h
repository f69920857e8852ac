// SPDX-License-Identifier: BSD-2-Clause
// What owned.c asks of owner.c.
#ifndef GUEST_TESTS_OWNER_H
#define GUEST_TESTS_OWNER_H

enum {
    OWNER_ADOPT = 128, // arg[0] = number of the process; request: what it is going to do
    OWNER_BACK,        // it is given back to the owner that it had
};
#define OWNER_PAGE 0x600000000ull // the page that the owner maps

#endif
