// SPDX-License-Identifier: BSD-2-Clause
// malloc with boundary tags and segregated lists (D. E. Knuth, TAOCP 1, 2.5; M. Masmano and others, "TLSF", 2004).
// Every operation takes constant time. picolibc's keeps one list of free blocks and walks it at every call: Lua's
// garbage collector spends a hundred times as long there as in the work itself.
//
//   in use   | size, flags | payload ...                                |
//   free     | size, flags | next | previous | ...         | size again |
//            8 bytes       ^ multiple of 16
//
// Two neighbours are never both free. The "size again" at a free block's end is how its right neighbour finds its
// beginning; that this is there to be read, the neighbour's flag LEFT_FREE says. The heap ends with a header of size 0,
// in use, so that the last block has a right neighbour too.
//
// The lock is a plain mutex. Nothing that runs under it may call malloc again, as it would wait for itself: an
// assertion that fails may print all the same, for neither printf nor the terminal allocates anything.
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/lib/internal.h"

#define FREE 1u
#define LEFT_FREE 2u
#define FLAGS 15u
#define HEADER sizeof(size_t)
#define BLOCK_MIN 32 // header, two links, size again
#define GROWTH ((size_t)64 * 1024)
#define REQUEST_MAX (SIZE_MAX / 4)

struct block {
    size_t word;                   // size of the whole block, header included, | flags
    struct block *next, *previous; // of a free block: others in its list
};
_Static_assert(sizeof(struct block) + sizeof(size_t) == BLOCK_MIN, "a free block holds all that is kept of it");
_Static_assert((FREE | LEFT_FREE) <= FLAGS && FLAGS < 16, "flags lie below every size");

// Lists: one for each multiple of 16 below 512, then eight for each power of two.
#define SMALL 512
#define LISTS (32 + (62 - 9) * 8)
_Static_assert(SMALL == 1 << 9 && SMALL / 16 == 32, "the large sizes' lists begin behind the small ones'");

static struct mutex lock; // all below
static struct block *list[LISTS];
static uint64_t not_empty[(LISTS + 63) / 64]; // a bit for each list
static struct block *heap_end;                // the header of size 0

static size_t size_of(const struct block *b)
{
    return b->word & ~(size_t)FLAGS;
}
static struct block *at(const void *p, size_t offset)
{
    return (struct block *)((uintptr_t)p + offset);
}
static struct block *right_of(const struct block *b)
{
    return at(b, size_of(b));
}
static struct block *left_of(const struct block *b)
{
    return at(b, -((const size_t *)b)[-1]);
}
static void *payload(struct block *b)
{
    return at(b, HEADER);
}
static struct block *block_of(void *payload)
{
    return at(payload, -HEADER);
}

// --- Lists of free blocks ------------------------------------------------------------------------

// The list in which a block of this size is kept: its blocks are at least as long as list_floor says.
static unsigned list_for(size_t size)
{
    if (size < SMALL)
        return (unsigned)(size / 16);
    unsigned log = 63 - (unsigned)__builtin_clzl(size);
    return 32 + (log - 9) * 8 + (unsigned)(size >> (log - 3) & 7);
}

// `size` rounded up to the least size of a list: any block found there or beyond will do. Without the rounding the
// list's first block may be too short, and the search would have to walk: no constant time any more.
static size_t round_to_list(size_t size)
{
    if (size < SMALL)
        return size;
    size_t step = (size_t)1 << (63 - __builtin_clzl(size) - 3);
    return (size + step - 1) & ~(step - 1);
}

static void insert(struct block *b, size_t size)
{
    unsigned n = list_for(size);
    assert(size >= BLOCK_MIN && size % 16 == 0);
    b->word = size | FREE; // the left neighbour is in use: else they would be one block
    b->next = list[n];
    b->previous = NULL;
    if (b->next)
        b->next->previous = b;
    list[n] = b;
    not_empty[n / 64] |= 1ull << n % 64;
    struct block *right = right_of(b);
    ((size_t *)right)[-1] = size;
    right->word |= LEFT_FREE;
}

static void take_out(struct block *b)
{
    unsigned n = list_for(size_of(b));
    assert(b->word & FREE);
    assert(((const size_t *)right_of(b))[-1] == size_of(b)); // its two ends agree: nobody wrote across them
    if (b->previous)
        b->previous->next = b->next;
    else
        list[n] = b->next;
    if (b->next)
        b->next->previous = b->previous;
    if (!list[n])
        not_empty[n / 64] &= ~(1ull << n % 64);
    b->word &= ~(size_t)FREE;
    right_of(b)->word &= ~(size_t)LEFT_FREE;
}

// A free block of at least `size` bytes, taken out of its list; NULL if there is none.
static struct block *find(size_t size)
{
    unsigned n = list_for(round_to_list(size));
    uint64_t bits = not_empty[n / 64] & ~0ull << n % 64;
    for (unsigned word = n / 64;; bits = not_empty[word]) {
        if (bits) {
            struct block *b = list[word * 64 + (unsigned)__builtin_ctzll(bits)];
            take_out(b);
            assert(size_of(b) >= size);
            return b;
        }
        if (++word == sizeof not_empty / sizeof *not_empty)
            return NULL;
    }
}

// --- Blocks --------------------------------------------------------------------------------------

// Makes a free block of these bytes, one with its free neighbours: two free ones side by side would both be too short
// for what they could hold together, and the heap would fall to pieces. `flags`: what is known of the left one.
static void release(struct block *b, size_t size, size_t flags)
{
    struct block *right = at(b, size);
    if (right->word & FREE) {
        take_out(right);
        size += size_of(right);
        right->word |= FREE; // stays behind inside the new block: by it checked() knows a second free
    }
    if (flags & LEFT_FREE) {
        b->word |= FREE; // likewise
        b = left_of(b);
        size += size_of(b);
        take_out(b);
    }
    insert(b, size);
}

// Gives back what a block in use has beyond `size`, if that makes a block.
static void trim(struct block *b, size_t size)
{
    assert(size_of(b) >= size);
    size_t rest = size_of(b) - size;
    if (rest < BLOCK_MIN)
        return;
    b->word -= rest;
    release(right_of(b), rest, 0);
}

// Lengthens the heap, so that its last block, free, has at least `size` bytes.
static bool grow(size_t size)
{
    size_t more = (size + GROWTH - 1) & ~(GROWTH - 1);
    char *p = sbrk((ptrdiff_t)more);
    if (p == (void *)-1) {
        more = size; // maybe just this much is left
        p = sbrk((ptrdiff_t)more);
        if (p == (void *)-1)
            return false;
    }
    if (!heap_end || p != (char *)heap_end + HEADER) {
        // The first time; or somebody else called sbrk in between, and a new stretch begins: its first 8 bytes put
        // payloads at multiples of 16, its last 8 are the end's header.
        size_t skip = HEADER + (-(uintptr_t)p & 15);
        heap_end = at(p, skip);
        heap_end->word = 0;
        more -= skip + HEADER + ((more - skip - HEADER) & 15);
    }
    struct block *b = heap_end;
    size_t flags = b->word & LEFT_FREE;
    heap_end = at(b, more);
    heap_end->word = 0;
    release(b, more, flags);
    return true;
}

static size_t block_size(size_t request)
{
    size_t size = (request + HEADER + 15) & ~(size_t)15;
    return size < BLOCK_MIN ? BLOCK_MIN : size;
}

static struct block *allocate(size_t size)
{
    struct block *b = find(size);
    // Room for the stretch's ends and for rounding to the list, so that the second search cannot fail.
    if (!b && grow(round_to_list(size) + 64))
        b = find(size);
    if (b)
        trim(b, size);
    return b;
}

static noreturn void die(const char *what)
{
    fprintf(stderr, "malloc: %s\n", what);
    abort();
}

// The block that the program calls by this address. Before the lock is taken, for a handler of SIGABRT may call malloc.
// That is safe: no other thread changes size or FREE of a block in use.
static struct block *checked(void *p)
{
    struct block *b = block_of(p);
    if ((uintptr_t)p % 16 != 0 || size_of(b) < BLOCK_MIN || (b->word & FREE))
        die("this address was not allocated, or is free already, or its block was overwritten");
    return b;
}

// --- What programs call --------------------------------------------------------------------------

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t request)
{
    if (request > REQUEST_MAX)
        return no_memory();
    mutex_lock(&lock);
    struct block *b = allocate(block_size(request));
    mutex_unlock(&lock);
    return b ? payload(b) : no_memory();
}

void free(void *p)
{
    if (!p)
        return;
    struct block *b = checked(p);
    mutex_lock(&lock);
    release(b, size_of(b), b->word);
    mutex_unlock(&lock);
}

void *calloc(size_t n, size_t size)
{
    size_t request;
    if (__builtin_mul_overflow(n, size, &request))
        return no_memory();
    void *p = malloc(request);
    return p ? memset(p, 0, request) : NULL;
}

// Makes the block `size` bytes long where it is. Under the lock.
static bool resize(struct block *b, size_t size)
{
    struct block *right = right_of(b);
    if (size_of(b) < size) {
        if (!(right->word & FREE) || size_of(b) + size_of(right) < size)
            return false;
        take_out(right);
        b->word += size_of(right);
    }
    trim(b, size);
    return true;
}

void *realloc(void *p, size_t request)
{
    if (!p)
        return malloc(request);
    if (request > REQUEST_MAX)
        return no_memory();
    struct block *b = checked(p);
    mutex_lock(&lock);
    bool done = resize(b, block_size(request));
    mutex_unlock(&lock);
    if (done)
        return p;
    void *q = malloc(request);
    if (!q) // and p is as it was: the standard promises that
        return NULL;
    size_t had = size_of(b) - HEADER;
    memcpy(q, p, had < request ? had : request);
    free(p);
    return q;
}

// Gives back what lies before the first multiple of `alignment`. Under the lock.
static struct block *align(struct block *b, size_t alignment)
{
    uintptr_t p = (uintptr_t)payload(b), to = (p + alignment - 1) & ~(alignment - 1);
    if (to == p)
        return b;
    if (to - p < BLOCK_MIN) // too little to be a block: it would belong to nobody
        to += alignment;
    size_t skip = to - p;
    assert(skip >= BLOCK_MIN && size_of(b) >= skip + BLOCK_MIN);
    struct block *aligned = at(b, skip);
    aligned->word = size_of(b) - skip;
    b->word -= aligned->word;
    release(b, skip, b->word);
    return aligned;
}

void *memalign(size_t alignment, size_t request);
void *memalign(size_t alignment, size_t request)
{
    if (alignment == 0 || alignment & (alignment - 1)) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment <= 16)
        return malloc(request);
    if (alignment > REQUEST_MAX || request > REQUEST_MAX)
        return no_memory();
    size_t size = block_size(request);
    mutex_lock(&lock);
    struct block *b = allocate(size + alignment + BLOCK_MIN);
    if (b) {
        b = align(b, alignment);
        trim(b, size);
    }
    mutex_unlock(&lock);
    return b ? payload(b) : no_memory();
}

void *aligned_alloc(size_t alignment, size_t request)
{
    return memalign(alignment, request);
}

int posix_memalign(void **out, size_t alignment, size_t request)
{
    if (alignment % sizeof(void *) != 0)
        return EINVAL;
    int errno_before = errno; // POSIX leaves it alone here
    void *p = memalign(alignment, request);
    int error = p ? 0 : errno;
    errno = errno_before;
    if (p)
        *out = p;
    return error;
}

size_t malloc_usable_size(void *p);
size_t malloc_usable_size(void *p)
{
    return p ? size_of(checked(p)) - HEADER : 0;
}
