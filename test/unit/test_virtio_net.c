// SPDX-License-Identifier: BSD-2-Clause
// The network driver with a device that this test plays: one that does as VIRTIO 1.2 says, and one that lies. Numbers
// of chains and lengths come from outside; whatever they are, no page is lost, and nothing is read that the device has
// not been given.
#include "test/unit/unit.h"

#include "core/page.h"

// --- A device in place of registers --------------------------------------------------------------

#define BOARDS_MMIO_H // the drivers below reach these
#define SIZE_MAX_OF_QUEUE 64u

struct fake_queue {
    uint32_t size, ready;
    uint64_t at[3]; // descriptors, avail, used
    uint16_t taken; // of avail
};
static struct device_state {
    uint32_t status, feature_half, queue_sel, acknowledged, notified;
    uint64_t offered, accepted;
    bool keeps_status, refuses; // it does not reset; it does not take the features
    uint8_t config[16];
    struct fake_queue queue[2];
} fake;

static void mmio_fence(void) {}
static void config_mtu(uint16_t mtu)
{
    fake.config[10] = (uint8_t)mtu;
    fake.config[11] = (uint8_t)(mtu >> 8);
}
static uint32_t mmio_read32(const volatile void *base, uint32_t offset)
{
    assert_ptr_equal(base, &fake);
    switch (offset) {
    case 0x000: return 0x74726976;
    case 0x004: return 2;
    case 0x008: return 1;
    case 0x010: return (uint32_t)(fake.offered >> 32 * fake.feature_half);
    case 0x034: return fake.queue_sel < 2 ? SIZE_MAX_OF_QUEUE : 0;
    case 0x044: return fake.queue[fake.queue_sel].ready;
    case 0x060: return 1; // a queue
    case 0x070: return fake.status;
    default: return 0;
    }
}
static void mmio_write32(volatile void *base, uint32_t offset, uint32_t v)
{
    assert_ptr_equal(base, &fake);
    struct fake_queue *q = &fake.queue[fake.queue_sel % 2];
    if (offset == 0x014 || offset == 0x024)
        fake.feature_half = v;
    else if (offset == 0x020)
        fake.accepted |= (uint64_t)v << 32 * fake.feature_half;
    else if (offset == 0x030)
        fake.queue_sel = v;
    else if (offset == 0x038)
        q->size = v;
    else if (offset == 0x044)
        q->ready = v;
    else if (offset == 0x050)
        fake.notified |= 1u << v;
    else if (offset == 0x064)
        fake.acknowledged |= v;
    else if (offset == 0x070 && !(v == 0 && fake.keeps_status))
        fake.status = v & ~(fake.refuses ? 8u : 0u);
    else if (offset >= 0x080 && offset < 0x0a8)
        q->at[(offset - 0x080) / 0x10] |= (uint64_t)v << (offset % 8 ? 32 : 0);
}
static uint8_t mmio_read8(const volatile void *base, uint32_t offset)
{
    assert_ptr_equal(base, &fake);
    assert_in_range(offset, 0x100, 0x100 + sizeof fake.config - 1);
    return fake.config[offset - 0x100];
}

#include "boards/virtio.c"
#include "boards/virtio_net.c"
#include "net/net.h"
#include "test/unit/board_bed.h"

static struct link *found; // by the driver, with what starts it
static void (*found_start)(struct link *l);

const char *net_links_found(struct link *l, void (*start)(struct link *l))
{
    found = l;
    found_start = start;
    return NULL;
}
bool plic_handle(uint32_t irq, void (*fn)(void *arg), void *arg)
{
    (void)irq, (void)fn, (void)arg;
    return true;
}

// --- The device's side of a queue ----------------------------------------------------------------

static struct virtq_desc *desc(unsigned queue, unsigned i)
{
    assert_true(i < fake.queue[queue].size);
    return (struct virtq_desc *)(uintptr_t)fake.queue[queue].at[0] + i;
}
// The next chain that was given, by its head; -1: none.
static int given(unsigned queue)
{
    struct fake_queue *q = &fake.queue[queue];
    const uint16_t *avail = (const uint16_t *)(uintptr_t)q->at[1];
    return q->taken == avail[1] ? -1 : avail[2 + q->taken++ % q->size];
}
static void give_back(unsigned queue, uint32_t head, uint32_t len)
{
    struct fake_queue *q = &fake.queue[queue];
    uint16_t *idx = (uint16_t *)(uintptr_t)q->at[2] + 1;
    uint32_t *entry = (uint32_t *)(uintptr_t)(q->at[2] + 4) + 2 * (*idx % q->size);
    entry[0] = head;
    entry[1] = len;
    ++*idx;
}
static unsigned chain_bytes(unsigned queue, unsigned head)
{
    unsigned n = desc(queue, head)->len;
    while (desc(queue, head)->flags & VIRTQ_DESC_F_NEXT) {
        head = desc(queue, head)->next;
        n += desc(queue, head)->len;
    }
    return n;
}

// --- A node with the device ----------------------------------------------------------------------

static size_t pages_with_device; // free, when all was set up

static void power_on(void)
{
    memset(&fake, 0, sizeof fake);
    fake.offered = VIRTIO_F_VERSION_1 | F_MTU | F_MAC | F_STATUS;
    memcpy(fake.config, "\x52\x54\0\x12\x34\x56\1", 7); // MAC address, carrier
    config_mtu(9000);
    found = NULL;
}
static void probe(struct node *n)
{
    struct virtio v;
    assert_int_equal(virtio_probe(&v, &fake, 1), VIRTIO_MODERN);
    vnet_start(n, &v, 0x10001000);
}

static int device_setup(void **state)
{
    const struct host_options options = {.clock = unit_clock, .seed = 1};
    struct node *n = host_node_new("unit", UNIT_PAGES, &options);
    power_on();
    *state = n;
    if (!n || net_init(n) != 0)
        return -1;
    probe(n);
    if (!found || net_link_add(n, found) != 0)
        return -1;
    found_start(found);
    pages_with_device = page_free_count(n);
    return 0;
}
static int device_teardown(void **state)
{
    struct node *n = *state;
    size_t free_pages = page_free_count(n);
    net_fini(n);
    host_node_free(n);
    if (free_pages != pages_with_device)
        print_error("%ld pages are lost\n", (long)(pages_with_device - free_pages));
    return free_pages == pages_with_device ? 0 : -1;
}
static void interrupt(void)
{
    on_interrupt(found->driver);
}
static uint64_t frames(void)
{
    return found->stat.rx + found->stat.rx_bad;
}
static void send(struct node *n, void *payload, size_t len)
{
    (void)n;
    struct wire_hdr h = {.kind = WIRE_ECHO};
    struct piece p = {payload, len};
    found->send(found, &h, &p, 1);
}

// --- A device that keeps to the rules ------------------------------------------------------------

static void the_device_is_brought_up_as_the_standard_says(void **state)
{
    (void)state;
    assert_int_equal(fake.status, 1 | 2 | 8 | 4); // ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK
    assert_int_equal(fake.accepted, fake.offered);
    assert_memory_equal(found->mac, fake.config, 6);
    assert_true(found->up);
    assert_int_equal(found->payload_max,
                     9000 + 14 - sizeof(struct wire_hdr) - (9000 + 14 - sizeof(struct wire_hdr)) % 8);
    int head = given(RX_QUEUE);
    assert_true(head >= 0 && (fake.notified & 1));
    assert_int_equal(chain_bytes(RX_QUEUE, (unsigned)head), HEAD_BYTES + 3 * PAGE_SIZE);
    assert_true(desc(RX_QUEUE, (unsigned)head)->flags & VIRTQ_DESC_F_WRITE);
}

static void frames_are_received_in_any_order_and_chains_given_again(void **state)
{
    (void)state;
    int a = given(RX_QUEUE), b = given(RX_QUEUE);
    assert_true(a >= 0 && b >= 0 && a != b);
    give_back(RX_QUEUE, (uint32_t)b, (uint32_t)HEAD_BYTES + 100);
    give_back(RX_QUEUE, (uint32_t)a, (uint32_t)(HEAD_BYTES + 2 * PAGE_SIZE));
    interrupt();
    assert_int_equal(frames(), 2);
    assert_int_equal(fake.acknowledged, 1);
    unsigned again = 0;
    for (int head; (head = given(RX_QUEUE)) >= 0;)
        again += head == a || head == b;
    assert_int_equal(again, 2);
}

static void pages_of_a_frame_are_held_until_the_device_has_read_them(void **state)
{
    struct node *n = *state;
    uint8_t *page = page_alloc(n);
    send(n, page + 8, 1000);
    page_drop(n, page);
    assert_int_equal(page_free_count(n), pages_with_device - 1);
    int head = given(TX_QUEUE);
    assert_true(head >= 0);
    assert_int_equal(chain_bytes(TX_QUEUE, (unsigned)head), HEAD_BYTES + 1000);
    assert_int_equal(desc(TX_QUEUE, desc(TX_QUEUE, (unsigned)head)->next)->addr, (uintptr_t)page + 8);
    give_back(TX_QUEUE, (uint32_t)head, 0);
    interrupt();
}

static void a_full_queue_drops_frames_and_counts_them(void **state)
{
    struct node *n = *state;
    unsigned room = SIZE_MAX_OF_QUEUE / TX_STRIDE;
    for (unsigned i = 0; i < room + 5; i++)
        send(n, NULL, 0);
    assert_int_equal(found->stat.tx_drop, 5);
    for (int head; (head = given(TX_QUEUE)) >= 0;)
        give_back(TX_QUEUE, (uint32_t)head, 0);
    send(n, NULL, 0);
    assert_int_equal(found->stat.tx_drop, 5);
}

// --- A device that lies --------------------------------------------------------------------------

static void lengths_that_no_frame_has_are_counted_as_bad(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0, 1, HEAD_BYTES - 1, HEAD_BYTES + 3 * PAGE_SIZE + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        give_back(RX_QUEUE, (uint32_t)given(RX_QUEUE), bad[i]);
        interrupt();
        assert_int_equal(found->stat.rx_bad, i + 1);
    }
    assert_int_equal(found->stat.rx, 0);
}

static void numbers_of_chains_that_the_device_has_not_are_ignored(void **state)
{
    struct node *n = *state;
    static const uint32_t bad[] = {1, 3, SIZE_MAX_OF_QUEUE - 1, SIZE_MAX_OF_QUEUE, 1u << 16, 1u << 31, UINT32_MAX};
    send(n, NULL, 0); // so that something is out there
    for (unsigned queue = 0; queue < 2; queue++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            give_back(queue, bad[i], HEAD_BYTES);
            interrupt();
        }
    assert_int_equal(frames(), 0);
    assert_int_equal(((struct vnet *)found->driver)->tx_busy, 1);
}

static void a_chain_that_comes_back_twice_counts_once(void **state)
{
    struct node *n = *state;
    uint32_t rx = (uint32_t)given(RX_QUEUE);
    uint8_t *page = page_alloc(n);
    send(n, page, PAGE_SIZE);
    page_drop(n, page);
    uint32_t tx = (uint32_t)given(TX_QUEUE);
    for (int i = 0; i < 3; i++) {
        give_back(RX_QUEUE, rx, HEAD_BYTES);
        give_back(TX_QUEUE, tx, 0);
    }
    interrupt();
    struct vnet *v = found->driver;
    assert_int_equal(frames(), 1);
    assert_int_equal(v->rx_posted, v->rx_chains);
    assert_int_equal(v->tx_busy, 0);
}

static void a_count_that_runs_ahead_brings_no_more_than_was_given(void **state)
{
    (void)state;
    struct vnet *v = found->driver;
    unsigned had = v->rx_posted;
    uint16_t *idx = (uint16_t *)(uintptr_t)fake.queue[RX_QUEUE].at[2] + 1;
    *idx = 40000; // and all the entries name chain 0, of no length
    interrupt();
    assert_true(frames() <= had);
    for (int i = 0; i < 100; i++)
        interrupt();
    assert_true(v->rx_posted <= v->rx_chains);
}

// Random entries in both queues, with a count that is right, behind, or ahead.
static void whatever_a_device_writes_no_page_is_lost(void **state)
{
    struct node *n = *state;
    struct unit_rand r = {7};
    struct vnet *v = found->driver;
    for (int round = 0; round < 20000; round++) {
        unsigned queue = (unsigned)unit_below(&r, 2);
        int head = unit_below(&r, 4) ? given(queue) : (int)unit_below(&r, 2 * SIZE_MAX_OF_QUEUE);
        uint32_t len = (uint32_t)unit_below(&r, HEAD_BYTES + 4 * PAGE_SIZE);
        if (head >= 0)
            give_back(queue, (uint32_t)head, len);
        if (unit_below(&r, 3) == 0) {
            uint8_t *page = page_alloc(n);
            send(n, page, unit_below(&r, PAGE_SIZE));
            page_drop(n, page);
        }
        interrupt();
        assert_true(v->rx_posted <= v->rx_chains && v->tx_busy <= v->tx_chains);
    }
    // What the device still has to send is ours again when it is honest for once.
    for (unsigned i = 0; i < v->tx_chains; i++)
        if (v->tx_chain[i].state == CHAIN_DEVICE) {
            v->tx.posted = v->tx.seen = *((uint16_t *)(uintptr_t)fake.queue[TX_QUEUE].at[2] + 1);
            v->tx.posted++;
            give_back(TX_QUEUE, i * TX_STRIDE, 0);
            tx_reclaim(v);
        }
    assert_int_equal(v->tx_busy, 0);
}

static void a_device_that_does_not_agree_is_given_up(void **state)
{
    struct node *n = *state;
    size_t before = page_free_count(n);
    power_on();
    fake.refuses = true;
    probe(n);
    assert_null(found);
    assert_true(fake.status & 128); // FAILED
    power_on();
    fake.offered &= ~VIRTIO_F_VERSION_1;
    probe(n);
    assert_null(found);
    power_on();
    fake.keeps_status = true; // it never says that it has been reset
    fake.status = 1;
    probe(n);
    assert_null(found);
    pages_with_device -= before - page_free_count(n); // what they took is not given back
}

static void any_mtu_gives_a_payload_that_fits(void **state)
{
    struct node *n = *state;
    static const uint16_t mtu[] = {0, 1, 575, 576, 1500, 32768, 65535};
    size_t before = page_free_count(n);
    for (size_t i = 0; i < sizeof mtu / sizeof mtu[0]; i++) {
        power_on();
        config_mtu(mtu[i]);
        probe(n);
        if (!found) // no memory is left for its buffers
            continue;
        assert_in_range(found->payload_max, 8, WIRE_PAYLOAD_MAX);
        assert_int_equal(found->payload_max % 8, 0);
    }
    pages_with_device -= before - page_free_count(n);
}

#define DEVICE_TEST(f) cmocka_unit_test_setup_teardown(f, device_setup, device_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICE_TEST(the_device_is_brought_up_as_the_standard_says),
        DEVICE_TEST(frames_are_received_in_any_order_and_chains_given_again),
        DEVICE_TEST(pages_of_a_frame_are_held_until_the_device_has_read_them),
        DEVICE_TEST(a_full_queue_drops_frames_and_counts_them),
        DEVICE_TEST(lengths_that_no_frame_has_are_counted_as_bad),
        DEVICE_TEST(numbers_of_chains_that_the_device_has_not_are_ignored),
        DEVICE_TEST(a_chain_that_comes_back_twice_counts_once),
        DEVICE_TEST(a_count_that_runs_ahead_brings_no_more_than_was_given),
        DEVICE_TEST(whatever_a_device_writes_no_page_is_lost),
        DEVICE_TEST(a_device_that_does_not_agree_is_given_up),
        DEVICE_TEST(any_mtu_gives_a_payload_that_fits),
    };
    return UNIT_RUN(tests);
}
