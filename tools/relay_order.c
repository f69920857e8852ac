// SPDX-License-Identifier: BSD-2-Clause
// The relay's orders: each word has a function that reads its value.
#include "tools/relay_order.h"
#include "core/config.h"
#include "core/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
    const char *at;
    size_t len;
};

struct reading {
    struct relay_order *o;
    unsigned nodes;
    char *why;
};

static bool wrong(struct reading *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct reading *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->why, OPTION_SENTENCE, fmt, ap);
    va_end(ap);
    return false;
}

// For sentences: as much of a text as one has room for.
#define SHOWN(t) (int)((t).len < 40 ? (t).len : 40), (t).at

static bool is(struct text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

// Takes what stands before the next separator off *rest, and the separator. False: nothing is left.
static bool take(struct text *rest, char separator, struct text *part)
{
    if (!rest->at)
        return false;
    const char *end = memchr(rest->at, separator, rest->len);
    part->at = rest->at;
    part->len = end ? (size_t)(end - rest->at) : rest->len;
    rest->at = end ? end + 1 : NULL;
    rest->len = end ? rest->len - part->len - 1 : 0;
    return true;
}

// --- Numbers ----------------------------------------------------------------------------------------------

#define DECIMALS_MAX 9

// Digits, perhaps a point and more of them, then perhaps a unit: *value is the number in units of 10^-decimals. What is
// smaller than that is refused, not rounded.
static bool read_decimal(struct text t, unsigned decimals, uint64_t *value, struct text *unit)
{
    uint64_t v = 0;
    unsigned behind = 0;
    size_t i = 0;
    bool point = false;
    ASSERT(decimals <= DECIMALS_MAX);
    for (; i < t.len && ((t.at[i] >= '0' && t.at[i] <= '9') || (t.at[i] == '.' && !point && i > 0)); i++) {
        point |= t.at[i] == '.';
        if (t.at[i] == '.')
            continue;
        if (v > UINT64_MAX / 10 - 1 || (point && ++behind > decimals))
            return false;
        v = v * 10 + (uint64_t)(t.at[i] - '0');
    }
    if (i == 0 || t.at[i - 1] == '.')
        return false;
    for (; behind < decimals; behind++)
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    *value = v;
    *unit = (struct text){t.at + i, t.len - i};
    return true;
}

static bool read_percent(struct reading *r, struct text key, struct text t, uint32_t *parts)
{
    uint64_t v;
    struct text unit;
    if (!read_decimal(t, 4, &v, &unit) || !(unit.len == 0 || is(unit, "%")) || v > FAULT_ALL)
        return wrong(r, "--%.*s is per cent, from 0 to 100, not '%.*s'", SHOWN(key), SHOWN(t));
    *parts = (uint32_t)v;
    return true;
}

static bool read_time(struct reading *r, struct text key, struct text t, uint64_t *ns)
{
    static const struct {
        const char *unit;
        unsigned decimals;
    } units[] = {{"s", 9}, {"ms", 6}, {"us", 3}, {"ns", 0}};
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct text unit;
        if (read_decimal(t, units[i].decimals, ns, &unit) && is(unit, units[i].unit) && *ns <= FAULT_TIME_MAX_NS)
            return true;
    }
    return wrong(r, "--%.*s is a time of at most a minute, as 2ms, 500us or 1.5s, not '%.*s'", SHOWN(key), SHOWN(t));
}

static bool read_rate(struct reading *r, struct text key, struct text t, uint64_t *bits)
{
    static const struct {
        const char *unit;
        unsigned decimals;
    } units[] = {{"", 0}, {"K", 3}, {"M", 6}, {"G", 9}};
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct text unit;
        if (read_decimal(t, units[i].decimals, bits, &unit) && is(unit, units[i].unit) &&
            (*bits == 0 || *bits >= FAULT_RATE_MIN))
            return true;
    }
    return wrong(r, "--%.*s is bits a second, 1K or more, as 56K, 10M or 1G, not '%.*s'", SHOWN(key), SHOWN(t));
}

static bool read_number(struct text t, uint64_t min, uint64_t *value)
{
    struct text unit;
    return read_decimal(t, 0, value, &unit) && unit.len == 0 && *value >= min;
}

// --- Nodes and cables -------------------------------------------------------------------------------------

static bool read_node(struct reading *r, struct text t, unsigned *position)
{
    if (position_named(t.at, t.len, r->nodes, position))
        return true;
    return wrong(r, "no node of this ring is called '%.*s': it has host and n1 to n%u", SHOWN(t), r->nodes);
}

// In a ring of one there are two cables between the two.
static uint64_t cables_between(unsigned nodes, unsigned a, unsigned b)
{
    uint64_t cables = 0;
    for (unsigned k = 0; k <= nodes; k++) {
        struct cable_way w = cable_way(2 * k, nodes);
        if ((w.from == a && w.to == b) || (w.from == b && w.to == a))
            cables |= 1ull << k;
    }
    return cables;
}

static bool read_cable(struct reading *r, struct text t)
{
    struct text first, second, rest = t;
    unsigned a, b;
    r->o->all = is(t, "-");
    r->o->cables = (1ull << (r->nodes + 1)) - 1;
    if (r->o->all)
        return true;
    if (!take(&rest, ',', &first) || !take(&rest, ',', &second) || rest.at)
        return wrong(r, "a link has two ends, not '%.*s'", SHOWN(t));
    if (!read_node(r, first, &a) || !read_node(r, second, &b))
        return false;
    r->o->cables = cables_between(r->nodes, a, b);
    if (!r->o->cables)
        return wrong(r, "there is no link between %.*s and %.*s: neighbours have one", SHOWN(first), SHOWN(second));
    return true;
}

// --- Rules ------------------------------------------------------------------------------------------------

static bool read_op(struct reading *r, struct text t)
{
    unsigned found = frame_op_named(t.at, t.len, &r->o->rule.op);
    if (found == 0)
        return wrong(r, "--at: no operation is called '%.*s' (services/protocol/numbers.h)", SHOWN(t));
    if (found > 1)
        return wrong(r, "--at: %u operations are called '%.*s': name the service too, as PROC_LIST", found, SHOWN(t));
    r->o->rule.any_op = false;
    return true;
}

static bool read_end(struct reading *r, struct text t, uint8_t *end)
{
    unsigned position;
    if (!read_node(r, t, &position))
        return false;
    *end = (uint8_t)position;
    return true;
}

static bool read_frame_word(struct reading *r, struct text word)
{
    struct frame_rule *rule = &r->o->rule;
    struct text key, value = word;
    if (!take(&value, '=', &key) || !value.at)
        return wrong(r, "--at: '%.*s' is none of kind=, op=, from=, to=, n=", SHOWN(word));
    if (is(key, "kind")) {
        rule->any_kind = false;
        return frame_kind_named(value.at, value.len, &rule->kind) ||
               wrong(r, "--at: no kind of frame is called '%.*s' (net/wire.h)", SHOWN(value));
    }
    if (is(key, "op"))
        return read_op(r, value);
    if (is(key, "from"))
        return read_end(r, value, &rule->from);
    if (is(key, "to"))
        return read_end(r, value, &rule->to);
    if (is(key, "n"))
        return read_number(value, 1, &rule->nth) || wrong(r, "--at: n is a number from 1 on, not '%.*s'", SHOWN(value));
    return wrong(r, "--at: '%.*s' is none of kind=, op=, from=, to=, n=", SHOWN(word));
}

static bool read_frame(struct reading *r, struct text key, struct text t)
{
    struct text word;
    (void)key;
    while (take(&t, ',', &word))
        if (!read_frame_word(r, word))
            return false;
    return true;
}

static bool read_victim(struct reading *r, struct text name, uint8_t *victim)
{
    if (!read_end(r, name, victim))
        return false;
    return *victim != 0 || wrong(r, "--do: the host daemon closes the ring and cannot be killed or paused");
}

static bool read_deed(struct reading *r, struct text word)
{
    struct frame_rule *rule = &r->o->rule;
    struct text name, value = word, key = {"do delay", 8};
    (void)take(&value, ':', &name);
    bool alone = !value.at;
    unsigned what = is(name, "drop") && alone     ? RULE_DROP
                    : is(name, "twice") && alone  ? RULE_TWICE
                    : is(name, "cut") && alone    ? RULE_CUT
                    : is(name, "delay") && !alone ? RULE_DELAY
                    : is(name, "kill") && !alone  ? RULE_KILL
                    : is(name, "pause") && !alone ? RULE_PAUSE
                                                  : 0u;
    rule->what |= what;
    switch (what) {
    case RULE_DELAY: return read_time(r, key, value, &rule->delay_ns);
    case RULE_KILL: return read_victim(r, value, &rule->killed);
    case RULE_PAUSE: return read_victim(r, value, &rule->paused);
    case 0: return wrong(r, "--do: '%.*s' is none of drop, twice, delay:TIME, cut, kill:NODE, pause:NODE", SHOWN(word));
    default: return true;
    }
}

static bool read_deeds(struct reading *r, struct text key, struct text t)
{
    struct text word;
    (void)key;
    while (take(&t, ',', &word))
        if (!read_deed(r, word))
            return false;
    return true;
}

// --- Words ------------------------------------------------------------------------------------------------

static bool read_loss(struct reading *r, struct text key, struct text t)
{
    return read_percent(r, key, t, &r->o->set.loss);
}
static bool read_dup(struct reading *r, struct text key, struct text t)
{
    return read_percent(r, key, t, &r->o->set.dup);
}
static bool read_reorder(struct reading *r, struct text key, struct text t)
{
    return read_percent(r, key, t, &r->o->set.reorder);
}
static bool read_delay(struct reading *r, struct text key, struct text t)
{
    return read_time(r, key, t, &r->o->set.delay_ns);
}
static bool read_jitter(struct reading *r, struct text key, struct text t)
{
    return read_time(r, key, t, &r->o->set.jitter_ns);
}
static bool read_rate_word(struct reading *r, struct text key, struct text t)
{
    return read_rate(r, key, t, &r->o->set.rate_bits);
}
static bool read_seed(struct reading *r, struct text key, struct text t)
{
    (void)key;
    return read_number(t, 0, &r->o->set.seed) || wrong(r, "--seed is a number, not '%.*s'", SHOWN(t));
}
static bool read_cut_from(struct reading *r, struct text key, struct text t)
{
    (void)key;
    return read_node(r, t, &r->o->cut_from);
}
static bool read_partition(struct reading *r, struct text key, struct text t)
{
    struct text name;
    unsigned position;
    (void)key;
    while (take(&t, ',', &name)) {
        if (!read_node(r, name, &position))
            return false;
        r->o->side |= 1ull << position;
    }
    return true;
}

static const struct {
    const char *name;
    unsigned gives;                                                      // ORDER_*
    bool (*read)(struct reading *r, struct text key, struct text value); // NULL: the word has no value
} words[] = {
    {"loss", ORDER_LOSS, read_loss},
    {"dup", ORDER_DUP, read_dup},
    {"reorder", ORDER_REORDER, read_reorder},
    {"delay", ORDER_DELAY, read_delay},
    {"jitter", ORDER_JITTER, read_jitter},
    {"rate", ORDER_RATE, read_rate_word},
    {"seed", ORDER_SEED, read_seed},
    {"cut", ORDER_CUT, NULL},
    {"cut-from", ORDER_CUT_FROM, read_cut_from},
    {"partition", ORDER_PARTITION, read_partition},
    {"heal", ORDER_HEAL, NULL},
    {"clear", ORDER_CLEAR, NULL},
    {"at", ORDER_AT, read_frame},
    {"do", ORDER_DO, read_deeds},
    {"capture", ORDER_CAPTURE, NULL},
    {"capture-end", ORDER_CAPTURE_END, NULL},
};

static bool read_word(struct reading *r, struct text word)
{
    struct text key, value = word;
    (void)take(&value, '=', &key);
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!is(key, words[i].name) || !words[i].read != !value.at)
            continue;
        if (r->o->given & words[i].gives)
            return wrong(r, "--%s was given twice", words[i].name);
        r->o->given |= words[i].gives;
        return !words[i].read || words[i].read(r, key, value);
    }
    return wrong(r, "'%.*s' is no order", SHOWN(word));
}

// What does not go together.
static bool check(struct reading *r)
{
    const struct relay_order *o = r->o;
    unsigned capture = o->given & (ORDER_CAPTURE | ORDER_CAPTURE_END), rule = o->given & (ORDER_AT | ORDER_DO);
    unsigned undo = o->given & (ORDER_HEAL | ORDER_CLEAR);
    if (rule && rule != (ORDER_AT | ORDER_DO))
        return wrong(r, "--at and --do need each other: which frame, and what happens then");
    if (undo && o->given != undo)
        return wrong(r, "--heal and --clear undo what was set, and set nothing");
    if (capture && (o->given != capture || capture == (ORDER_CAPTURE | ORDER_CAPTURE_END) || !o->all))
        return wrong(r, "a capture is an order of its own, for all links");
    if ((o->given & ORDER_PARTITION) && !o->all)
        return wrong(r, "--partition is for the whole ring: name no link");
    if ((o->given & ORDER_CUT_FROM) && o->all)
        return wrong(r, "--cut-from needs a link: its two ends");
    for (unsigned k = 0; (o->given & ORDER_CUT_FROM) && k <= r->nodes; k++) {
        struct cable_way w = cable_way(2 * k, r->nodes);
        if ((o->cables >> k & 1) && w.from != o->cut_from && w.to != o->cut_from)
            return wrong(r, "--cut-from names an end of the link");
    }
    return true;
}

bool relay_order_read(const char *line, size_t len, unsigned nodes, struct relay_order *o, char why[OPTION_SENTENCE])
{
    struct reading r = {.o = o, .nodes = nodes, .why = why};
    struct text rest = {line, len}, word;
    ASSERT(nodes >= 1 && nodes <= RING_NODES_MAX);
    *o = (struct relay_order){
        .rule = {.any_kind = true, .any_op = true, .from = ANY_POSITION, .to = ANY_POSITION, .nth = 1}};
    if (len == 0 || len > RELAY_ORDER_MAX || memchr(line, 0, len))
        return wrong(&r, "an order has 1 to %u bytes, none of them zero", RELAY_ORDER_MAX);
    if (!take(&rest, ' ', &word) || !read_cable(&r, word))
        return false;
    while (take(&rest, ' ', &word))
        if (!read_word(&r, word))
            return false;
    if (!check(&r))
        return false;
    o->given &= ~(unsigned)ORDER_DO;
    o->rule.cables = o->cables;
    return true;
}
