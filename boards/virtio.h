// SPDX-License-Identifier: BSD-2-Clause
// Virtio devices: what a driver of one kind (virtio_net.c) stands on. The transport is MMIO, queues are split. Sections
// are those of Virtual I/O Device (VIRTIO) Version 1.2.
//
// The device is not trusted further than the memory that it is given: what it says about queues (number of a chain,
// length) is for the driver above to check.
// Callers: node lock held.
#ifndef BOARDS_VIRTIO_H
#define BOARDS_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

#define VIRTIO_ID_NET 1u // section 5: device types
#define VIRTIO_ID_BLOCK 2u
#define VIRTIO_F_VERSION_1 (1ull << 32) // 6: reserved feature bits
#define VIRTIO_REGS_BYTES 0x200u        // 4.2.2: the registers, and some of the configuration

struct virtio {
    volatile void *regs;
    uint32_t id; // VIRTIO_ID_*
    uint32_t irq;
    uint64_t features; // as negotiated
};

// A driver for one kind of device. A new one: a file that defines `const struct virtio_driver NAME_virtio_driver`, and
// NAME in the table of boards/virtio_mmio.c.
struct virtio_driver {
    uint32_t id;
    // Puts the device to work, or says why not and gives it up by virtio_fail(). pa names it in messages.
    void (*start)(struct node *n, const struct virtio *d, uint64_t pa);
};

// --- Devices -------------------------------------------------------------------------------------

enum virtio_found { VIRTIO_NONE, VIRTIO_LEGACY, VIRTIO_MODERN };
// Looks at the slot with these registers, VIRTIO_REGS_BYTES or more, and that interrupt, and fills *d. Returns
// VIRTIO_NONE for an empty one.
enum virtio_found virtio_probe(struct virtio *d, volatile void *regs, uint32_t irq);
// Resets the device and takes those features of `wanted` that it offers (3.1.1 steps 1 to 6). False if the device does
// not agree.
bool virtio_negotiate(struct virtio *d, uint64_t wanted);
// The device is live from here: 3.1.1 step 8.
void virtio_ready(struct virtio *d);
// Gives the device up: it touches no memory any more.
void virtio_fail(struct virtio *d);
#define VIRTIO_INT_QUEUE 1u // 4.2.2, InterruptStatus
#define VIRTIO_INT_CONFIG 2u
// Returns which interrupts are pending, VIRTIO_INT_*, and acknowledges them.
uint32_t virtio_interrupts(struct virtio *d);
// Reads len bytes of the configuration from offset on, all of one moment: 2.5.3.
void virtio_config(struct virtio *d, uint32_t offset, void *to, uint32_t len);

// --- Queues --------------------------------------------------------------------------------------

// 2.7.5
struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
#define VIRTQ_DESC_F_NEXT 1u
#define VIRTQ_DESC_F_WRITE 2u // the device writes it
_Static_assert(sizeof(struct virtq_desc) == 16 && offsetof(struct virtq_desc, len) == 8 &&
                   offsetof(struct virtq_desc, flags) == 12 && offsetof(struct virtq_desc, next) == 14,
               "2.7.5: struct virtq_desc");

struct virtq {
    struct virtio *dev;
    uint16_t index;
    uint16_t size;            // a power of two
    struct virtq_desc *desc;  // the driver above fills them in
    volatile uint16_t *avail; // 2.7.6: flags, idx, ring[size]
    volatile uint8_t *used;   // 2.7.8: flags, idx (16 bits each), ring of (id, len)
    uint16_t posted;          // next avail idx
    uint16_t seen;            // next used idx
};

// Makes queue number `index` of the device, with at most `most` entries. False if the device has none, or there is no
// memory.
bool virtq_init(struct node *n, struct virtio *d, struct virtq *q, uint16_t index, uint16_t most);
// Makes the chain that starts at descriptor number `head` available; virtq_notify() tells the device, once for several.
void virtq_post(struct virtq *q, uint16_t head);
void virtq_notify(struct virtq *q);
// The device shall interrupt for chains that it is through with, or need not.
void virtq_interrupts(struct virtq *q, bool wanted);
// Takes the next chain that the device is through with: *head, and *len bytes written to it, as the device says; either
// may be any number. False if there is none.
bool virtq_used(struct virtq *q, uint32_t *head, uint32_t *len);

#endif
