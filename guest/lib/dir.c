// SPDX-License-Identifier: BSD-2-Clause
// The directory service, from the client's side (services/protocol/dir.h).
#include <assert.h>
#include <string.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

#define NAME_BYTES sizeof(((struct dir_entry *)0)->name) // final zero included

// The directory meant by `dir`, which may be NULL: then *own is filled in, if we have one to meet in.
static const struct cap *directory(const struct cap *dir, struct cap *own)
{
    if (dir)
        return dir;
    return startup_cap("meet", own) == 0 ? own : NULL;
}

// One transaction whose request is the name followed by `more` bytes at `extra`.
static int64_t ask(const struct cap *dir, uint32_t op, const char *name, const void *extra, size_t more, void *rep,
                   size_t rep_cap, struct trans_result *result)
{
    struct cap own;
    const struct cap *d = directory(dir, &own);
    if (!d)
        return -E_GRANT;
    size_t len = strnlen(name, NAME_BYTES);
    if (len == 0 || len == NAME_BYTES)
        return -E_ARG;
    char req[NAME_BYTES + 1 + sizeof(struct cap)];
    assert(more <= sizeof(struct cap));
    memcpy(req, name, len);
    if (more) {
        req[len++] = 0;
        memcpy(req + len, extra, more);
    }
    return trans(d, op, NULL, req, len + more, rep, rep_cap, result);
}

int64_t dir_lookup(const struct cap *dir, const char *name, struct cap *out)
{
    struct trans_result result;
    struct cap found;
    int64_t status = ask(dir, OP_DIR_LOOKUP, name, NULL, 0, &found, sizeof found, &result);
    if (status < 0)
        return status;
    if (result.reply_len != sizeof found)
        return -E_FORMAT;
    *out = found;
    return 0;
}

int64_t dir_enter(const struct cap *dir, const char *name, const struct cap *cap)
{
    return ask(dir, OP_DIR_ENTER, name, cap, sizeof *cap, NULL, 0, NULL);
}

int64_t dir_remove(const struct cap *dir, const char *name)
{
    return ask(dir, OP_DIR_REMOVE, name, NULL, 0, NULL, 0, NULL);
}
