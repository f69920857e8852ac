// SPDX-License-Identifier: BSD-2-Clause
// The services of this image, started and stopped in order: the list is SERVICES_ALL in mk/services.mk,
// unless make was given another (SERVICES=...).
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/panic.h"
#include "services/service_priv.h"
#include "services/shell/shell.h"

#ifndef SERVICES
#error "SERVICES: SERVICE(dir) SERVICE(seg) ...; see mk/services.mk"
#endif

#define SERVICE(name) {#name, name##_service_start, name##_service_stop},
static const struct {
    const char *name;
    int (*start)(struct node *n);
    void (*stop)(struct node *n);
} list[] = {SERVICES};

#define COUNT (sizeof list / sizeof list[0])
_Static_assert(COUNT <= SERVICES_MAX, "each is one entry of dispatcher.running");

// Of an image without the process service, which has more to say.
static const struct policy policy_inline = {.inline_call = service_inline};

int services_start(struct node *n)
{
    ASSERT(!n->services);
    struct dispatcher *d = page_alloc(n);
    if (!d)
        return -E_MEM;
    n->services = &d->services;
    d->policy_before = n->policy;
    n->policy = &policy_inline;
    pool_init(&d->pool_worker, "worker", sizeof(struct worker));
    for (size_t i = 0; i < COUNT; i++) {
        d->started++; // before the start: what a failed start took is for its stop to free
        int e = list[i].start(n);
        if (e < 0) {
            node_log(n, "service %s: %s", list[i].name, error_string(e));
            services_stop(n);
            return e;
        }
    }
    return 0;
}

// All tasks end first: they use what the services hold.
void services_stop(struct node *n)
{
    if (!n->services)
        return;
    struct dispatcher *d = dispatcher_of(n);
    n->policy = d->policy_before;
    service_close_all(n);
    for (size_t i = d->started; i-- > 0;)
        list[i].stop(n);
    service_state_free(n);
    page_drop(n, d);
    n->services = NULL;
}

int shell_open(struct node *n)
{
    return n->services->shell_open ? n->services->shell_open(n) : -E_NOTHERE;
}

bool services_have(const struct node *n, const char *name)
{
    for (size_t i = 0; n->services && i < dispatcher_of(n)->started; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}
