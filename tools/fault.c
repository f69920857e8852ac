// SPDX-License-Identifier: BSD-2-Clause
// A faulty wire, frame by frame. Integers only: the same on every machine.
#include "tools/fault.h"
#include "core/config.h"
#include "core/panic.h"

// SplitMix64 (Steele, Lea, Flood 2014): every state is a good one, zero too.
static uint64_t draw(struct fault_line *l)
{
    uint64_t z = l->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

// True for `parts` of FAULT_ALL values.
static bool hits(uint64_t value, uint32_t parts)
{
    return value % FAULT_ALL < parts;
}

static uint64_t square_root(uint64_t v)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= v)
            root += bit;
    return root;
}

#define TAIL_MAX 99u // times the jitter

// jitter * (1 / sqrt(u) - 1), u uniform in (0, 1] in steps of 2^-32.
static uint64_t long_tail(uint64_t jitter_ns, uint64_t value)
{
    uint64_t u = (value >> 32) + 1;
    uint64_t ratio = (1ull << 42) / square_root(u << 20); // 1 / sqrt(u) in units of 2^-16
    uint64_t more = ratio > 65536 ? ratio - 65536 : 0;
    if (more > TAIL_MAX * 65536ull)
        more = TAIL_MAX * 65536ull;
    ASSERT(jitter_ns <= FAULT_TIME_MAX_NS);
    return (uint64_t)((unsigned __int128)jitter_ns * more >> 16);
}

bool fault_any(const struct fault_settings *s)
{
    return s->loss || s->dup || s->reorder || s->delay_ns || s->jitter_ns || s->rate_bits;
}

void fault_start(struct fault_line *l, const struct fault_settings *s, unsigned way_index)
{
    ASSERT(s->loss <= FAULT_ALL && s->dup <= FAULT_ALL && s->reorder <= FAULT_ALL);
    *l = (struct fault_line){.set = *s, .random = s->seed * 0x2545f4914f6cdd1dull + way_index};
    l->random = draw(l); // neighbours in number are no neighbours in what they draw
}

// When the frame has left the sender.
static uint64_t sent_at(struct fault_line *l, size_t len, uint64_t now_ns)
{
    if (!l->set.rate_bits)
        return now_ns;
    ASSERT(l->set.rate_bits >= FAULT_RATE_MIN && len < (1u << 20));
    uint64_t start = l->free_ns > now_ns ? l->free_ns : now_ns;
    l->free_ns = start + (uint64_t)len * 8 * NS_PER_S / l->set.rate_bits;
    return l->free_ns;
}

void fault_judge(struct fault_line *l, size_t len, uint64_t now_ns, struct fault_verdict *v)
{
    const struct fault_settings *s = &l->set;
    uint64_t lost = draw(l), doubled = draw(l), held = draw(l), late[2] = {draw(l), draw(l)};
    uint64_t sent = sent_at(l, len, now_ns);
    v->copies = hits(lost, s->loss) ? 0 : hits(doubled, s->dup) ? 2 : 1;
    v->behind = hits(held, s->reorder) ? 1 + (unsigned)(held >> 32) % FAULT_BEHIND_MAX : 0;
    for (unsigned i = 0; i < 2; i++)
        v->due_ns[i] = sent + s->delay_ns + long_tail(s->jitter_ns, late[i]);
}
