// SPDX-License-Identifier: BSD-2-Clause
// Arithmetic of fragments; what it means stands in core/progress.h.
#include "core/progress.h"

uint64_t progress_mark(struct progress *p, uint64_t off, uint64_t len, uint64_t total, uint32_t frag)
{
    if (p->frag != frag) { // another cut: only what is there without gaps still counts
        p->frag = frag;
        p->mask = 0;
    }
    if (off + len <= p->base || len == 0)
        return 0;
    if (off <= p->base) {
        uint64_t gain = off + len - p->base;
        p->base = off + len;
        // A partly new fragment (the cut changed) may leave the mask's fragments misaligned: forget them.
        if (gain != frag && p->base != total)
            p->mask = 0;
        else
            p->mask >>= 1;
        while (p->mask & 1) {
            p->base += p->base + frag <= total ? frag : total - p->base;
            p->mask >>= 1;
        }
        // Bit 0 stands for the fragment at base; the loop above consumed the run that followed it.
        return gain;
    }
    uint64_t i = (off - p->base) / frag;
    if ((off - p->base) % frag || i >= 64 || (p->mask >> i & 1))
        return 0;
    p->mask |= 1ull << i;
    return len;
}

uint64_t progress_next(const struct progress *p, uint64_t off, uint64_t total)
{
    if (off < p->base)
        off = p->base;
    if (p->frag == 0)
        return off < total ? off : UINT64_MAX;
    for (uint64_t i = (off - p->base + p->frag - 1) / p->frag; i < 64; i++) {
        uint64_t at = p->base + i * p->frag;
        if (at >= total)
            break;
        if (!(p->mask >> i & 1))
            return at;
    }
    return UINT64_MAX;
}

void progress_cut(struct progress *p, uint32_t frag)
{
    if (p->frag != frag) {
        p->frag = frag;
        p->mask = 0;
        p->high = p->base;
    }
    if (p->high < p->base)
        p->high = p->base;
}

void progress_sent(struct progress *p, uint64_t end)
{
    p->high = end;
}

// What the receiver said. Returns whether it says anything new: answers may overtake each other, and duplicates of
// fragments are answered too. What is there stays there, so of two answers with one base both are right.
bool progress_acked(struct progress *p, const struct progress *said)
{
    if (said->base < p->base)
        return false;
    uint64_t mask = said->frag == p->frag ? said->mask : 0;
    bool news = said->base > p->base || (mask & ~p->mask) != 0;
    p->mask = said->base > p->base ? mask : p->mask | mask;
    p->base = said->base;
    return news;
}
