// SPDX-License-Identifier: BSD-2-Clause
// The system calls as C functions. The kernel keeps every register but the results that core/abi.h names, so each asm
// statement lists exactly those as outputs; "memory" because the kernel reads and writes buffers.
//
// GCC keeps a local register variable in its register only at an asm statement: so nothing that could need a call is
// computed after the first of them is set.
//
// A process may be moved while it is in any of these. Nothing is to be done about that here: the call waits in the
// thread's record, and its results are in the registers when the thread goes on, wherever that is.
#include "guest/lib/rotifer.h"

_Static_assert(sizeof(struct self) == 4 * sizeof(uint64_t), "struct self is the results of SYS_SELF");

#define REG(name) register uint64_t name __asm__(#name)

// A call with up to four arguments whose only result is a0.
static inline uint64_t call(uint64_t number, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
    REG(a0) = x0;
    REG(a1) = x1;
    REG(a2) = x2;
    REG(a3) = x3;
    REG(a7) = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
    return a0;
}

// A call with results in a0..a3.
static inline void call4(uint64_t number, uint64_t x[4])
{
    REG(a0) = x[0];
    REG(a1) = x[1];
    REG(a2) = x[2];
    REG(a3) = x[3];
    REG(a7) = number;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3) : "r"(a7) : "memory");
    x[0] = a0;
    x[1] = a1;
    x[2] = a2;
    x[3] = a3;
}

static const uint64_t no_words[4];

// A capability is plain data and need not be aligned. It mostly is, and then four loads take it into registers; so the
// other case is apart, and costs this one nothing.
static __attribute__((noinline)) int64_t trans_unaligned(const struct cap *cap, uint32_t op, const uint64_t args[4],
                                                         const void *req, size_t req_len, void *rep, size_t rep_cap,
                                                         uint64_t timeout_ms, struct trans_result *out)
{
    _Alignas(8) struct cap aligned;
    __builtin_memcpy((void *)&aligned, (const char *)cap, sizeof aligned);
    return trans_timeout(&aligned, op, args, req, req_len, rep, rep_cap, timeout_ms, out);
}

int64_t trans_timeout(const struct cap *cap, uint32_t op, const uint64_t args[4], const void *req, size_t req_len,
                      void *rep, size_t rep_cap, uint64_t timeout_ms, struct trans_result *out)
{
    if ((uintptr_t)cap % sizeof(uint64_t) != 0)
        return trans_unaligned(cap, op, args, req, req_len, rep, rep_cap, timeout_ms, out);
    const uint64_t *name = (const uint64_t *)(const void *)cap;
    const uint64_t *arg = args ? args : no_words;

    REG(a0) = name[0];
    REG(a1) = name[1];
    REG(a2) = name[2];
    REG(a3) = name[3];
    REG(a4) = op;
    REG(a5) = (uint64_t)req;
    REG(a6) = req_len;
    REG(a7) = SYS_TRANS;
    REG(t0) = (uint64_t)rep;
    REG(t1) = rep_cap;
    REG(t2) = timeout_ms;
    REG(t3) = arg[0];
    REG(t4) = arg[1];
    REG(t5) = arg[2];
    REG(t6) = arg[3];
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5)
                     : "r"(a6), "r"(a7), "r"(t0), "r"(t1), "r"(t2), "r"(t3), "r"(t4), "r"(t5), "r"(t6)
                     : "memory");
    if (out)
        *out = (struct trans_result){a1, {a2, a3, a4, a5}};
    return (int64_t)a0;
}

int64_t trans(const struct cap *cap, uint32_t op, const uint64_t args[4], const void *req, size_t req_len, void *rep,
              size_t rep_cap, struct trans_result *out)
{
    return trans_timeout(cap, op, args, req, req_len, rep, rep_cap, 0, out);
}

int64_t getreq(uint64_t mask, void *buf, size_t cap, uint64_t timeout_ms, struct request *out)
{
    REG(a0) = mask;
    REG(a1) = (uint64_t)buf;
    REG(a2) = cap;
    REG(a3) = timeout_ms;
    REG(a4) = 0;
    REG(a5) = 0;
    REG(a6) = 0;
    REG(a7) = SYS_GETREQ;
    REG(t0) = 0;
    REG(t1) = 0;
    REG(t2) = 0;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6), "+r"(a7), "+r"(t0),
                       "+r"(t1), "+r"(t2)
                     :
                     : "memory");
    if (a0 == 0)
        *out = (struct request){
            .len = a1,
            .handle = a2,
            .op = (uint32_t)a3,
            .obj_rights = (uint32_t)t0,
            .check = {(uint32_t)t1, (uint32_t)(t1 >> 32), (uint32_t)t2},
            .args = {a4, a5, a6, a7},
        };
    return (int64_t)a0;
}

int64_t putrep(int64_t status, const void *rep, size_t rep_len, const uint64_t res[4])
{
    const uint64_t *word = res ? res : no_words;

    REG(a0) = (uint64_t)status;
    REG(a1) = (uint64_t)rep;
    REG(a2) = rep_len;
    REG(a3) = word[0];
    REG(a4) = word[1];
    REG(a5) = word[2];
    REG(a6) = word[3];
    REG(a7) = SYS_PUTREP;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7) : "memory");
    return (int64_t)a0;
}

int64_t putrep_getreq(int64_t status, const void *rep, size_t rep_len, const uint64_t res[4], uint64_t mask, void *buf,
                      size_t cap, uint64_t timeout_ms, struct request *out)
{
    const uint64_t *word = res ? res : no_words;

    REG(a0) = (uint64_t)status;
    REG(a1) = (uint64_t)rep;
    REG(a2) = rep_len;
    REG(a3) = word[0];
    REG(a4) = word[1];
    REG(a5) = word[2];
    REG(a6) = word[3];
    REG(a7) = SYS_PUTREP_GETREQ;
    REG(t0) = mask;
    REG(t1) = (uint64_t)buf;
    REG(t2) = cap;
    REG(t3) = timeout_ms;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6), "+r"(a7), "+r"(t0),
                       "+r"(t1), "+r"(t2)
                     : "r"(t3)
                     : "memory");
    if (a0 == 0) {
        *out = (struct request){
            .len = a1,
            .handle = a2,
            .op = (uint32_t)a3,
            .obj_rights = (uint32_t)t0,
            .check = {(uint32_t)t1, (uint32_t)(t1 >> 32), (uint32_t)t2},
            .args = {a4, a5, a6, a7},
        };
        return 0;
    }
    int64_t e = (int64_t)a0;
    if (e != -E_TOOBIG && e != -E_MEM)
        return e;
    // The kernel kept no copy and did nothing yet: the long way, where the reply stays in our pages until it is there.
    e = putrep(status, rep, rep_len, res);
    return e < 0 ? e : getreq(mask, buf, cap, timeout_ms, out);
}

int64_t forward(const struct cap *cap, uint32_t op, const uint64_t args[4])
{
    uint64_t name[4];
    __builtin_memcpy(name, cap, sizeof name);
    const uint64_t *arg = args ? args : no_words;

    REG(a0) = name[0];
    REG(a1) = name[1];
    REG(a2) = name[2];
    REG(a3) = name[3];
    REG(a4) = op;
    REG(a7) = SYS_FORWARD;
    REG(t3) = arg[0];
    REG(t4) = arg[1];
    REG(t5) = arg[2];
    REG(t6) = arg[3];
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7), "r"(t3), "r"(t4), "r"(t5), "r"(t6)
                     : "memory");
    return (int64_t)a0;
}

int64_t port_listen(struct port get_port, struct port *put_port)
{
    uint64_t x[4] = {get_port.w[0], get_port.w[1]};
    call4(SYS_PORT_LISTEN, x);
    if ((int64_t)x[0] >= 0 && put_port)
        *put_port = (struct port){{x[1], x[2]}};
    return (int64_t)x[0];
}

int64_t port_close(int64_t handle)
{
    return (int64_t)call(SYS_PORT_CLOSE, (uint64_t)handle, 0, 0, 0);
}

int64_t sys_null(void)
{
    REG(a0);
    REG(a7) = SYS_NULL;
    __asm__ volatile("ecall" : "=r"(a0) : "r"(a7) : "memory");
    return (int64_t)a0;
}

int64_t sys_cancel(uint64_t thread, uint64_t grace_ms)
{
    return (int64_t)call(SYS_CANCEL, thread, grace_ms, 0, 0);
}

int64_t sys_cancelled(uint64_t mode)
{
    return (int64_t)call(SYS_CANCELLED, mode, 0, 0, 0);
}

int64_t sys_thread_create(void (*pc)(void), void *sp, uint64_t a0, void *tp)
{
    return (int64_t)call(SYS_THREAD_CREATE, (uint64_t)pc, (uint64_t)sp, a0, (uint64_t)tp);
}

noreturn void sys_thread_exit(_Atomic uint32_t *word)
{
    call(SYS_THREAD_EXIT, (uint64_t)word, 0, 0, 0);
    __builtin_unreachable();
}

int64_t sys_yield(void)
{
    return (int64_t)call(SYS_YIELD, 0, 0, 0, 0);
}

int64_t sys_sleep(uint64_t ns)
{
    return (int64_t)call(SYS_SLEEP, ns, 0, 0, 0);
}

int64_t sys_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ms)
{
    return (int64_t)call(SYS_WAIT, (uint64_t)word, expected, timeout_ms, 0);
}

int64_t sys_wake(_Atomic uint32_t *word, uint64_t count)
{
    return (int64_t)call(SYS_WAKE, (uint64_t)word, count, 0, 0);
}

int64_t sys_map(uint64_t address, uint64_t len, uint64_t flags)
{
    return (int64_t)call(SYS_MAP, address, len, flags, 0);
}

int64_t sys_map_cap(const struct cap *seg, uint64_t address, uint64_t offset, uint64_t len, uint64_t flags)
{
    uint64_t name[4];
    __builtin_memcpy(name, seg, sizeof name);

    REG(a0) = name[0];
    REG(a1) = name[1];
    REG(a2) = name[2];
    REG(a3) = name[3];
    REG(a4) = address;
    REG(a5) = offset;
    REG(a6) = len;
    REG(a7) = SYS_MAP_CAP;
    REG(t0) = flags;
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7), "r"(t0)
                     : "memory");
    return (int64_t)a0;
}

int64_t sys_unmap(uint64_t address)
{
    return (int64_t)call(SYS_UNMAP, address, 0, 0, 0);
}

int64_t sys_grow(uint64_t address, uint64_t new_len)
{
    return (int64_t)call(SYS_GROW, address, new_len, 0, 0);
}

uint64_t sys_time(void)
{
    return call(SYS_TIME, 0, 0, 0, 0);
}

noreturn void sys_exit(int status)
{
    call(SYS_EXIT, (uint64_t)(int64_t)status, 0, 0, 0);
    __builtin_unreachable();
}

int64_t sys_random(void *buf, size_t len)
{
    return (int64_t)call(SYS_RANDOM, (uint64_t)buf, len, 0, 0);
}

void sys_self(struct self *out)
{
    uint64_t x[4] = {0};
    call4(SYS_SELF, x);
    *out = (struct self){x[0], x[1], x[2], x[3]};
}
