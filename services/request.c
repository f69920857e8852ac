// SPDX-License-Identifier: BSD-2-Clause
// What operations need again and again: bytes of the request, bytes of the reply, and things that must live until the
// reply has reached the client.
#include "core/error.h"
#include "core/panic.h"
#include "services/service.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_LINE 160
#define APPEND_MAX (16 * MIB) // bytes of a list: 100,000 entries

void request_hold(struct request *r, struct seg *s)
{
    ASSERT(s);
    for (int i = 0; i < REQUEST_HOLDS; i++) {
        if (!r->held[i]) {
            r->held[i] = s;
            return;
        }
    }
    panic("a request holds more than %d segments", REQUEST_HOLDS);
}

void request_release(struct node *n, struct request *r, struct seg *s)
{
    for (int i = 0; i < REQUEST_HOLDS; i++) {
        if (r->held[i] == s) {
            r->held[i] = NULL;
            seg_drop(n, s);
            return;
        }
    }
    panic("a request gives up a segment that it does not hold");
}

void *request_page(struct node *n, struct request *r)
{
    if (!r->page)
        r->page = page_alloc(n);
    return r->page;
}

int request_bytes(struct node *n, const struct request *r, void *dst, size_t len)
{
    if (r->in.len != len)
        return -E_ARG;
    return buf_read(n, &r->data, 0, dst, len);
}

int64_t reply_cap(struct request *r, struct cap c)
{
    ASSERT(r->reply.kind == BUF_NONE);
    r->cap = c;
    r->reply = buf_kernel(&r->cap, sizeof r->cap);
    return 0;
}

int64_t reply_text(struct node *n, struct request *r, const char *fmt, ...)
{
    ASSERT(r->reply.kind == BUF_NONE);
    char *page = request_page(n, r);
    if (!page)
        return -E_MEM;
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(page, PAGE_SIZE, fmt, ap);
    va_end(ap);
    if (len < 0)
        return -E_ARG;
    if ((size_t)len >= PAGE_SIZE)
        len = (int)PAGE_SIZE - 1;
    r->reply = buf_kernel(page, (uint64_t)len);
    return 0;
}

int64_t reply_bytes(struct node *n, struct request *r, const void *p, size_t len)
{
    ASSERT(r->reply.kind == BUF_NONE && len <= PAGE_SIZE);
    void *page = request_page(n, r);
    if (!page)
        return -E_MEM;
    memcpy(page, p, len);
    r->reply = buf_kernel(page, len);
    return 0;
}

int64_t reply_append(struct node *n, struct request *r, const void *p, size_t len)
{
    if (r->reply.kind == BUF_NONE) {
        struct seg *s;
        int e = seg_create(n, APPEND_MAX, &s);
        if (e < 0)
            return e;
        request_hold(r, s);
        r->reply = buf_seg(s, 0, 0);
    }
    ASSERT(r->reply.kind == BUF_SEG && r->reply.len <= APPEND_MAX);
    if (len > APPEND_MAX - r->reply.len)
        return -E_LIMIT;
    int e = seg_write(n, r->reply.seg, r->reply.len, p, len);
    if (e < 0)
        return e;
    r->reply.len += len;
    return 0;
}

int64_t reply_line(struct node *n, struct request *r, const char *fmt, ...)
{
    char line[TEXT_LINE];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    if (len < 0)
        return -E_ARG;
    if ((size_t)len > sizeof line - 2)
        len = (int)sizeof line - 2;
    line[len] = '\n';
    return reply_append(n, r, line, (size_t)len + 1);
}

void request_end(struct node *n, struct request *r)
{
    for (int i = 0; i < REQUEST_HOLDS; i++)
        if (r->held[i])
            seg_drop(n, r->held[i]);
    if (r->page)
        page_drop(n, r->page);
    *r = (struct request){0};
}
