// SPDX-License-Identifier: BSD-2-Clause
// Grants: read from what a person typed, fetched from a boot directory, and noted for info.
#include "services/grant.h"
#include "core/error.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/task.h"
#include "core/text.h"
#include "services/dir.h"
#include "services/protocol.h"

#include <stdio.h>
#include <string.h>

#define FETCH_TIMEOUT_MS 10000

static const struct right {
    const char *name;
    char letter;
    uint32_t bits;
} rights[] = {{"read", 'r', RIGHT_READ},       {"write", 'w', RIGHT_WRITE},       {"create", 'c', RIGHT_CREATE},
              {"destroy", 'd', RIGHT_DESTROY}, {"exec", 'x', RIGHT_EXEC},         {"control", 'k', RIGHT_CONTROL},
              {"owner", 'o', RIGHT_OWNER},     {.name = "all", .bits = RIGHT_ALL}};
#define RIGHTS (sizeof rights / sizeof rights[0])

// --- Reading ----------------------------------------------------------------------------------------------

// "read,exec": its bits; 0: not rights.
static uint32_t parse_rights(const char *text)
{
    uint32_t bits = 0;
    for (;;) {
        size_t len = strcspn(text, ","), i = 0;
        while (i < RIGHTS && (strlen(rights[i].name) != len || strncmp(rights[i].name, text, len) != 0))
            i++;
        if (i == RIGHTS)
            return 0;
        bits |= rights[i].bits;
        if (text[len] == 0)
            return bits;
        text += len + 1;
    }
}

static bool take_name(char to[NAME_MAX_LEN], const char *from, size_t len)
{
    if (len == 0 || len >= NAME_MAX_LEN || !text_is_plain(from, len))
        return false;
    memset(to, 0, NAME_MAX_LEN);
    memcpy(to, from, len);
    return true;
}

// The first len bytes of text: NAME or NAME@NODE.
static bool parse_place(const char *text, size_t len, struct grant *g)
{
    const char *at = memchr(text, '@', len);
    size_t name = at ? (size_t)(at - text) : len;
    g->node[0] = 0;
    if (!take_name(g->name, text, len) || !take_name(g->what, text, name))
        return false;
    return !at || take_name(g->node, at + 1, len - name - 1);
}

// Names under which a program finds what does not come from a boot directory.
static bool is_reserved(const char *what)
{
    return strcmp(what, "tty") == 0 || strcmp(what, "files") == 0 || strcmp(what, GRANT_MEET) == 0 ||
           strncmp(what, "file:", 5) == 0;
}

const char *grant_parse(const char *text, struct grant *g)
{
    size_t len = strcspn(text, ":");
    if (is_reserved(text) || !parse_place(text, len, g) || is_reserved(g->what))
        return "is no grant: that is WHAT, WHAT@NODE or WHAT:RIGHTS, such as node or proc:exec,read";
    g->rights = text[len] ? parse_rights(text + len + 1) : RIGHT_READ;
    return g->rights ? NULL : "names no right: those are read, write, create, destroy, exec, control, owner and all";
}

const char *grant_parse_meet(const char *text, struct grant *g)
{
    if (!parse_place(text, strlen(text), g))
        return "is no meeting: that is NAME or NAME@NODE, 31 printable ASCII characters at most";
    memcpy(g->name, GRANT_MEET, sizeof GRANT_MEET);
    g->rights = 0;
    return NULL;
}

// --- Fetching ---------------------------------------------------------------------------------------------

static int64_t ask(struct node *n, const struct cap *c, uint32_t op, uint64_t arg0, const char *name, struct cap *out)
{
    const uint64_t arg[4] = {arg0, 0, 0, 0};
    struct task_result r;
    int64_t s = task_trans(n, c, op, arg, name ? buf_kernel(name, strlen(name)) : buf_none(),
                           buf_kernel(out, sizeof *out), FETCH_TIMEOUT_MS, &r);
    if (s >= 0 && r.len != sizeof *out)
        return -E_FORMAT;
    return s < 0 ? s : 0;
}

int64_t grant_fetch(struct node *n, const char *node, const struct grant *g, struct cap *out)
{
    const char *at = g->node[0] ? g->node : node;
    struct cap root = dir_root_cap(n->ring_key, at, RIGHT_ALL), found;
    int64_t s;
    if (strcmp(g->name, GRANT_MEET) == 0)
        return ask(n, &root, OP_DIR_MEET, 0, g->what, out);
    if (strcmp(g->what, "dir") == 0)
        return ask(n, &root, OP_RESTRICT, g->rights, NULL, out);
    s = ask(n, &root, OP_DIR_LOOKUP, 0, g->what, &found);
    if (s == 0)
        s = ask(n, &found, OP_RESTRICT, g->rights, NULL, out);
    if (s == 0 && cap_rights(out) == 0)
        return -E_RIGHTS; // it would be good for nothing
    return s;
}

// --- Noting -----------------------------------------------------------------------------------------------

void grant_note(char note[NAME_MAX_LEN], const struct grant *g)
{
    static const char more[] = " +..";
    char text[2 * NAME_MAX_LEN], letters[RIGHTS + 1];
    size_t len = strlen(note), nletters = 0;
    for (size_t i = 0; i < RIGHTS; i++)
        if (rights[i].letter && (g->rights & rights[i].bits))
            letters[nletters++] = rights[i].letter;
    letters[nletters] = 0;
    bool meet = strcmp(g->name, GRANT_MEET) == 0;
    int wanted = snprintf(text, sizeof text, "%s+%s:%s", len ? " " : "", g->name, meet ? g->what : letters);
    if (len >= 3 && strcmp(note + len - 3, "+..") == 0)
        return; // there was no room before
    if (len + (size_t)wanted + sizeof more <= NAME_MAX_LEN)
        memcpy(note + len, text, (size_t)wanted + 1);
    else
        memcpy(note + len, len ? more : more + 1, len ? sizeof more : sizeof more - 1);
    ASSERT(strlen(note) < NAME_MAX_LEN);
}
