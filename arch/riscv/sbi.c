// SPDX-License-Identifier: BSD-2-Clause
// Calls to the firmware: which extension and function each is.
#include "arch/riscv/sbi.h"

// Extension numbers: the chapters' headings.
#define EID_LEGACY_PUTCHAR 0x01
#define EID_LEGACY_SHUTDOWN 0x08
#define EID_BASE 0x10
#define EID_DBCN 0x4442434e
#define EID_HSM 0x48534d
#define EID_IPI 0x735049
#define EID_RFENCE 0x52464e43
#define EID_SRST 0x53525354
#define EID_TIME 0x54494d45

struct sbi_info sbi;

struct sbi_ret {
    long error, value;
};

// Section 3, binary encoding: a7 extension, a6 function, a0.. arguments; a0 error, a1 value; the rest is kept.
static struct sbi_ret call(uint64_t eid, uint64_t fid, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    register uint64_t a0 __asm__("a0") = arg0;
    register uint64_t a1 __asm__("a1") = arg1;
    register uint64_t a2 __asm__("a2") = arg2;
    register uint64_t a3 __asm__("a3") = arg3;
    register uint64_t a6 __asm__("a6") = fid;
    register uint64_t a7 __asm__("a7") = eid;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_ret){(long)a0, (long)a1};
}

static bool has(uint64_t eid)
{
    struct sbi_ret r = call(EID_BASE, 3, eid, 0, 0, 0); // 4.4 probe extension
    return r.error == 0 && r.value != 0;
}

void sbi_init(void)
{
    sbi.version = (uint32_t)call(EID_BASE, 0, 0, 0, 0, 0).value;
    sbi.implementation = (uint64_t)call(EID_BASE, 1, 0, 0, 0, 0).value;
    sbi.dbcn = has(EID_DBCN);
    sbi.time = has(EID_TIME);
    sbi.ipi = has(EID_IPI);
    sbi.rfence = has(EID_RFENCE);
    sbi.hsm = has(EID_HSM);
    sbi.srst = has(EID_SRST);
}

void sbi_putchar(char c)
{
    call(EID_LEGACY_PUTCHAR, 0, (uint8_t)c, 0, 0, 0);
}

long sbi_debug_putchar(char c)
{
    return call(EID_DBCN, 2, (uint8_t)c, 0, 0, 0).error;
}

void sbi_set_timer(uint64_t at_ticks)
{
    call(EID_TIME, 0, at_ticks, 0, 0, 0);
}

void sbi_send_ipi(uint64_t hartids)
{
    call(EID_IPI, 0, hartids, 0, 0, 0);
}

void sbi_remote_fence_i(uint64_t hartids)
{
    call(EID_RFENCE, 0, hartids, 0, 0, 0);
}

void sbi_remote_sfence_vma(uint64_t hartids, uint64_t va, uint64_t len)
{
    call(EID_RFENCE, 1, hartids, 0, va, len);
}

long sbi_hart_start(uint64_t hartid, uint64_t at, uint64_t opaque)
{
    return call(EID_HSM, 0, hartid, at, opaque, 0).error;
}

long sbi_shutdown(bool failed)
{
    if (sbi.srst)
        return call(EID_SRST, 0, 0, failed ? 1 : 0, 0, 0).error; // type 0 shutdown; reason 1 system failure
    return call(EID_LEGACY_SHUTDOWN, 0, 0, 0, 0, 0).error;       // 5.9
}
