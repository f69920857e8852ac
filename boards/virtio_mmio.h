// SPDX-License-Identifier: BSD-2-Clause
// Virtio over MMIO with split queues. Sections are those of Virtual I/O Device (VIRTIO) Version
// 1.2.
//
// The device is not trusted further than the memory that it is given: what it says about queues (number of a chain,
// length) is for the driver above to check. One user at a time: the node lock.
#ifndef BOARDS_VIRTIO_MMIO_H
#define BOARDS_VIRTIO_MMIO_H

#include <stdbool.h>
#include <stdint.h>

struct node;

#define VIRTIO_ID_NET 1u // section 5: device types
#define VIRTIO_ID_BLOCK 2u
#define VIRTIO_F_VERSION_1 (1ull << 32) // 6: reserved feature bits

struct virtio {
    volatile void *regs;
    uint32_t id; // VIRTIO_ID_*
    uint32_t irq;
    uint64_t features; // as negotiated
};

// 2.7.5
struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
#define VIRTQ_DESC_F_NEXT 1u
#define VIRTQ_DESC_F_WRITE 2u // the device writes it

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

enum virtio_found { VIRTIO_NONE, VIRTIO_LEGACY, VIRTIO_MODERN };
enum virtio_found virtio_probe(struct virtio *d, void *regs, uint32_t irq);
// Resets, takes those of `wanted` that are offered; false: the device does not agree. 3.1.1 steps 1 to 6
bool virtio_negotiate(struct virtio *d, uint64_t wanted);
// Queue `index` with at most `most` entries. False: the device has none, or no memory.
bool virtq_init(struct node *n, struct virtio *d, struct virtq *q, uint16_t index, uint16_t most);
void virtio_ready(struct virtio *d);          // step 8: live from here
void virtio_fail(struct virtio *d);           // given up
uint32_t virtio_interrupts(struct virtio *d); // which are pending; acknowledges them. 4.2.2
#define VIRTIO_INT_QUEUE 1u
#define VIRTIO_INT_CONFIG 2u
// len bytes of the configuration at offset, all of one moment. 2.5.3
void virtio_config(struct virtio *d, uint32_t offset, void *to, uint32_t len);

// Makes the chain that starts at descriptor `head` available; virtq_notify() tells the device, once for several.
void virtq_post(struct virtq *q, uint16_t head);
void virtq_notify(struct virtq *q);
void virtq_interrupts(struct virtq *q, bool wanted);
// Next chain that the device is through with: false, none. Both numbers as the device gave them.
bool virtq_used(struct virtq *q, uint32_t *head, uint32_t *len);

#endif
