// SPDX-License-Identifier: BSD-2-Clause
// The shell's transactions: what it says, what it asks services for, and the row that it has drawn.
#include "core/error.h"
#include "core/panic.h"
#include "services/shell/shell_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAY_MAX 320u

void say(struct node *n, const char *fmt, ...)
{
    char text[SAY_MAX];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof text - 1, fmt, ap);
    va_end(ap);
    if (len < 0)
        return;
    if ((size_t)len > sizeof text - 2)
        len = (int)sizeof text - 2;
    text[len++] = '\n';
    (void)task_trans(n, &n->services->shell->console, OP_WRITE, NULL, buf_kernel(text, (uint64_t)len), buf_none(), 0,
                     NULL);
}

int64_t fetch(struct node *n, const struct cap *c, uint32_t op, uint64_t max, struct seg **out, uint64_t *len)
{
    struct task_result r;
    int e = seg_create(n, max, out);
    if (e < 0)
        return e;
    int64_t status = task_trans(n, c, op, NULL, buf_none(), buf_seg(*out, 0, max), SHELL_TIMEOUT_MS, &r);
    if (status < 0)
        seg_drop(n, *out);
    *len = status < 0 ? 0 : r.len;
    return status;
}

int64_t ask(struct node *n, const struct cap *c, uint32_t op, uint64_t arg0, const char *name, struct cap *out)
{
    const uint64_t arg[4] = {arg0, 0, 0, 0};
    struct task_result r;
    int64_t status = task_trans(n, c, op, arg, name ? buf_kernel(name, strlen(name)) : buf_none(),
                                out ? buf_kernel(out, sizeof *out) : buf_none(), SHELL_TIMEOUT_MS, &r);
    return status >= 0 && out && r.len != sizeof *out ? -E_FORMAT : status;
}

void show_row(struct node *n, uint32_t how)
{
    struct shell *sh = n->services->shell;
    const struct edit *e = sh->edit;
    char text[sizeof sh->prompt + EDIT_LINE_MAX];
    ASSERT(e->len <= EDIT_LINE_MAX && e->cursor <= e->len);
    size_t len = sh->at_prompt ? strlen(sh->prompt) : 0;
    const uint64_t arg[4] = {len + e->cursor, how, 0, 0};
    memcpy(text, sh->prompt, len);
    memcpy(text + len, e->text, e->len);
    (void)task_trans(n, &sh->console, OP_CONSOLE_SHOW, arg, buf_kernel(text, len + e->len), buf_none(), 0, NULL);
}
