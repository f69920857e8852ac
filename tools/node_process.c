// SPDX-License-Identifier: BSD-2-Clause
// Orders to a node's process: found by name in the ring's state.
#include "tools/node_process.h"
#include "core/panic.h"
#include "tools/json.h"
#include "tools/say.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static int find_and_act(const struct node_order *o, bool runs, struct ring_state *s,
                        int (*act)(struct ring_state *s, struct ring_process *p))
{
    struct ring_process *p = ring_process_named(s, o->node);
    if (!p || !ring_process_is_node(p))
        return fail_as(EXIT_NOBODY, "no node of this ring is called '%s'. Try: rotifer ring status", o->node);
    if (strcmp(p->name, HOST_NODE) == 0)
        return fail_as(EXIT_REFUSED,
                       "the host daemon is no QEMU, and all commands go through it. Try: rotifer ring down");
    if (runs && !process_alive(p))
        return fail_as(EXIT_NOBODY, "%s has ended. Try: rotifer node restart %s", p->name, p->name);
    return act(s, p);
}

int node_order_run(const struct node_order *o, bool runs, int (*act)(struct ring_state *s, struct ring_process *p))
{
    struct ring_state s;
    ASSERT(o->node);
    if (!rundir_path())
        return EXIT_FAILED;
    if (!rundir_enter())
        return fail_as(EXIT_NO_RING, "no ring is up in %s. Try: rotifer ring up", rundir_path());
    int status = EXIT_NO_RING;
    if (ring_state_take(&s)) {
        status = find_and_act(o, runs, &s, act);
        ring_state_let_go();
    }
    rundir_leave();
    return status;
}

bool node_has_ended(const struct ring_process *p)
{
    (void)waitpid(p->pid, NULL, WNOHANG); // when it is our child
    return !process_alive(p);
}

#define SIGNAL_MS 10000

int node_signal(const struct ring_process *p, int sig, bool (*done)(const struct ring_process *p))
{
    if (kill(p->pid, sig) != 0)
        return fail("cannot signal %s, process %d: %s", p->name, (int)p->pid, strerror(errno));
    for (unsigned ms = 0; ms < SIGNAL_MS; ms++) {
        if (done(p))
            return EXIT_OK;
        ring_nap(1);
    }
    return fail("%s, process %d, does not follow signal %d", p->name, (int)p->pid, sig);
}

void node_order_done(const struct node_order *o, const struct ring_process *p, const char *done)
{
    struct json j;
    if (!o->json) {
        printf("%s: %s\n", p->name, done);
        return;
    }
    json_begin(&j, stdout);
    json_object(&j, NULL);
    json_text(&j, "node", p->name);
    json_text(&j, "done", done);
    json_number(&j, "pid", (uint64_t)p->pid);
    json_close(&j);
    json_finish(&j);
}
