// SPDX-License-Identifier: BSD-2-Clause
// Whole pages are shared; what does not fill a page at the beginning and the end is copied.
#include "services/proc/local_source.h"

#include "core/cap.h"
#include "core/error.h"
#include "core/node.h"
#include "services/bootfs.h"
#include "services/service.h"

bool local_source_here(const struct node *n, const struct cap *source)
{
    return port_eq(source->port, n->seg_put) || bootfs_serves(n, source->port);
}

// Bytes that lie at other places of their pages than they shall cannot be shared.
static bool lies_right(uint64_t source_off, uint64_t dest_off)
{
    return ((source_off ^ dest_off) & PAGE_MASK) == 0;
}

bool local_source_at_once(const struct node *n, const struct desc_seg *s)
{
    return bootfs_serves(n, s->source.port) ||
           (port_eq(s->source.port, n->seg_put) && lies_right(s->source_off, s->dest_off));
}

// Bytes that do not fill a page.
static int copy_part(struct node *n, const struct desc_fill *f, struct seg *s, uint64_t at, uint64_t len)
{
    struct buf from = buf_seg(s, f->source_off + at, len);
    struct buf to = buf_seg(f->seg, f->dest_off + at, len);
    // Zeros are there already.
    return seg_hole(s, f->source_off + at, len) == len ? 0 : buf_copy(n, &to, 0, &from, 0, len);
}

static int share_segment(struct node *n, const struct desc_fill *f, struct seg *s)
{
    uint64_t head = -f->dest_off & PAGE_MASK;
    if (head > f->source_len)
        head = f->source_len;
    uint64_t pages = (f->source_len - head) & ~PAGE_MASK, tail = f->source_len - head - pages;
    int r = head ? copy_part(n, f, s, 0, head) : 0;
    if (r == 0 && pages)
        r = seg_share(n, f->seg, f->dest_off + head, s, f->source_off + head, pages);
    if (r == 0 && tail)
        r = copy_part(n, f, s, head + pages, tail);
    return r < 0 ? r : 1;
}

static int from_segment(struct node *n, const struct desc_fill *f)
{
    struct seg *s = cap_obj(&f->source) ? seg_find(n, cap_obj(&f->source)) : NULL;
    if (!s)
        return -E_OBJECT;
    int r = service_verify(n, &f->source, (const uint64_t *)(const void *)seg_key(n, s), RIGHT_READ);
    if (r < 0)
        return r;
    if (f->source_off > s->len || f->source_len > s->len - f->source_off)
        return -E_EOF;
    if (!lies_right(f->source_off, f->dest_off))
        return 0;
    return share_segment(n, f, s);
}

static int from_store(struct node *n, const struct desc_fill *f)
{
    struct seg *image;
    uint64_t in_page = f->dest_off & PAGE_MASK;
    int r = bootfs_image(n, &f->source, f->source_off, f->source_len, in_page, &image);
    if (r == 0)
        r = seg_share(n, f->seg, f->dest_off - in_page, image, 0, image->len);
    return r < 0 ? r : 1;
}

int local_source_fill(struct node *n, const struct desc_fill *f)
{
    if (port_eq(f->source.port, n->seg_put))
        return from_segment(n, f);
    if (bootfs_serves(n, f->source.port))
        return from_store(n, f);
    return 0;
}
