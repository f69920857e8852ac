// SPDX-License-Identifier: BSD-2-Clause
#include "tools/find.h"
#include "core/error.h"
#include "core/node.h"
#include "core/task.h"
#include "net/net.h"
#include "services/dir.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// --- Nodes ------------------------------------------------------------------------------------------

#define ASK_AGAIN_NS (400 * NS_PER_MS)
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
    return c ? c : strcmp(x->name, y->name);
}

// How many nodes have answered of those that `ring up` started.
static bool all_have_answered(unsigned expected)
{
    unsigned ring = 0;
    for (unsigned i = 0; i < known.count; i++)
        ring += !find_is_command(known.node[i].name);
    return expected && ring >= expected;
}

static unsigned expected_nodes(void)
{
    struct ring_state s;
    if (!rundir_enter())
        return 0;
    bool up = ring_state_read(&s);
    rundir_leave();
    return up ? s.nodes + 1 : 0; // and the host daemon
}

unsigned find_nodes(struct node *n, struct found_node out[FIND_NODES_MAX])
{
    unsigned expected = expected_nodes();
    uint64_t start = node_now(n), asked = 0;
    known.count = 0;
    while (!all_have_answered(expected) && node_now(n) - start < ASK_LIMIT_NS) {
        if (!asked || node_now(n) - asked > ASK_AGAIN_NS) {
            net_nodes_stop(n);
            net_nodes_ask(n, seen, NULL);
            asked = node_now(n);
        }
        task_sleep(n, LOOK_NS);
    }
    net_nodes_stop(n);
    qsort(known.node, known.count, sizeof known.node[0], by_name);
    memcpy(out, known.node, known.count * sizeof known.node[0]);
    return known.count;
}

const char *find_node_name(ep_t node)
{
    for (unsigned i = 0; i < known.count; i++)
        if (known.node[i].ep == node)
            return known.node[i].name;
    return "?";
}

// --- Services ---------------------------------------------------------------------------------------

int64_t find_service(struct node *n, const char *node, const char *service, struct cap *out)
{
    struct cap root = dir_root_cap(n->ring_key, node, RIGHT_READ);
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
    return s >= 0 && r.len != sizeof *out ? -E_FORMAT : s;
}

static void say_no_such_node(const char *node, const struct found_node *f, unsigned count)
{
    char list[512] = "";
    size_t at = 0;
    for (unsigned i = 0; i < count && at < sizeof list - 40; i++)
        if (!find_is_command(f[i].name))
            at += (size_t)snprintf(list + at, sizeof list - at, " %s", f[i].name);
    fail("no node called '%s' answers; these do:%s", node, list);
}

bool find_service_or_say(struct node *n, const char *node, const char *service, struct cap *out)
{
    static struct found_node f[FIND_NODES_MAX];
    unsigned count = find_nodes(n, f);
    bool there = false;
    for (unsigned i = 0; i < count; i++)
        there |= strcmp(f[i].name, node) == 0;
    if (!there) {
        say_no_such_node(node, f, count);
        return false;
    }
    int64_t s = find_service(n, node, service, out);
    if (s == -E_NAME && strcmp(service, "proc") == 0)
        fail("%s takes no processes: it has no processor for them", node);
    else if (s < 0)
        fail_error(s, "'%s' in the boot directory of %s", service, node);
    return s >= 0;
}

// --- Processes --------------------------------------------------------------------------------------

static unsigned list_node(struct node *n, const char *node, struct found_proc *out, unsigned room)
{
    struct cap c;
    struct task_result r;
    size_t size = FIND_PROCS_MAX * sizeof(struct proc_entry);
    struct proc_entry *list = malloc(size);
    int64_t s = list ? find_service(n, node, "proc", &c) : -E_MEM;
    if (s >= 0)
        s = task_trans(n, &c, OP_PROC_LIST, NULL, buf_none(), buf_kernel(list, size), FIND_TIMEOUT_MS, &r);
    unsigned count = 0;
    if (s < 0 && s != -E_NAME) // E_NAME: a node that runs no guests, such as the host daemon
        fail_error(s, "%s did not list its processes", node);
    else if (s >= 0)
        count = (unsigned)(r.len / sizeof *list);
    if (count > room)
        count = room;
    for (unsigned i = 0; i < count; i++) {
        out[i].e = list[i];
        out[i].e.name[sizeof list[i].name - 1] = 0;
        out[i].e.comment[sizeof list[i].comment - 1] = 0;
        snprintf(out[i].node, sizeof out[i].node, "%.31s", node);
    }
    free(list);
    return count;
}

static int by_node(const void *a, const void *b)
{
    const struct found_proc *x = a, *y = b;
    int c = strcmp(x->node, y->node);
    return c ? c : (x->e.pid > y->e.pid) - (x->e.pid < y->e.pid);
}

unsigned find_procs(struct node *n, const char *only_node, struct found_proc **out)
{
    static struct found_node f[FIND_NODES_MAX];
    struct found_proc *all = calloc(FIND_PROCS_MAX, sizeof *all);
    unsigned count = 0, nodes = all ? find_nodes(n, f) : 0;
    for (unsigned i = 0; i < nodes; i++)
        if (only_node ? strcmp(f[i].name, only_node) == 0 : !find_is_command(f[i].name))
            count += list_node(n, f[i].name, all + count, FIND_PROCS_MAX - count);
    if (count)
        qsort(all, count, sizeof *all, by_node);
    *out = all;
    return count;
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

// Of two listings of one process that is moving, the one that is good for something.
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

bool find_proc(struct node *n, const char *what, struct found_proc *out)
{
    struct found_proc *all;
    const struct found_proc *hit = NULL;
    bool ambiguous = false;
    unsigned count = find_procs(n, NULL, &all);
    // A name goes before a number: "add" is also the beginning of a number.
    bool (*fits)(const struct found_proc *p, const char *what) = is_numbered;
    for (unsigned i = 0; i < count; i++)
        if (is_named(&all[i], what))
            fits = is_named;
    for (unsigned i = 0; i < count; i++) {
        if (!fits(&all[i], what) || all[i].e.state == PROC_DEAD)
            continue;
        if (hit && hit->e.ep != all[i].e.ep)
            ambiguous = true;
        if (!hit || better(&all[i], hit))
            hit = &all[i];
    }
    if (ambiguous)
        say_ambiguous(what, all, count, fits);
    else if (!hit)
        fail("no process is called '%s', and no number begins so. Try: rotifer ps", what);
    else
        *out = *hit;
    free(all);
    return hit && !ambiguous;
}
