// SPDX-License-Identifier: BSD-2-Clause
// The services of this image. Features are files in this list.
#include "services/services_priv.h"

static const struct {
    const char *name;
    int (*start)(struct node *n);
    void (*stop)(struct node *n);
} list[] = {
    {"dir", dir_service_start,
     dir_service_stop}, // first: the others enter their capabilities into it
    {"seg", seg_service_start, seg_service_stop},
    {"console", console_service_start, console_service_stop},
    {"node", node_service_start, node_service_stop},
    {"store", store_service_start, store_service_stop},
    {"proc", proc_service_start, proc_service_stop},
    {"shell", shell_service_start, shell_service_stop}, // starts nothing before shell_open
};
#define SERVICES (sizeof list / sizeof list[0])
_Static_assert(SERVICES <= SERVICES_MAX, "each is one entry of services.running");

int services_start(struct node *n)
{
    struct services *sv = page_alloc(n);
    if (!sv)
        return -E_MEM;
    sv->node = n;
    n->services = sv;
    n->here = service_here;
    pool_init(&sv->pool_worker, "worker", sizeof(struct worker));
    for (size_t i = 0; i < SERVICES; i++) {
        sv->started++; // now, not after: what a failed start took is for its stop to give back
        int e = list[i].start(n);
        if (e < 0) {
            node_log(n, "service %s: %s", list[i].name, error_string(e));
            services_stop(n);
            return e;
        }
    }
    return 0;
}

// Tasks go first, all of them: they use what the services hold.
void services_stop(struct node *n)
{
    if (!n->services)
        return;
    n->here = NULL;
    service_close_all(n);
    for (size_t i = n->services->started; i-- > 0;)
        list[i].stop(n);
    page_drop(n, n->services);
    n->services = NULL;
}
