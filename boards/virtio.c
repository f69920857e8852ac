// SPDX-License-Identifier: BSD-2-Clause
// Virtio over MMIO: a device's status and features, and its queues.
#include "boards/virtio.h"

#include "arch/riscv/boot.h"
#include "boards/mmio.h"
#include "core/config.h"
#include "core/page.h"
#include "core/panic.h"

// 4.2.2, table 4.1
enum {
    REG_MAGIC = 0x000,
    REG_VERSION = 0x004,
    REG_DEVICE_ID = 0x008,
    REG_DEVICE_FEATURES = 0x010,
    REG_DEVICE_FEATURES_SEL = 0x014,
    REG_DRIVER_FEATURES = 0x020,
    REG_DRIVER_FEATURES_SEL = 0x024,
    REG_QUEUE_SEL = 0x030,
    REG_QUEUE_NUM_MAX = 0x034,
    REG_QUEUE_NUM = 0x038,
    REG_QUEUE_READY = 0x044,
    REG_QUEUE_NOTIFY = 0x050,
    REG_INTERRUPT_STATUS = 0x060,
    REG_INTERRUPT_ACK = 0x064,
    REG_STATUS = 0x070,
    REG_QUEUE_DESC = 0x080, // low half, then high half; so do the next two
    REG_QUEUE_DRIVER = 0x090,
    REG_QUEUE_DEVICE = 0x0a0,
    REG_CONFIG_GENERATION = 0x0fc,
    REG_CONFIG = 0x100,
};
#define MAGIC 0x74726976u // "virt"
#define PATIENCE 100000   // looks at a device that is being reset, or changes its configuration all the time

// 2.1
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_FAILED 128u

#define AVAIL_F_NO_INTERRUPT 1 // 2.7.6
#define USED_F_NO_NOTIFY 1u    // 2.7.8
#define AVAIL_FLAGS 0
#define AVAIL_IDX 1
#define AVAIL_RING 2
#define USED_RING 4           // bytes
#define QUEUE_SIZE_MAX 32768u // 2.7: queue size
_Static_assert(REG_QUEUE_DRIVER == REG_QUEUE_DESC + 16 && REG_QUEUE_DEVICE == REG_QUEUE_DRIVER + 16, "4.2.2");

enum virtio_found virtio_probe(struct virtio *d, volatile void *regs, uint32_t irq)
{
    *d = (struct virtio){.regs = regs, .irq = irq};
    if (!regs || mmio_read32(regs, REG_MAGIC) != MAGIC)
        return VIRTIO_NONE;
    uint32_t version = mmio_read32(regs, REG_VERSION);
    d->id = mmio_read32(regs, REG_DEVICE_ID);
    if (d->id == 0) // an empty slot
        return VIRTIO_NONE;
    return version == 2 ? VIRTIO_MODERN : VIRTIO_LEGACY;
}

static void add_status(struct virtio *d, uint32_t bits)
{
    mmio_write32(d->regs, REG_STATUS, mmio_read32(d->regs, REG_STATUS) | bits);
}

static uint64_t offered(struct virtio *d)
{
    uint64_t f = 0;
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(d->regs, REG_DEVICE_FEATURES_SEL, half);
        f |= (uint64_t)mmio_read32(d->regs, REG_DEVICE_FEATURES) << 32 * half;
    }
    return f;
}

bool virtio_negotiate(struct virtio *d, uint64_t wanted)
{
    mmio_write32(d->regs, REG_STATUS, 0); // reset
    for (unsigned i = 0; mmio_read32(d->regs, REG_STATUS) != 0; i++)
        if (i == PATIENCE)
            return false;
    add_status(d, STATUS_ACKNOWLEDGE);
    add_status(d, STATUS_DRIVER);
    d->features = offered(d) & (wanted | VIRTIO_F_VERSION_1);
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(d->regs, REG_DRIVER_FEATURES_SEL, half);
        mmio_write32(d->regs, REG_DRIVER_FEATURES, (uint32_t)(d->features >> 32 * half));
    }
    add_status(d, STATUS_FEATURES_OK);
    return (d->features & VIRTIO_F_VERSION_1) && (mmio_read32(d->regs, REG_STATUS) & STATUS_FEATURES_OK);
}

static void write_address(struct virtio *d, uint32_t reg, const volatile void *p)
{
    uint64_t pa = arch_phys((const void *)(uintptr_t)p);
    mmio_write32(d->regs, reg, (uint32_t)pa);
    mmio_write32(d->regs, reg + 4, (uint32_t)(pa >> 32));
}

// One run of pages: descriptors, avail (flags, idx, a ring of 2 bytes each, used_event), used (flags, idx, a ring of 8
// bytes each, avail_event); each at the alignment of 2.7 (16, 2, 4).
bool virtq_init(struct node *n, struct virtio *d, struct virtq *q, uint16_t index, uint16_t most)
{
    mmio_write32(d->regs, REG_QUEUE_SEL, index);
    uint32_t max = mmio_read32(d->regs, REG_QUEUE_NUM_MAX);
    uint32_t size = 1;
    if (max == 0 || mmio_read32(d->regs, REG_QUEUE_READY) != 0)
        return false;
    while (2 * size <= max && 2 * size <= most)
        size *= 2;
    size_t avail_at = sizeof(struct virtq_desc) * size;
    size_t used_at = (avail_at + 6 + 2 * size + 7) & ~(size_t)7;
    uint8_t *memory = page_alloc_run(n, PAGES_FOR(used_at + 6 + 8 * size));
    if (!memory)
        return false;
    ASSERT((size & (size - 1)) == 0 && size <= most && size <= max && size <= QUEUE_SIZE_MAX);
    ASSERT((uintptr_t)memory % 16 == 0 && avail_at % 2 == 0 && used_at % 4 == 0);
    *q = (struct virtq){.dev = d, .index = index, .size = (uint16_t)size};
    q->desc = (void *)memory;
    q->avail = (void *)(memory + avail_at);
    q->used = memory + used_at;
    mmio_write32(d->regs, REG_QUEUE_NUM, size);
    write_address(d, REG_QUEUE_DESC, q->desc);
    write_address(d, REG_QUEUE_DRIVER, q->avail);
    write_address(d, REG_QUEUE_DEVICE, q->used);
    mmio_write32(d->regs, REG_QUEUE_READY, 1);
    return true;
}

void virtio_ready(struct virtio *d)
{
    add_status(d, STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio *d)
{
    mmio_write32(d->regs, REG_STATUS, 0); // no more reads and writes of our memory
    add_status(d, STATUS_FAILED);
}

uint32_t virtio_interrupts(struct virtio *d)
{
    uint32_t pending = mmio_read32(d->regs, REG_INTERRUPT_STATUS);
    mmio_write32(d->regs, REG_INTERRUPT_ACK, pending);
    return pending;
}

void virtio_config(struct virtio *d, uint32_t offset, void *to, uint32_t len)
{
    uint8_t *p = to;
    ASSERT(len > 0 && offset <= VIRTIO_REGS_BYTES - REG_CONFIG && len <= VIRTIO_REGS_BYTES - REG_CONFIG - offset);
    for (unsigned i = 0; i < PATIENCE; i++) {
        uint32_t before = mmio_read32(d->regs, REG_CONFIG_GENERATION);
        for (uint32_t k = 0; k < len; k++)
            p[k] = mmio_read8(d->regs, REG_CONFIG + offset + k);
        if (mmio_read32(d->regs, REG_CONFIG_GENERATION) == before)
            return;
    }
}

void virtq_post(struct virtq *q, uint16_t head)
{
    ASSERT(head < q->size);
    ASSERT((uint16_t)(q->posted - q->seen) < q->size); // chains that the device has: each needs a descriptor
    q->avail[AVAIL_RING + q->posted % q->size] = head;
    q->posted++;
    mmio_fence(); // 2.7.13.3.1: entry before index
    q->avail[AVAIL_IDX] = q->posted;
}

void virtq_notify(struct virtq *q)
{
    mmio_fence(); // 2.7.13.4.1: index before looking at flags
    if (!(*(volatile uint16_t *)(volatile void *)q->used & USED_F_NO_NOTIFY))
        mmio_write32(q->dev->regs, REG_QUEUE_NOTIFY, q->index);
}

void virtq_interrupts(struct virtq *q, bool wanted)
{
    q->avail[AVAIL_FLAGS] = (uint16_t)(wanted ? 0 : AVAIL_F_NO_INTERRUPT);
    mmio_fence(); // before looking whether something came meanwhile
}

bool virtq_used(struct virtq *q, uint32_t *head, uint32_t *len)
{
    volatile uint16_t *idx = (volatile uint16_t *)(volatile void *)(q->used + 2);
    if (*idx == q->seen || q->seen == q->posted) // a device that returns more than it has got is broken
        return false;
    mmio_fence(); // index before entry
    volatile uint32_t *e = (volatile uint32_t *)(volatile void *)(q->used + USED_RING + 8 * (q->seen % q->size));
    *head = e[0];
    *len = e[1];
    q->seen++;
    return true;
}
