// SPDX-License-Identifier: BSD-2-Clause
// Harts of the device tree: which of them we can use, and what each can do. Bindings: Linux,
// Documentation/devicetree/bindings/riscv/cpus.yaml and extensions.yaml.
#include "boards/dt_priv.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "core/panic.h"

#define HARTID_MAX 63u // masks of SBI calls have a bit for each: HART_IDS of arch/riscv/offsets.h

// Notes the extensions in a string like "rv64imafdc_zba_zbb_sstc" (RISC-V ISA manual, chapter "ISA Extension Naming
// Conventions").
static void parse_isa(const char *s, struct machine_hart *h)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } known[] = {{"zba", ISA_ZBA}, {"zbb", ISA_ZBB}, {"zbs", ISA_ZBS}};
    if (strncmp(s, "rv64", 4) != 0)
        return;
    for (s += 4; *s >= 'a' && *s <= 'z'; s++) {
        if (*s == 'z' || *s == 's' || *s == 'x') // multi-letter names begin, perhaps without '_'
            break;
        h->isa |= *s == 'g' ? ISA_RV64GC & ~ISA_BIT('c') : ISA_BIT(*s);
    }
    while (*s) {
        size_t n = strcspn(s, "_");
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (n == strlen(known[i].name) && strncmp(s, known[i].name, n) == 0)
                h->isa |= known[i].bit;
        if (n == 4 && strncmp(s, "sstc", 4) == 0)
            h->sstc = true;
        s += n + (s[n] == '_');
    }
}

// Newer trees have a list of names instead: riscv,isa-extensions.
static void parse_isa_list(struct reader *r, struct machine_hart *h)
{
    const char *s = dt_text(r, P_ISA_EXTENSIONS);
    if (!s)
        return;
    for (const char *end = s + r->property[P_ISA_EXTENSIONS].len; s < end; s += strlen(s) + 1) {
        char one[32];
        if (strlen(s) == 1) {
            h->isa |= *s >= 'a' && *s <= 'z' ? ISA_BIT(*s) : 0;
        } else if (strlen(s) < 24) {
            snprintf(one, sizeof one, "rv64_%s", s);
            parse_isa(one, h);
        }
    }
}

static bool read_hart(struct reader *r, struct machine_hart *h)
{
    const struct value *reg = &r->property[P_REG];
    const char *isa = dt_text(r, P_ISA);
    *h = (struct machine_hart){0};
    if (reg->len != 4 && reg->len != 8)
        return false;
    h->hartid = dt_cells(reg->at, reg->len / 4);
    if (isa)
        parse_isa(isa, h);
    parse_isa_list(r, h);
    return true;
}

// Returns why we cannot use the hart, or NULL: we can. A hart without mmu-type has no S-mode, whatever its status says
// (the E51 of the FU540 says "okay"); a hart with mmu-type may be disabled (hart 0 of the JH7110).
static const char *unusable(struct reader *r, const struct machine_hart *h)
{
    const uint64_t needed = ISA_RV64GC;
    const char *mmu = dt_text(r, P_MMU_TYPE);
    if (!dt_enabled(r))
        return "disabled";
    if (!mmu || strncmp(mmu, "riscv,sv", 8) != 0)
        return "no MMU";
    if ((h->isa & needed) != needed)
        return "not rv64gc";
    if (h->hartid > HARTID_MAX)
        return "id over 63";
    return NULL;
}

// True if the hart has a record: a second one would start it twice.
static bool listed(const struct reader *r, uint64_t hartid)
{
    for (unsigned i = r->boot_found ? 0 : 1; i < r->m->nharts; i++)
        if (r->m->harts[i].hartid == hartid)
            return true;
    return false;
}

void dt_visit_hart(struct reader *r)
{
    struct machine *m = r->m;
    struct machine_hart h;
    r->hart = NULL;
    if (!dt_has_type(r, "cpu") || !read_hart(r, &h))
        return;
    if (m->timebase_hz == 0) // before version 0.4 it could be here
        m->timebase_hz = dt_number(r, P_TIMEBASE, 0);
    const char *why = unusable(r, &h);
    if (listed(r, h.hartid)) {
        machine_warn(r->m, "%s: hart %u was there before: ignored", dt_name(r), (unsigned)h.hartid);
    } else if (h.hartid == r->q->boot_hartid) {
        if (why)
            machine_warn(r->m, "hart %u is %s, but runs this", (unsigned)h.hartid, why);
        r->hart = &m->harts[0];
        r->boot_found = true;
    } else if (!why && m->nharts < HARTS_MAX) {
        ASSERT(m->nharts >= 1); // [0] is kept for the boot hart
        r->hart = &m->harts[m->nharts++];
    }
    if (r->hart)
        *r->hart = h;
}

void dt_visit_hart_child(struct reader *r)
{
    if (!r->hart || r->hart->phandle || !dt_lists(r, P_COMPATIBLE, "riscv,cpu-intc"))
        return;
    r->hart->phandle = dt_number(r, P_PHANDLE, 0);
    if (r->hart->phandle == 0)
        r->hart->phandle = dt_number(r, P_PHANDLE_OLD, 0);
}

void dt_finish_harts(struct reader *r)
{
    struct machine *m = r->m;
    if (!r->boot_found) {
        machine_warn(r->m, "no entry for this hart: taken as rv64gc, alone");
        m->nharts = 1;
        m->harts[0] = (struct machine_hart){.hartid = r->q->boot_hartid, .isa = ISA_RV64GC};
    }
    ASSERT(m->nharts >= 1 && m->nharts <= HARTS_MAX && m->harts[0].hartid == r->q->boot_hartid);
    m->isa = UINT64_MAX;
    m->sstc = true;
    for (unsigned i = 0; i < m->nharts; i++) {
        m->isa &= m->harts[i].isa;
        m->sstc &= m->harts[i].sstc;
    }
    if (m->timebase_hz < 1000 || m->timebase_hz >= NS_PER_S) {
        machine_warn(r->m, "timebase of %u Hz: taken as 10 MHz", (unsigned)m->timebase_hz);
        m->timebase_hz = 10000000;
    }
}
