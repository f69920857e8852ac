// SPDX-License-Identifier: BSD-2-Clause
// Frames from a hostile neighbour, several in a row, to a node that serves a port and has a call of its own open.
// Whatever comes: nothing but well-formed frames goes out, few for each that came in, and when the neighbour falls
// silent all of it is forgotten, by timers alone, to the last page (mechanisms.md row 22).
//
// An input is a row of frames, each a header and as many bytes as it says (or as are left). Random bytes do not guess
// endpoints, so the number 1 stands for this node's, and the port {1, 1} for the one it serves. The tag, which nothing
// reads yet, says what happens around the frame: [0] time that passes after it in 20 ms, [1] link, [2] what the node
// itself does before (enum deed).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/host/host.h"
#include "core/cap.h"
#include "core/life.h"
#include "core/panic.h"
#include "core/task.h"
#include "net/net.h"
#include "net/nodes.h"
#include "net/place.h"
#include "test/fuzz/fuzz.h"

#define ME ((ep_t)1)
#define STUNNED ((ep_t)4) // a process here that was stopped
#define GONE ((ep_t)3)    // one that was here
#define OTHER ((ep_t)66)  // another node

enum deed { DEED_LINK = 1, DEED_ECHO, DEED_MOVED, DEED_NODES, DEED_DEEDS };
#define NODE_PAGES 96
#define NLINKS 3
#define SENT_FOR_ONE_MAX 80 // out of all links: two calls' windows and a flood
#define BUFFER 20000
#define QUIET_NS (300 * NS_PER_S)
#define EVENTS_MAX 20000

static const char *failure;
static uint64_t now_ns, sent;
static struct port served; // put-port
static uint8_t server_buf[BUFFER], client_buf[BUFFER];

static void fail(const char *what)
{
    if (!failure)
        failure = what;
}

static uint64_t clock_of_test(struct node *n)
{
    (void)n;
    return now_ns;
}
static void no_log(struct node *n, const char *line)
{
    (void)n, (void)line;
}

static void check_and_drop(struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    uint64_t len = 0;
    volatile uint8_t touch = 0;
    for (unsigned i = 0; i < npieces; len += p[i++].len)
        for (size_t k = 0; k < p[i].len; k += 512)
            touch ^= ((const uint8_t *)p[i].ptr)[k];
    const char *bad = wire_check(h, len);
    if (bad)
        fail(bad);
    if (len > l->payload_max)
        fail("sent more than the link carries");
    sent++;
}

// --- The node's own life: one server, one caller ---------------------------------------------------

static void server(struct node *n, void *arg)
{
    struct task_request q;
    struct buf buf = buf_kernel(server_buf, sizeof(server_buf));
    int handle = task_listen(n, *(const struct port *)arg, &served);
    ASSERT(handle >= 0);
    for (;;)
        if (task_getreq(n, 1ull << handle, buf, 0, &q) == 0) // replies of many lengths, long ones too
            task_putrep(n, 0, q.arg, buf_kernel(server_buf, q.arg[0] % BUFFER));
}

static void caller(struct node *n, void *arg)
{
    const struct cap cap = {.port = {{2, 2}}};
    const uint64_t args[4] = {0};
    struct buf req = buf_kernel(client_buf, 9000), rep = buf_kernel(client_buf, sizeof(client_buf));
    for (int i = 0; i < 3; i++)
        task_trans(n, &cap, 7, args, req, rep, 20000, NULL);
    for (;;)
        task_wait(n, arg);
}

// --- Frames ----------------------------------------------------------------------------------------

static void translate(struct node *n, struct wire_hdr *h)
{
    ep_t me = node_ep(n);
    ep_t *eps[] = {&h->src_node, &h->dst_node, &h->src_ep, &h->dst_ep, &h->arg[0], &h->arg[1]};
    for (size_t i = 0; i < sizeof(eps) / sizeof(eps[0]); i++)
        if (*eps[i] == ME)
            *eps[i] = me;
    if (h->cap.port.w[0] == 1 && h->cap.port.w[1] == 1)
        h->cap.port = served;
}

static void run_ready(struct node *n)
{
    host_node_enter(n);
    for (unsigned steps = 0; host_node_step(n); steps++)
        if (steps > EVENTS_MAX) {
            fail("the node never comes to rest");
            return;
        }
}

static void pass_time(struct node *n, uint64_t until_ns)
{
    unsigned events = 0;
    for (uint64_t at = host_node_deadline(n); at <= until_ns; at = host_node_deadline(n)) {
        now_ns = at > now_ns ? at : now_ns;
        run_ready(n);
        if (++events > EVENTS_MAX) {
            fail("timers that never end");
            break;
        }
    }
    now_ns = until_ns;
}

static void on_node(struct node *n, void *arg, const struct net_node *who)
{
    (void)n, (void)arg;
    if (strlen(who->name) >= sizeof(who->name))
        fail("a name without an end");
}

static void do_deed(struct node *n, struct link *l, enum deed deed)
{
    switch (deed) {
    case DEED_LINK:
        l->up = !l->up;
        net_link_changed(n, l);
        break;
    case DEED_ECHO: link_echo(n, l, l->payload_max); break;
    case DEED_MOVED: place_set_moved(n, GONE, OTHER); break;
    case DEED_NODES:
        nodes_stop(n);
        nodes_ask(n, on_node, NULL);
        break;
    default: break;
    }
}

// Pieces as a driver cuts them: at page ends.
static void input_frame(struct node *n, struct link *l, const struct wire_hdr *h, const uint8_t *payload, size_t len)
{
    struct piece p[WIRE_PIECES_MAX];
    unsigned np = 0;
    for (size_t at = 0; at < len && np < WIRE_PIECES_MAX; np++) {
        size_t run = len - at < PAGE_SIZE ? len - at : PAGE_SIZE;
        p[np] = (struct piece){.ptr = (void *)(uintptr_t)(payload + at), .len = run};
        at += run;
    }
    uint64_t before = sent;
    host_node_enter(n);
    net_input(n, l, h, p, np, len);
    run_ready(n);
    if (sent - before > SENT_FOR_ONE_MAX)
        fail("one frame made it send too many");
}

static void input_all(struct node *n, struct link *links, const uint8_t *data, size_t size)
{
    struct wire_hdr h;
    while (size >= sizeof(h)) {
        memcpy(&h, data, sizeof(h));
        data += sizeof(h);
        size -= sizeof(h);
        size_t len = h.payload < size ? h.payload : size;
        if (len > WIRE_PAYLOAD_MAX)
            len = WIRE_PAYLOAD_MAX;
        translate(n, &h);
        struct link *l = &links[h.tag[1] % NLINKS];
        do_deed(n, l, h.tag[2] % DEED_DEEDS);
        input_frame(n, l, &h, data, len);
        data += len;
        size -= len;
        pass_time(n, now_ns + h.tag[0] * 20 * NS_PER_MS);
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct port get = {{11, 12}};
    struct host_options o = {.clock = clock_of_test, .seed = 7, .log = no_log};
    struct link links[NLINKS] = {0};
    failure = NULL;
    now_ns = 1000 * NS_PER_S;
    sent = 0;
    struct node *n = host_node_new("target", NODE_PAGES, &o);
    if (!n || net_init(n) < 0)
        return 1;
    for (unsigned i = 0; i < NLINKS; i++) {
        links[i] = (struct link){.name = "net", .mac = {2, 0, 0, 0, 0, (uint8_t)i}, .up = true, .send = check_and_drop};
        links[i].payload_max = i == 0 ? 1320 : WIRE_PAYLOAD_MAX;
        net_link_add(n, &links[i]);
    }
    struct proc *stopped = NULL;
    host_node_enter(n);
    task_spawn(n, "server", server, &get);
    task_spawn(n, "caller", caller, &get);
    run_ready(n);
    size_t pages = page_free_count(n);
    if (proc_create(n, STUNNED, &stopped) == 0)
        stopped->state = PROC_STUNNED;

    input_all(n, links, data, size);
    nodes_stop(n);
    host_node_enter(n);
    // What is kept for a stopped process (a frame said that it had called) is kept as long as it is stopped.
    if (stopped)
        proc_destroy(n, stopped, false);
    pass_time(n, now_ns + QUIET_NS);
    if (timer_next(n) != UINT64_MAX)
        fail("a timer is left after the silence");
    if (page_free_count(n) != pages)
        fail("a page is left after the silence");
    if (failure)
        printf("# %s\n", failure);
    net_fini(n);
    host_node_free(n);
    return failure != NULL;
}

// --- Seeds -----------------------------------------------------------------------------------------

static struct wire_hdr *frame(uint8_t *buf, enum wire_kind kind)
{
    struct wire_hdr *h = (struct wire_hdr *)(void *)buf;
    *h = (struct wire_hdr){.ethertype = 0xb588, .version = WIRE_VERSION, .kind = (uint8_t)kind, .limit = 8};
    h->path_payload = 1320;
    h->src_mac[0] = h->dst_mac[0] = 2;
    h->src_node = h->src_ep = 55;
    h->dst_node = h->dst_ep = ME;
    h->tid = h->seq = 1;
    return h;
}

static size_t fragments(uint8_t *buf, enum wire_kind kind, uint64_t total, uint32_t frag)
{
    size_t at = 0;
    for (uint64_t off = 0; off < total || off == 0; off += frag) {
        struct wire_hdr *h = frame(buf + at, kind);
        h->cap.port = (struct port){{1, 1}};
        h->tid = kind == WIRE_REPLY ? 2 : 1;
        h->arg[0] = 5000; // length of the reply
        h->total = total;
        h->offset = off;
        h->frag = frag;
        h->payload = total - off < frag ? (uint32_t)(total - off) : frag;
        at += sizeof(*h) + h->payload;
        memset((uint8_t *)(h + 1), 'x', h->payload);
    }
    return at;
}

static size_t about(uint8_t *buf, enum wire_kind kind, uint32_t op, ep_t a, ep_t b)
{
    struct wire_hdr *h = frame(buf, kind);
    h->op = op;
    h->arg[0] = a;
    h->arg[1] = b;
    h->cap.port = (struct port){{op == LOCATE_PORT ? 2 : 0, op == LOCATE_PORT ? 2 : 0}};
    if (kind == WIRE_LOCATE) {
        h->dst_node = EP_NONE;
        memset(h->dst_mac, 0xff, sizeof(h->dst_mac));
    }
    return sizeof(*h);
}

// The whole of the caller's transaction: where the port is, take it all, the reply.
static size_t whole_call(uint8_t *buf)
{
    size_t at = about(buf, WIRE_HEREIS, LOCATE_PORT, 56, 0);
    struct wire_hdr *ack = frame(buf + at, WIRE_REQUEST_ACK);
    ack->tid = 2;
    ack->src_ep = 56;
    ack->frag = 1320;
    ack->offset = 1320 * 4;
    ack->mask = 6;
    at += sizeof(*ack);
    size_t reply = at;
    at += fragments(buf + at, WIRE_REPLY, 3000, 1320);
    for (struct wire_hdr *h; reply < at; reply += sizeof(*h) + h->payload) {
        h = (struct wire_hdr *)(void *)(buf + reply);
        h->src_ep = 56;
    }
    return at;
}

// The port's server answers, but not with a reply; the port is asked for, and the server gone.
static size_t refused_call(uint8_t *buf, enum wire_kind kind, uint32_t op)
{
    size_t at = about(buf, WIRE_HEREIS, LOCATE_PORT, 56, 0);
    struct wire_hdr *h = frame(buf + at, kind);
    h->tid = 2;
    h->src_ep = 56;
    h->op = op;
    h->arg[0] = 56;
    h->arg[1] = kind == WIRE_MOVED ? OTHER : WIRE_REQUEST;
    h->flags = kind == WIRE_REQUEST_ACK ? WIRE_FLAG_WAIT : 0;
    h->tag[0] = 50;
    return at + sizeof(*h);
}

// A node makes itself known on one link; a frame for it comes in on another.
static size_t transit(uint8_t *buf)
{
    size_t at = about(buf, WIRE_LOCATE, LOCATE_EP, 77, 0);
    struct wire_hdr *h = (struct wire_hdr *)(void *)buf;
    h->src_node = h->src_ep = OTHER;
    h->src_mac[1] = 1;
    h->tag[1] = 1;
    h = frame(buf + at, WIRE_REPLY);
    h->dst_node = OTHER;
    return at + sizeof(*h);
}

static size_t with_deed(uint8_t *buf, enum deed deed, size_t len)
{
    ((struct wire_hdr *)(void *)buf)->tag[2] = (uint8_t)deed;
    return len;
}

static size_t request_to(uint8_t *buf, ep_t ep, enum deed deed)
{
    size_t len = fragments(buf, WIRE_REQUEST, 1000, 1320);
    ((struct wire_hdr *)(void *)buf)->dst_ep = ep;
    return with_deed(buf, deed, len);
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    if (max < 64 * KIB)
        return 0;
    switch (i) {
    case 0: return fragments(buf, WIRE_REQUEST, 0, 1320);
    case 1: return fragments(buf, WIRE_REQUEST, 1000, 1320);
    case 2: return fragments(buf, WIRE_REQUEST, 5000, 1320);
    case 3: return fragments(buf, WIRE_REQUEST, 19000, 4096);
    case 4: return whole_call(buf);
    case 5: return about(buf, WIRE_LOCATE, LOCATE_EP, ME, 0);
    case 6: return about(buf, WIRE_LOCATE, LOCATE_PORT, 0, 0);
    case 7: return about(buf, WIRE_LOCATE, LOCATE_NODES, 0, 0);
    case 8: return about(buf, WIRE_HEREIS, LOCATE_EP, 77, 0);
    case 9: return about(buf, WIRE_MOVED, 0, 56, 66);
    case 10: return about(buf, WIRE_NOTHERE, NOTHERE_EP, 56, WIRE_REQUEST);
    case 11: return about(buf, WIRE_NOTHERE, NOTHERE_TXN, 56, WIRE_REQUEST);
    case 12: return about(buf, WIRE_ECHO, 0, 0, 0);
    case 13: return about(buf, WIRE_ECHO_BACK, 0, 0, 0);
    case 14: return about(buf, WIRE_REPLY_ACK, 0, 0, 0);
    case 15: return with_deed(buf, DEED_ECHO, about(buf, WIRE_ECHO_BACK, 0, 0, 0));
    case 16: return with_deed(buf, DEED_LINK, about(buf, WIRE_REPLY_ACK, 0, 0, 0));
    case 17: return with_deed(buf, DEED_NODES, about(buf, WIRE_HEREIS, LOCATE_NODES, 0, 0));
    case 18: return with_deed(buf, DEED_MOVED, about(buf, WIRE_LOCATE, LOCATE_EP, GONE, 0));
    case 19: return request_to(buf, GONE, DEED_MOVED);
    case 20: return request_to(buf, STUNNED, 0);
    case 21: return request_to(buf, EP_NONE, 0);
    case 22: return transit(buf);
    case 23: return refused_call(buf, WIRE_REQUEST_ACK, 0);
    case 24: return refused_call(buf, WIRE_MOVED, 0);
    case 25: return refused_call(buf, WIRE_NOTHERE, NOTHERE_PORT);
    case 26: return refused_call(buf, WIRE_NOTHERE, NOTHERE_TXN);
    default: return 0;
    }
}
