// SPDX-License-Identifier: BSD-2-Clause
// rotifer link: what happens to the frames between two nodes, and what became of them.
#include "core/error.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/relay.h"
#include "tools/say.h"
#include "tools/table.h"

#include <stdarg.h>
#include <string.h>

// --- The command line -------------------------------------------------------------------------------------

static struct {
    const char *a, *b;
    const char *loss, *dup, *reorder, *delay, *jitter, *rate, *seed, *cut_from, *partition, *at, *deed;
    bool cut, heal, clear, json;
} opt;

static const struct option options[] = {
    {.name = "loss", .kind = OPTION_TEXT, .text = &opt.loss, .value = "P", .what = "P per cent of the frames are lost"},
    {.name = "dup", .kind = OPTION_TEXT, .text = &opt.dup, .value = "P", .what = "come twice"},
    {.name = "reorder",
     .kind = OPTION_TEXT,
     .text = &opt.reorder,
     .value = "P",
     .what = "are overtaken by 1 to 4 others"},
    {.name = "delay",
     .kind = OPTION_TEXT,
     .text = &opt.delay,
     .value = "T",
     .what = "each takes so long: 2ms, 500us, 1.5s"},
    {.name = "jitter",
     .kind = OPTION_TEXT,
     .text = &opt.jitter,
     .value = "T",
     .what = "and so much more on average, with a long tail"},
    {.name = "rate", .kind = OPTION_TEXT, .text = &opt.rate, .value = "R", .what = "bits a second: 10M; 0: no limit"},
    {.name = "seed", .kind = OPTION_TEXT, .text = &opt.seed, .value = "N", .what = "which frames it meets (1)"},
    {.name = "cut", .kind = OPTION_FLAG, .flag = &opt.cut, .what = "nothing goes through"},
    {.name = "cut-from",
     .kind = OPTION_TEXT,
     .text = &opt.cut_from,
     .value = "NODE",
     .what = "nothing that this end sends"},
    {.name = "partition",
     .kind = OPTION_TEXT,
     .text = &opt.partition,
     .value = "N,N",
     .what = "cut these nodes off from all others"},
    {.name = "heal", .kind = OPTION_FLAG, .flag = &opt.heal, .what = "no cuts any more"},
    {.name = "clear", .kind = OPTION_FLAG, .flag = &opt.clear, .what = "no cuts, no faults, no rules any more"},
    {.name = "at",
     .kind = OPTION_TEXT,
     .text = &opt.at,
     .value = "FRAME",
     .what = "kind=K,op=O,from=N,to=N,n=I: at the I-th such frame"},
    {.name = "do",
     .kind = OPTION_TEXT,
     .text = &opt.deed,
     .value = "WHAT",
     .what = "drop, twice, delay:T, cut, kill:NODE, pause:NODE"},
    OPTION_JSON(&opt.json),
    {.name = NULL},
};
static const struct option operands[] = {
    {.name = "NODE", .kind = OPTION_TEXT, .text = &opt.a, .optional = true},
    {.name = "NODE", .kind = OPTION_TEXT, .text = &opt.b, .optional = true},
    {.name = NULL},
};

// --- The order --------------------------------------------------------------------------------------------

struct line {
    char text[RELAY_ORDER_MAX + 1];
    size_t len; // as long as it would be, were there room
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *fmt, ...)
{
    size_t room = l->len < sizeof l->text ? sizeof l->text - l->len : 0;
    va_list ap;
    va_start(ap, fmt);
    l->len += (size_t)vsnprintf(room ? l->text + l->len : NULL, room, fmt, ap);
    va_end(ap);
}

static void add_value(struct line *l, const char *key, const char *value)
{
    if (value)
        add(l, " %s=%s", key, value);
}

static void add_flag(struct line *l, const char *key, bool given)
{
    if (given)
        add(l, " %s", key);
}

// What the command line asks for, as the relay reads it.
static void make_order(struct line *l)
{
    if (opt.a)
        add(l, "%s,%s", opt.a, opt.b);
    else
        add(l, "-");
    add_value(l, "loss", opt.loss);
    add_value(l, "dup", opt.dup);
    add_value(l, "reorder", opt.reorder);
    add_value(l, "delay", opt.delay);
    add_value(l, "jitter", opt.jitter);
    add_value(l, "rate", opt.rate);
    add_value(l, "seed", opt.seed);
    add_value(l, "cut-from", opt.cut_from);
    add_value(l, "partition", opt.partition);
    add_value(l, "at", opt.at);
    add_value(l, "do", opt.deed);
    add_flag(l, "cut", opt.cut);
    add_flag(l, "heal", opt.heal);
    add_flag(l, "clear", opt.clear);
}

// --- The list ---------------------------------------------------------------------------------------------

static const struct column columns[] = {
    {"from", "FROM", -4, NULL},     {"to", "TO", -4, NULL},
    {"relay", NULL, 0, NULL},       {"frames", "FRAMES", 9, NULL},
    {"bytes", NULL, 0, NULL},       {"passed", "PASSED", 9, NULL},
    {"lost", "LOST", 6, NULL},      {"doubled", "TWICE", 6, NULL},
    {"held_back", "HELD", 6, NULL}, {"dropped_by_rule", "RULE", 4, NULL},
    {"cut", "CUT", 6, NULL},        {"nobody", "NOBODY", 6, NULL},
    {"too_long", NULL, 0, NULL},    {"waiting", "WAITING", 7, NULL},
    {"set", "SET", 0, NULL},        {NULL, NULL, 0, NULL},
};

static void put_settings(struct json *j, const struct relay_status *s, unsigned way)
{
    const struct fault_settings *f = &s->cable[way / 2];
    json_real(j, "loss_percent", f->loss * 100.0 / FAULT_ALL, 4);
    json_real(j, "dup_percent", f->dup * 100.0 / FAULT_ALL, 4);
    json_real(j, "reorder_percent", f->reorder * 100.0 / FAULT_ALL, 4);
    json_number(j, "delay_ns", f->delay_ns);
    json_number(j, "jitter_ns", f->jitter_ns);
    json_number(j, "rate_bits_per_s", f->rate_bits);
    json_number(j, "seed", f->seed);
    json_bool(j, "is_cut", s->way[way].cut);
}

// A way of which the relay has nothing to tell is straight.
static void put_way(struct table *t, const struct relay_status *s, unsigned way)
{
    const struct way_counts *c = &s->way[way].counts;
    struct cable_way w = cable_way(way, s->nodes);
    char from[POSITION_NAME], to[POSITION_NAME], set[256];
    position_name(w.from, from);
    position_name(w.to, to);
    table_text(t, from);
    table_text(t, to);
    table_bool(t, s->way[way].in, NULL);
    table_number(t, c->frames, NULL);
    table_number(t, c->bytes, NULL);
    table_number(t, c->passed, NULL);
    table_number(t, c->lost, NULL);
    table_number(t, c->doubled, NULL);
    table_number(t, c->held, NULL);
    table_number(t, c->dropped, NULL);
    table_number(t, c->cut, NULL);
    table_number(t, c->nobody, NULL);
    table_number(t, c->too_long, NULL);
    table_number(t, s->way[way].waiting, NULL);
    table_text(t, relay_cable_text(s, way / 2, set, sizeof set) ? set : s->way[way].in ? "passes all" : "-");
    if (opt.json)
        put_settings(&t->json, s, way);
    table_row_end(t);
}

// The text of a rule as it is given. Room for all of it.
static void rule_text(const struct frame_rule *r, struct line *l)
{
    char name[POSITION_NAME];
    const char *op = r->any_op ? NULL : frame_op_name(r->op);
    if (!r->any_kind)
        add(l, "kind=%s,", wire_kind_name(r->kind));
    if (op)
        add(l, "op=%s,", op);
    else if (!r->any_op)
        add(l, "op=%u,", r->op);
    for (unsigned i = 0; i < 2; i++) {
        if ((i ? r->to : r->from) == ANY_POSITION)
            continue;
        position_name(i ? r->to : r->from, name);
        add(l, "%s=%s,", i ? "to" : "from", name);
    }
    add(l, "n=%llu", (unsigned long long)r->nth);
}

static void deed_text(const struct frame_rule *r, struct line *l)
{
    static const char *const plain[] = {"drop", "twice", NULL, "cut"};
    char name[POSITION_NAME];
    const char *comma = "";
    for (unsigned i = 0; i < 6; i++) {
        if (!(r->what >> i & 1))
            continue;
        add(l, "%s", comma);
        comma = ",";
        if (1u << i == RULE_DELAY) {
            add(l, "delay:%lluns", (unsigned long long)r->delay_ns);
        } else if (i < 4) {
            add(l, "%s", plain[i]);
        } else {
            position_name(1u << i == RULE_KILL ? r->killed : r->paused, name);
            add(l, "%s:%s", 1u << i == RULE_KILL ? "kill" : "pause", name);
        }
    }
}

static bool shown(const struct relay_order *o, unsigned way)
{
    return (o->cables >> way / 2 & 1) != 0;
}

static void print_rules(const struct relay_status *s, uint64_t cables)
{
    for (unsigned i = 0; i < s->rules; i++) {
        const struct frame_rule *r = &s->rule[i];
        struct line frame = {.len = 0}, deed = {.len = 0};
        if (!(r->cables & cables))
            continue;
        rule_text(r, &frame);
        deed_text(r, &deed);
        printf("at %s do %s: %s, %llu of %llu seen\n", frame.text, deed.text, r->seen >= r->nth ? "done" : "waits",
               (unsigned long long)r->seen, (unsigned long long)r->nth);
    }
}

static void put_rules(struct json *j, const struct relay_status *s, uint64_t cables)
{
    json_array(j, "rules");
    for (unsigned i = 0; i < s->rules; i++) {
        const struct frame_rule *r = &s->rule[i];
        struct line frame = {.len = 0}, deed = {.len = 0};
        if (!(r->cables & cables))
            continue;
        rule_text(r, &frame);
        deed_text(r, &deed);
        json_object(j, NULL);
        json_text(j, "at", frame.text);
        json_text(j, "do", deed.text);
        json_number(j, "seen", r->seen);
        json_bool(j, "done", r->seen >= r->nth);
        json_close(j);
    }
    json_close(j);
}

static void print_capture(const struct relay_status *s)
{
    if (s->capture[0])
        printf("captured into %s: %s frames\n", s->capture, with_commas(s->capture_frames));
    else if (s->capture_error[0])
        printf("the capture has ended: %s\n", s->capture_error);
}

// Rows of the table, in the object's array "ways"; then what is no way's.
static void print_list(const struct relay_order *o, const struct relay_status *s)
{
    struct table t;
    unsigned ways = 2 * (s->nodes + 1);
    if (opt.json) {
        struct json j;
        json_begin(&j, stdout);
        json_object(&j, NULL);
        json_array(&j, "ways");
        t = (struct table){.as_json = true, .json = j, .to = stdout, .columns = columns, .next = columns};
        for (unsigned way = 0; way < ways; way++)
            if (shown(o, way))
                put_way(&t, s, way);
        json_close(&t.json);
        put_rules(&t.json, s, o->cables);
        json_text(&t.json, "capture", s->capture[0] ? s->capture : NULL);
        json_number(&t.json, "capture_frames", s->capture_frames);
        json_close(&t.json);
        json_finish(&t.json);
        return;
    }
    table_begin(&t, stdout, false, columns);
    for (unsigned way = 0; way < ways; way++)
        if (shown(o, way))
            put_way(&t, s, way);
    table_end(&t);
    print_rules(s, o->cables);
    print_capture(s);
}

// --- Running ----------------------------------------------------------------------------------------------

// A rule that names nodes knows them by their own frames: each node of the ring answers this question with one, which
// goes through the relay by now.
static int ask_who_is_there(struct node *n, void *arg)
{
    static struct found_node f[FIND_NODES_MAX];
    (void)arg;
    (void)find_nodes(n, f);
    return EXIT_OK;
}

static bool names_nodes(const struct relay_order *o)
{
    return (o->given & ORDER_AT) && (o->rule.from != ANY_POSITION || o->rule.to != ANY_POSITION);
}

static int run(void)
{
    static struct relay_answer a;
    struct line l = {.len = 0};
    struct relay_order o;
    unsigned nodes;
    char why[OPTION_SENTENCE];
    if (opt.a && !opt.b)
        return usage_error("link", "a link has two ends: the second NODE is missing");
    int status = relay_ring(&nodes);
    if (status != EXIT_OK)
        return status;
    make_order(&l);
    if (!relay_order_read(l.text, l.len, nodes, &o, why))
        return usage_error("link", "%s", why);
    status = relay_ask(l.text, -1, (o.given & ~(unsigned)(ORDER_HEAL | ORDER_CLEAR)) != 0, &a);
    if (status != EXIT_OK)
        return status;
    if (a.size == 0)
        a.status.nodes = nodes; // no relay: all links are straight, and nothing has been counted
    print_list(&o, &a.status);
    return names_nodes(&o) ? member_run(ask_who_is_there, NULL) : EXIT_OK;
}

const struct command command_link = {
    .name = "link",
    .group = GROUP_LINK,
    .what = "what goes wrong on a link, and what its frames met",
    .help = "Sets what happens to frames between two neighbours (none named: on all links), from now on; then, "
            "or with no options, lists both directions of each.",
    .options = options,
    .operands = operands,
    .run = run,
};
