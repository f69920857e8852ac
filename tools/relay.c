// SPDX-License-Identifier: BSD-2-Clause
// The relay's process: frames in, what the rules and the faulty wires make of them, frames out; and its orders.
#include "tools/relay.h"
#include "core/config.h"
#include "core/panic.h"
#include "tools/pcapng.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 8u // commands that are connected
#define BATCH 32u      // frames of one way before the next has its turn

static struct relay {
    unsigned nodes, cables, ways;
    struct way way[WAYS_MAX];
    struct fault_settings cable[CABLES_MAX];
    struct frame_rule rule[RELAY_RULES_MAX];
    unsigned rules;
    struct frame_memory memory;
    bool settled; // no order and no rule has changed anything since settle()
    int control, client[CLIENTS_MAX];
    FILE *capture;
    uint64_t capture_frames, capture_bytes;
    char capture_name[RELAY_PATH_MAX], capture_error[64];
} relay;

static volatile sig_atomic_t ended;

static void on_end(int sig)
{
    (void)sig;
    ended = 1;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

// --- Where the relay is needed ----------------------------------------------------------------------------

// A rule that names nodes needs all cables: by the frames at their own devices it is known who is who.
static uint64_t cables_of_rule(const struct frame_rule *r)
{
    if (r->seen >= r->nth)
        return 0;
    return r->from == ANY_POSITION && r->to == ANY_POSITION ? r->cables : UINT64_MAX;
}

static bool needed(unsigned k)
{
    bool yes = relay.capture || fault_any(&relay.cable[k]) || relay.way[2 * k].cut || relay.way[2 * k + 1].cut;
    for (unsigned i = 0; i < relay.rules; i++)
        yes |= (cables_of_rule(&relay.rule[i]) >> k & 1) != 0;
    return yes;
}

// Moves into the cables where it is needed, and out of the others. False: it could not.
static bool settle(void)
{
    bool all = true;
    relay.settled = true;
    for (unsigned i = 0; i < relay.ways; i++) {
        bool in = needed(i / 2);
        if (relay.way[i].in != in)
            all &= way_set(&relay.way[i], in);
    }
    return all;
}

static void set_cut(unsigned way, bool cut)
{
    way_set_cut(&relay.way[way], cut);
    relay.settled = false;
}

// --- Captures ---------------------------------------------------------------------------------------------

static void end_capture(void)
{
    if (!relay.capture)
        return;
    bool failed = ferror(relay.capture) != 0;
    if (fclose(relay.capture) != 0 || failed)
        snprintf(relay.capture_error, sizeof relay.capture_error, "%.60s", strerror(errno));
    relay.capture = NULL;
    relay.settled = false;
}

static bool begin_capture(int fd)
{
    char link[64], a[POSITION_NAME], b[POSITION_NAME], name[32], what[64];
    relay.capture = fdopen(fd, "w");
    if (!relay.capture) {
        close(fd);
        return false;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, relay.capture_name, sizeof relay.capture_name - 1);
    relay.capture_name[len > 0 ? len : 0] = 0;
    relay.capture_error[0] = 0;
    relay.capture_frames = relay.capture_bytes = 0;
    pcapng_begin(relay.capture);
    for (unsigned i = 0; i < relay.ways; i++) {
        position_name(relay.way[i].names.from, a);
        position_name(relay.way[i].names.to, b);
        snprintf(name, sizeof name, "%s>%s", a, b);
        snprintf(what, sizeof what, "what %s sends to %s", a, b);
        pcapng_interface(relay.capture, name, what);
    }
    return true;
}

static void add(char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *fmt, ...)
{
    size_t at = strlen(text);
    va_list ap;
    if (at && at + 1 < size)
        text[at++] = ' ';
    va_start(ap, fmt);
    vsnprintf(text + at, size - at, fmt, ap);
    va_end(ap);
}

static void add_position(char *text, size_t size, const char *what, uint8_t position)
{
    char name[POSITION_NAME];
    if (position == ANY_POSITION)
        return;
    position_name(position, name);
    add(text, size, "%s %s", what, name);
}

// What the comment of a frame says: between which nodes it is, and what becomes of it.
static void write_frame(const struct way *w, const uint8_t *frame, size_t len, const struct frame_facts *f,
                        const struct fault_verdict *v, uint64_t now_ns)
{
    char text[PCAPNG_TEXT_MAX] = "";
    if (!relay.capture)
        return;
    add_position(text, sizeof text, "from", f->from);
    add_position(text, sizeof text, "to", f->to);
    if (w->cut)
        add(text, sizeof text, "cut");
    else if (v->copies == 0)
        add(text, sizeof text, "lost");
    else if (v->due_ns[0] > now_ns)
        add(text, sizeof text, "delayed %llu us", (unsigned long long)(v->due_ns[0] - now_ns) / 1000);
    if (!w->cut && v->copies == 2)
        add(text, sizeof text, "twice");
    if (!w->cut && v->copies && v->behind)
        add(text, sizeof text, "held back behind %u", v->behind);
    pcapng_frame(relay.capture, w->index, clock_ns(CLOCK_REALTIME), frame, len, text);
    relay.capture_frames++;
    relay.capture_bytes += len;
}

// Before the loop waits: a reader of the file sees all that has happened. A full disk ends the capture.
static void flush_capture(void)
{
    if (relay.capture && fflush(relay.capture) != 0)
        end_capture();
}

// --- Rules ------------------------------------------------------------------------------------------------

static void signal_node(uint8_t position, int sig)
{
    struct ring_state s;
    char name[POSITION_NAME];
    position_name(position, name);
    const struct ring_process *p = ring_state_read(&s) ? ring_process_named(&s, name) : NULL;
    if (p && process_alive(p))
        kill(p->pid, sig);
}

static void carry_out(const struct frame_rule *r, struct way *w, struct fault_verdict *v)
{
    unsigned cable = w->index / 2;
    if (r->what & RULE_KILL)
        signal_node(r->killed, SIGKILL);
    if (r->what & RULE_PAUSE)
        signal_node(r->paused, SIGSTOP);
    if (r->what & RULE_CUT) {
        set_cut(2 * cable, true);
        set_cut(2 * cable + 1, true);
    }
    if ((r->what & RULE_TWICE) && v->copies == 1)
        v->copies = 2;
    for (unsigned i = 0; i < 2 && (r->what & RULE_DELAY); i++)
        v->due_ns[i] += r->delay_ns;
    relay.settled = false; // the rule needs no cable any more
}

// All rules count every frame, whatever another one does to it. True: one of them drops it.
static bool apply_rules(struct way *w, const struct frame_facts *f, struct fault_verdict *v)
{
    bool dropped = false;
    for (unsigned i = 0; i < relay.rules; i++) {
        struct frame_rule *r = &relay.rule[i];
        if (!frame_rule_picks(r, w->index / 2, f))
            continue;
        carry_out(r, w, v);
        dropped |= (r->what & RULE_DROP) != 0;
    }
    return dropped;
}

// --- Frames -----------------------------------------------------------------------------------------------

static void pass(struct way *w, const uint8_t *frame, size_t len)
{
    struct frame_facts f;
    struct fault_verdict v;
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    frame_read(&relay.memory, frame, len, w->names.from, &f);
    fault_judge(&w->line, len, now_ns, &v);
    bool lost = v.copies == 0, dropped = apply_rules(w, &f, &v);
    if (dropped)
        v.copies = 0;
    write_frame(w, frame, len, &f, &v, now_ns);
    if (!w->cut && dropped)
        w->counts.dropped++;
    else if (!w->cut && lost)
        w->counts.lost++;
    way_put(w, frame, len, &v);
}

static void take_frames(struct way *w)
{
    static uint8_t frame[WAY_FRAME_BYTES];
    for (unsigned i = 0; i < BATCH && way_has_room(w); i++) {
        size_t len = way_take(w, frame);
        if (len == 0)
            return;
        pass(w, frame, len);
    }
}

// --- Orders -----------------------------------------------------------------------------------------------

static void set_faults(unsigned k, const struct relay_order *o)
{
    struct fault_settings *s = &relay.cable[k];
    const struct fault_settings *from = &o->set;
    s->loss = o->given & ORDER_LOSS ? from->loss : s->loss;
    s->dup = o->given & ORDER_DUP ? from->dup : s->dup;
    s->reorder = o->given & ORDER_REORDER ? from->reorder : s->reorder;
    s->delay_ns = o->given & ORDER_DELAY ? from->delay_ns : s->delay_ns;
    s->jitter_ns = o->given & ORDER_JITTER ? from->jitter_ns : s->jitter_ns;
    s->rate_bits = o->given & ORDER_RATE ? from->rate_bits : s->rate_bits;
    s->seed = o->given & ORDER_SEED ? from->seed : s->seed;
    for (unsigned way = 2 * k; way < 2 * k + 2; way++)
        fault_start(&relay.way[way].line, s, way);
}

static void clear_cable(unsigned k)
{
    relay.cable[k] = (struct fault_settings){.seed = FAULT_SEED};
    for (unsigned way = 2 * k; way < 2 * k + 2; way++) {
        fault_start(&relay.way[way].line, &relay.cable[k], way);
        way_set_cut(&relay.way[way], false);
    }
}

static void clear_rules(uint64_t cables)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < relay.rules; i++) {
        relay.rule[i].cables &= ~cables;
        if (relay.rule[i].cables)
            relay.rule[kept++] = relay.rule[i];
    }
    relay.rules = kept;
}

static void order_cable(unsigned k, const struct relay_order *o)
{
    const struct way *w = &relay.way[2 * k];
    bool parted = ((o->side >> w->names.from ^ o->side >> w->names.to) & 1) != 0;
    if (o->given & ORDER_CLEAR)
        clear_cable(k);
    if (o->given & ORDER_FAULTS)
        set_faults(k, o);
    for (unsigned way = 2 * k; way < 2 * k + 2; way++) {
        if (o->given & ORDER_HEAL)
            way_set_cut(&relay.way[way], false);
        if ((o->given & ORDER_CUT) || ((o->given & ORDER_PARTITION) && parted) ||
            ((o->given & ORDER_CUT_FROM) && relay.way[way].names.from == o->cut_from))
            way_set_cut(&relay.way[way], true);
    }
}

static bool carry_out_order(const struct relay_order *o, int *fd, char why[OPTION_SENTENCE])
{
    if ((o->given & ORDER_AT) && relay.rules == RELAY_RULES_MAX) {
        snprintf(why, OPTION_SENTENCE, "there are %u rules already. Try: rotifer link --clear", RELAY_RULES_MAX);
        return false;
    }
    for (unsigned k = 0; k < relay.cables; k++)
        if (o->cables >> k & 1)
            order_cable(k, o);
    if (o->given & ORDER_CLEAR)
        clear_rules(o->cables);
    if (o->given & ORDER_AT)
        relay.rule[relay.rules++] = o->rule;
    if (o->given & (ORDER_CAPTURE | ORDER_CAPTURE_END))
        end_capture();
    if (o->given & ORDER_CAPTURE) {
        bool begun = *fd >= 0 && begin_capture(*fd);
        *fd = -1;
        if (!begun) {
            snprintf(why, OPTION_SENTENCE, "a capture needs a file");
            return false;
        }
    }
    if (settle())
        return true;
    snprintf(why, OPTION_SENTENCE, "cannot move into a link: %s", strerror(errno));
    return false;
}

static void fill_status(struct relay_status *s)
{
    s->nodes = relay.nodes;
    s->rules = relay.rules;
    memcpy(s->rule, relay.rule, sizeof s->rule);
    memcpy(s->cable, relay.cable, sizeof s->cable);
    memcpy(s->capture, relay.capture_name, sizeof s->capture);
    if (!relay.capture)
        s->capture[0] = 0;
    memcpy(s->capture_error, relay.capture_error, sizeof s->capture_error);
    s->capture_frames = relay.capture_frames;
    s->capture_bytes = relay.capture_bytes;
    for (unsigned i = 0; i < relay.ways; i++) {
        const struct way *w = &relay.way[i];
        s->way[i] = (struct relay_way_status){w->in, w->cut, w->waiting, w->counts};
    }
}

static void answer(int client, const char *line, size_t len, int *fd)
{
    static struct relay_answer a;
    struct relay_order o;
    memset(&a, 0, sizeof a);
    a.size = sizeof a;
    a.done = relay_order_read(line, len, relay.nodes, &o, a.why) && carry_out_order(&o, fd, a.why);
    fill_status(&a.status);
    (void)!send(client, &a, sizeof a, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// --- Commands that are connected --------------------------------------------------------------------------

static void take_client(void)
{
    int fd = accept4(relay.control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (unsigned i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
        if (relay.client[i] < 0) {
            relay.client[i] = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
}

// The descriptor that came along, or -1.
static int descriptor_of(struct msghdr *m)
{
    int fd = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static void hear(int *client)
{
    static char line[RELAY_ORDER_MAX];
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))]; // room for one descriptor: the kernel closes what is beyond
    } along;
    struct iovec iov = {line, sizeof line};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = along.bytes, .msg_controllen = sizeof along.bytes};
    ssize_t len = recvmsg(*client, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    int fd = len >= 0 ? descriptor_of(&m) : -1;
    if (len > 0 && !(m.msg_flags & MSG_TRUNC))
        answer(*client, line, (size_t)len, &fd);
    if (fd >= 0)
        close(fd);
    close(*client); // an order each
    *client = -1;
}

// --- The loop ---------------------------------------------------------------------------------------------

static uint64_t flush_ways(void)
{
    uint64_t next_ns = UINT64_MAX, now_ns = clock_ns(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < relay.ways; i++) {
        uint64_t at_ns = way_flush(&relay.way[i], now_ns);
        next_ns = at_ns < next_ns ? at_ns : next_ns;
    }
    return next_ns;
}

// What is waited for: ways first, then connected commands, then new ones.
enum { FIRST_CLIENT = WAYS_MAX, NEW_CLIENT = FIRST_CLIENT + CLIENTS_MAX, WAITED };

// Until a frame, an order or the time next_ns comes.
static bool wait_for(struct pollfd p[WAITED], uint64_t next_ns, const sigset_t *mask)
{
    struct timespec t, *limit = NULL;
    if (next_ns != UINT64_MAX) {
        uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), left = next_ns > now_ns ? next_ns - now_ns : 0;
        t = (struct timespec){.tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = (long)(left % NS_PER_S)};
        limit = &t;
    }
    for (unsigned i = 0; i < WAYS_MAX; i++) {
        bool heard = i < relay.ways && way_has_room(&relay.way[i]);
        p[i] = (struct pollfd){.fd = heard ? relay.way[i].fd : -1, .events = POLLIN};
    }
    for (unsigned i = 0; i < CLIENTS_MAX; i++) // poll skips negative descriptors
        p[FIRST_CLIENT + i] = (struct pollfd){.fd = relay.client[i], .events = POLLIN};
    p[NEW_CLIENT] = (struct pollfd){.fd = relay.control, .events = POLLIN};
    return ppoll(p, WAITED, limit, mask) > 0;
}

static void loop(const sigset_t *mask)
{
    struct pollfd p[WAITED];
    while (!ended) {
        uint64_t next_ns = flush_ways();
        if (!relay.settled)
            (void)settle(); // a rule has changed what is needed; an order says itself what goes wrong
        flush_capture();
        if (!wait_for(p, next_ns, mask))
            continue;
        for (unsigned i = 0; i < relay.ways; i++)
            if (p[i].revents)
                take_frames(&relay.way[i]);
        for (unsigned i = 0; i < CLIENTS_MAX; i++)
            if (p[FIRST_CLIENT + i].revents)
                hear(&relay.client[i]);
        if (p[NEW_CLIENT].revents)
            take_client();
    }
}

static bool open_control(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = RELAY_SOCKET};
    relay.control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)unlink(RELAY_SOCKET);
    return relay.control >= 0 && bind(relay.control, (struct sockaddr *)&a, sizeof a) == 0 &&
           listen(relay.control, CLIENTS_MAX) == 0;
}

// SIGTERM comes while the loop waits, and at no other time.
static void take_signals(sigset_t *mask)
{
    sigset_t set;
    struct sigaction act = {.sa_handler = on_end};
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, mask);
    sigdelset(mask, SIGTERM);
    sigdelset(mask, SIGINT);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int relay_run(unsigned nodes)
{
    sigset_t mask;
    ASSERT(nodes >= 1 && nodes <= RING_NODES_MAX);
    relay.nodes = nodes;
    relay.cables = nodes + 1;
    relay.ways = 2 * relay.cables;
    for (unsigned i = 0; i < relay.ways; i++)
        way_init(&relay.way[i], i, nodes);
    for (unsigned k = 0; k < relay.cables; k++)
        relay.cable[k].seed = FAULT_SEED;
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        relay.client[i] = -1;
    take_signals(&mask);
    if (!cables_lay(nodes) || !open_control()) // an earlier relay may have been killed in the middle of all
        return fail("cannot start the relay in %s: %s", rundir_path(), strerror(errno));
    loop(&mask);
    (void)cables_lay(nodes);
    end_capture();
    (void)unlink(RELAY_SOCKET);
    return EXIT_OK;
}
