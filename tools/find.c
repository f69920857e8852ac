// SPDX-License-Identifier: BSD-2-Clause
// Names into nodes, capabilities and processes, by asking the ring: nothing is remembered from one command to the next.
#include "tools/find.h"
#include "core/error.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/task.h"
#include "core/text.h"
#include "net/net.h"
#include "net/nodes.h"
#include "services/dir.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// --- Nodes ------------------------------------------------------------------------------------------

#define ASK_AGAIN_NS (400 * NS_PER_MS) // a question or its answers may be lost, as any frame
#define ASK_LIMIT_NS (2 * NS_PER_S)
#define LOOK_NS (1 * NS_PER_MS)

static struct {
    unsigned count;
    struct found_node node[FIND_NODES_MAX];
} known;

static void seen(struct node *n, void *arg, const struct net_node *who)
{
    (void)n;
    (void)arg;
    for (unsigned i = 0; i < known.count; i++)
        if (known.node[i].ep == who->node)
            return;
    if (known.count == FIND_NODES_MAX)
        return;
    struct found_node *f = &known.node[known.count++];
    f->ep = who->node;
    f->hops = who->hops;
    snprintf(f->name, sizeof f->name, "%.31s", who->name);
}

bool find_is_command(const char *node_name)
{
    return strncmp(node_name, "cli-", 4) == 0;
}

static int by_name(const void *a, const void *b)
{
    const struct found_node *x = a, *y = b;
    int c = (int)find_is_command(x->name) - (int)find_is_command(y->name);
    return c ? c : strverscmp(x->name, y->name); // n2 before n10
}

static bool is_known(const char *name)
{
    for (unsigned i = 0; i < known.count; i++)
        if (strcmp(known.node[i].name, name) == 0)
            return true;
    return false;
}

// What `ring up` started; nothing when this ring was not started so.
static void read_started(struct ring_state *s)
{
    *s = (struct ring_state){.count = 0};
    if (rundir_enter())
        (void)ring_state_read(s);
    rundir_leave();
}

// A node whose process has ended, or is paused, is not waited for: it would take every command the whole time limit.
static bool all_have_answered(const struct ring_state *started)
{
    for (unsigned i = 0; i < started->count; i++) {
        const struct ring_process *p = &started->proc[i];
        if (ring_process_is_node(p) && !is_known(p->name) && process_alive(p) && !process_paused(p))
            return false;
    }
    return started->count > 0;
}

unsigned find_nodes(struct node *n, struct found_node out[FIND_NODES_MAX])
{
    struct ring_state started;
    uint64_t start = node_now(n), asked = 0;
    ASSERT(task_self(n)); // it sleeps between two looks
    read_started(&started);
    known.count = 0;
    while (!all_have_answered(&started) && node_now(n) - start < ASK_LIMIT_NS) {
        if (!asked || node_now(n) - asked > ASK_AGAIN_NS) {
            nodes_stop(n);
            nodes_ask(n, seen, NULL);
            asked = node_now(n);
        }
        task_sleep(n, LOOK_NS);
    }
    nodes_stop(n);
    qsort(known.node, known.count, sizeof known.node[0], by_name);
    memcpy(out, known.node, known.count * sizeof known.node[0]);
    return known.count;
}

bool find_all_answer(struct node *n)
{
    static struct found_node f[FIND_NODES_MAX];
    struct ring_state started;
    (void)find_nodes(n, f);
    read_started(&started);
    return all_have_answered(&started);
}

bool find_say_missing(void)
{
    struct ring_state started;
    bool missing = false;
    read_started(&started);
    for (unsigned i = 0; i < started.count; i++) {
        const struct ring_process *p = &started.proc[i];
        if (!ring_process_is_node(p) || is_known(p->name))
            continue;
        warn("%s does not answer%s. Try: rotifer ring status", p->name,
             !process_alive(p)   ? ": its process has ended"
             : process_paused(p) ? ": it is paused"
                                 : "");
        missing = true;
    }
    return missing;
}

// --- Services ---------------------------------------------------------------------------------------

int64_t find_service(struct node *n, const char *node, const char *service, struct cap *out)
{
    struct cap root = dir_root_cap(n->ring_key, node, RIGHT_ALL);
    struct task_result r;
    int64_t s = task_trans(n, &root, OP_DIR_LOOKUP, NULL, buf_kernel(service, strlen(service)),
                           buf_kernel(out, sizeof *out), FIND_TIMEOUT_MS, &r);
    if (s >= 0 && r.len != sizeof *out)
        return -E_FORMAT;
    return s < 0 ? s : 0;
}

int64_t find_status(struct node *n, const char *node, struct node_status *out)
{
    struct cap c;
    struct task_result r;
    int64_t s = find_service(n, node, "node", &c);
    if (s < 0)
        return s;
    s = task_trans(n, &c, OP_NODE_STATUS, NULL, buf_none(), buf_kernel(out, sizeof *out), FIND_TIMEOUT_MS, &r);
    if (s >= 0 && r.len != sizeof *out)
        return -E_FORMAT;
    for (size_t i = 0; s >= 0 && i < sizeof out->link / sizeof out->link[0]; i++)
        text_make_plain(out->link[i].name, strnlen(out->link[i].name, sizeof out->link[i].name));
    return s;
}

static int say_no_such_node(const char *node)
{
    char list[512] = "";
    size_t at = 0;
    for (unsigned i = 0; i < known.count && at < sizeof list - 40; i++)
        if (!find_is_command(known.node[i].name))
            at += (size_t)snprintf(list + at, sizeof list - at, " %s", known.node[i].name);
    return fail_as(EXIT_NOBODY, "no node called '%s' answers; these do:%s", node, list);
}

int find_service_or_say(struct node *n, const char *node, const char *service, struct cap *out)
{
    static struct found_node f[FIND_NODES_MAX];
    (void)find_nodes(n, f);
    if (!is_known(node))
        return say_no_such_node(node);
    int64_t s = find_service(n, node, service, out);
    if (s == -E_NAME && strcmp(service, "proc") == 0)
        return fail_as(EXIT_REFUSED, "%s takes no processes: it has no processor for them", node);
    return s < 0 ? fail_error(s, "'%s' in the boot directory of %s", service, node) : EXIT_OK;
}

// --- Processes --------------------------------------------------------------------------------------

// What is listed already, and what the lists that were not to be had make of the exit status.
struct listing {
    struct found_proc *proc; // room for FIND_PROCS_MAX
    unsigned count;
    int status;
};

static void add_entries(struct listing *l, const char *node, const struct proc_entry *list, size_t count)
{
    for (size_t i = 0; i < count && l->count < FIND_PROCS_MAX; i++) {
        struct found_proc *p = &l->proc[l->count++];
        p->e = list[i];
        p->e.name[sizeof p->e.name - 1] = 0;
        p->e.comment[sizeof p->e.comment - 1] = 0;
        text_make_plain(p->e.name, strlen(p->e.name));
        text_make_plain(p->e.comment, strlen(p->e.comment));
        snprintf(p->node, sizeof p->node, "%.31s", node);
    }
}

static void list_node(struct node *n, const char *node, struct listing *l)
{
    struct cap c;
    struct task_result r;
    size_t size = FIND_PROCS_MAX * sizeof(struct proc_entry);
    ASSERT(l->count <= FIND_PROCS_MAX);
    struct proc_entry *list = malloc(size);
    int64_t s = list ? find_service(n, node, "proc", &c) : -E_MEM;
    if (s >= 0)
        s = task_trans(n, &c, OP_PROC_LIST, NULL, buf_none(), buf_kernel(list, size), FIND_TIMEOUT_MS, &r);
    if (s >= 0)
        add_entries(l, node, list, r.len / sizeof *list);
    else if (s != -E_NAME) // E_NAME: a node that runs no guests, such as the host daemon
        l->status = fail_error(s, "%s did not list its processes", node);
    free(list);
}

static int by_node(const void *a, const void *b)
{
    const struct found_proc *x = a, *y = b;
    int c = strverscmp(x->node, y->node);
    return c ? c : (x->e.pid > y->e.pid) - (x->e.pid < y->e.pid);
}

int find_procs(struct node *n, const char *only_node, struct found_proc **out, unsigned *count)
{
    static struct found_node f[FIND_NODES_MAX];
    struct listing l = {.proc = calloc(FIND_PROCS_MAX, sizeof *l.proc), .status = EXIT_OK};
    unsigned nodes = l.proc ? find_nodes(n, f) : 0;
    *out = NULL;
    if (!l.proc)
        return fail("no memory for a list of processes");
    if (only_node && !is_known(only_node)) {
        free(l.proc);
        return say_no_such_node(only_node);
    }
    for (unsigned i = 0; i < nodes; i++)
        if (only_node ? strcmp(f[i].name, only_node) == 0 : !find_is_command(f[i].name))
            list_node(n, f[i].name, &l);
    qsort(l.proc, l.count, sizeof *l.proc, by_node);
    *out = l.proc;
    *count = l.count;
    return l.status;
}

static bool is_named(const struct found_proc *p, const char *what)
{
    return strcmp(p->e.name, what) == 0;
}

static bool is_numbered(const struct found_proc *p, const char *what)
{
    char hex[16];
    snprintf(hex, sizeof hex, "%06x", p->e.pid);
    if (strncmp(what, "0x", 2) == 0)
        what += 2;
    return what[0] && strncasecmp(hex, what, strlen(what)) == 0;
}

// Of two listings of one process that is moving, the one that is good for something: an order to the copy that is
// arriving would be refused, or would wait until the move is over.
static bool better(const struct found_proc *a, const struct found_proc *b)
{
    return a->e.state == PROC_RUN && b->e.state != PROC_RUN;
}

static void say_ambiguous(const char *what, const struct found_proc *all, unsigned count,
                          bool (*fits)(const struct found_proc *p, const char *what))
{
    fail("'%s' names more than one process; give the (or a longer) beginning of its number:", what);
    for (unsigned i = 0; i < count; i++)
        if (fits(&all[i], what))
            fprintf(stderr, "    %06x  %-16s on %s\n", all[i].e.pid, all[i].e.name, all[i].node);
}

// The best of those that `what` names; *ambiguous: it names different processes.
static const struct found_proc *best(const char *what, const struct found_proc *all, unsigned count, bool *ambiguous,
                                     bool (*fits)(const struct found_proc *p, const char *what))
{
    const struct found_proc *hit = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (!fits(&all[i], what) || all[i].e.state == PROC_DEAD)
            continue;
        *ambiguous |= hit && hit->e.ep != all[i].e.ep;
        if (!hit || better(&all[i], hit))
            hit = &all[i];
    }
    return hit;
}

int find_proc(struct node *n, const char *what, struct found_proc *out)
{
    struct found_proc *all;
    bool ambiguous = false;
    unsigned count;
    int status = find_procs(n, NULL, &all, &count);
    if (!all)
        return status;
    // A name goes before a number: "add" is also the beginning of a number.
    bool (*fits)(const struct found_proc *p, const char *what) = is_numbered;
    for (unsigned i = 0; i < count; i++)
        if (is_named(&all[i], what))
            fits = is_named;
    const struct found_proc *hit = best(what, all, count, &ambiguous, fits);
    ASSERT(hit || !ambiguous);
    status = ambiguous ? EXIT_USAGE : hit ? EXIT_OK : EXIT_NOBODY;
    if (ambiguous) {
        say_ambiguous(what, all, count, fits);
    } else if (hit) {
        *out = *hit;
    } else {
        fail("no process is called '%s', and no number begins so. Try: rotifer ps", what);
        (void)find_say_missing();
    }
    free(all);
    return status;
}
