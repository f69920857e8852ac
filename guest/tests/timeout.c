// SPDX-License-Identifier: BSD-2-Clause
// A transaction with a time-out to a server of this process whose buffer goes away while it waits: the server's getreq
// ends with E_FAULT, the request is put back into the queue, nobody fetches it, and the time-out must come all the
// same.
#include <stdio.h>

#include "guest/lib/rotifer.h"

static int64_t handle, buffer;
static _Atomic int64_t received = 1;

static void *server(void *unused)
{
    struct request req;
    (void)unused;
    received = getreq(1ul << handle, (void *)buffer, 4096, 0, &req);
    return NULL;
}

int main(void)
{
    struct port put;
    uint8_t key[CAP_KEY_BYTES] = {0}, bytes[100] = {0};
    handle = port_listen(port_random(), &put);
    buffer = sys_map(0, 4096, MAP_READ | MAP_WRITE);
    struct cap cap = cap_make(put, 0, RIGHT_ALL, key);
    struct thread *t = thread_create(server, NULL, 0);
    sleep_ms(50); // it waits now; if it does not yet, its getreq fails at once, which is as good
    sys_unmap((uint64_t)buffer);
    int64_t result = trans_timeout(&cap, 1, NULL, bytes, sizeof bytes, NULL, 0, 300, NULL);
    thread_join(t);
    printf("timeout: getreq %s, trans %s\n", error_name(received), error_name(result));
    return !(received == -E_FAULT && result == -E_TIMEOUT);
}
