// SPDX-License-Identifier: BSD-2-Clause
// A server that does nothing itself: every request goes on to another one, which answers the client. All are run with
// the same --meet.
//
//   front NAME TARGET [TIMES]     serves NAME in the directory by forwarding to TARGET; ends after TIMES requests
#include <stdio.h>
#include <stdlib.h>

#include "guest/lib/rotifer.h"

int main(int argc, char **argv)
{
    struct cap target, own;
    struct port put;
    uint8_t key[CAP_KEY_BYTES];
    static uint8_t buffer[256 * 1024]; // as long as the longest request: the bytes come here too
    struct request req;
    if (argc < 3)
        return 2;
    int64_t e = dir_lookup(NULL, argv[2], &target);
    int64_t handle = port_listen(port_random(), &put);
    if (e < 0 || handle < 0)
        return 1;
    sys_random(key, sizeof key);
    own = cap_make(put, 0, RIGHT_READ, key);
    if (dir_enter(NULL, argv[1], &own) < 0)
        return 1;
    printf("front: %s ready, forwards to %s\n", argv[1], argv[2]);
    unsigned long times = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, done = 0;
    for (;;) {
        e = getreq(1ull << handle, buffer, sizeof buffer, 0, &req);
        if (e == 0 && (e = request_check(&req, put, key, RIGHT_READ)) < 0)
            e = putrep(e, NULL, 0, NULL);
        else if (e == 0)
            e = forward(&target, req.op, req.args);
        if (e < 0) {
            printf("front: %s\n", error_string(e));
            return 1;
        }
        if (++done == times) {
            printf("front: %lu forwarded\n", done);
            dir_remove(NULL, argv[1]);
            return 0;
        }
    }
}
