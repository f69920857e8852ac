// SPDX-License-Identifier: BSD-2-Clause
// A program that tries what it should not be able to do. Each line says what came of it; a refusal is
// what is right.
//
// It has what it was granted (--grant), which is nothing when nobody says so.
//
//   evil dir                what the boot directory holds for it, and with which rights
//   evil steal NAME         reads the memory of another program of its node, looks for a secret, and ends it
//   evil raise              gives itself the highest priority, and memory without limit
//   evil phish              enters a port of its own as "proc", and puts the true one back
//   evil stop               switches the node off
//   evil names-itself       starts a process whose name is an order to the terminal that lists it
//   evil double EP          starts a process under the endpoint of another (hexadecimal)
//   evil serves GET KEY     serves the boot directory's port: both are two numbers A:B (hexadecimal)
#include <stdlib.h>

#include "guest/tests/evil.h"

static void say(const char *what, int64_t status)
{
    printf("evil: %s: %s\n", what, outcome(status));
}

// --- What it was given -----------------------------------------------------------------------------------------------

static void list_directory(void)
{
    static struct dir_entry entries[64];
    struct cap dir = service("dir");
    struct trans_result r = {0};
    int64_t e = trans(&dir, OP_DIR_LIST, NULL, NULL, 0, entries, sizeof entries, &r);
    say("list of the directory", e);
    for (uint64_t i = 0; e >= 0 && i < r.reply_len / sizeof entries[0]; i++)
        printf("evil: has %s, rights %02x\n", entries[i].name, entries[i].cap.obj_rights & RIGHT_ALL);
}

// --- Other processes -------------------------------------------------------------------------------------------------

static struct proc_entry processes[64];

static uint64_t list_processes(void)
{
    struct cap proc = service("proc");
    struct trans_result r = {0};
    int64_t e = trans(&proc, OP_PROC_LIST, NULL, NULL, 0, processes, sizeof processes, &r);
    say("list of the processes", e);
    return e < 0 ? 0 : r.reply_len / sizeof processes[0];
}

#define SECRET "SECRET-"

// True if one page of a segment of another process holds a secret.
static bool page_has_secret(const struct cap *seg, uint64_t off, uint64_t *next)
{
    static char page[PAGE];
    const uint64_t args[4] = {off, PAGE};
    struct trans_result r = {0};
    if (trans(seg, OP_READ, args, NULL, 0, page, sizeof page, &r) < 0 || r.reply_len + r.res[0] == 0) {
        *next = UINT64_MAX;
        return false;
    }
    *next = off + r.reply_len + r.res[0];
    for (uint64_t i = 0; i + 16 < r.reply_len; i++)
        if (memcmp(page + i, SECRET, strlen(SECRET)) == 0) {
            printf("evil: stole '%.20s'\n", page + i);
            return true;
        }
    return false;
}

static bool segment_has_secret(const struct desc_seg *seg)
{
    for (uint64_t off = 0; off < seg->source_len;)
        if (page_has_secret(&seg->source, off, &off))
            return true;
    return false;
}

// Its descriptor names a capability of each of its segments.
static void read_memory(const unsigned char *descriptor, uint64_t len)
{
    struct desc_sec head;
    for (uint64_t at = sizeof(struct desc_hdr); at + sizeof head <= len; at += sizeof head + ((head.len + 7) & ~7ull)) {
        struct desc_seg seg;
        memcpy(&head, descriptor + at, sizeof head);
        memcpy(&seg, descriptor + at + sizeof head, sizeof seg);
        if (head.tag == DESC_SEG && segment_has_secret(&seg))
            return;
    }
}

static void steal_from(const struct cap *victim)
{
    static unsigned char descriptor[1 << 20];
    const uint64_t quietly[4] = {0, 1};
    struct trans_result r = {0};
    say("stun it", trans(victim, OP_PROC_STUN, quietly, NULL, 0, NULL, 0, NULL));
    int64_t e = trans(victim, OP_PROC_GET, NULL, NULL, 0, descriptor, sizeof descriptor, &r);
    say("get its descriptor", e);
    if (e >= 0)
        read_memory(descriptor, r.reply_len);
    say("end it", cap_destroy(victim));
}

static void steal(const char *name)
{
    uint64_t count = list_processes();
    for (uint64_t i = 0; i < count; i++)
        if (strcmp(processes[i].name, name) == 0)
            steal_from(&processes[i].cap);
}

static void raise_itself(void)
{
    const uint64_t highest[4] = {7, 8}, any[4] = {0};
    struct self self;
    sys_self(&self);
    uint64_t count = list_processes();
    for (uint64_t i = 0; i < count; i++)
        if (processes[i].ep == self.endpoint) {
            say("priority 7", trans(&processes[i].cap, OP_PROC_SET_PRIORITY, highest, NULL, 0, NULL, 0, NULL));
            say("memory without limit", trans(&processes[i].cap, OP_PROC_SET_LIMIT, any, NULL, 0, NULL, 0, NULL));
        }
}

// --- In the place of others ------------------------------------------------------------------------------------------

static void phish(void)
{
    struct cap dir, proc = {0}, own;
    bool has = startup_cap("dir", &dir) == 0; // else, where it meets others
    (void)own_port(&own);
    (void)dir_lookup(has ? &dir : NULL, "proc", &proc);
    int64_t e = dir_enter(has ? &dir : NULL, "proc", &own);
    say("entered as proc", e);
    if (e >= 0)
        (void)dir_enter(has ? &dir : NULL, "proc", &proc);
}

static void start_under(const char *name, uint64_t ep)
{
    struct cap proc = service("proc");
    struct plan plan = {.name = name, .ep = ep};
    uint64_t pid = 0;
    int64_t e = exec_plan(&proc, &plan, &pid);
    printf("evil: started %06lx: %s\n", (unsigned long)pid, outcome(e));
}

// "A:B", two hexadecimal numbers.
static void two_words(const char *text, uint64_t words[2])
{
    char *end;
    words[0] = strtoul(text, &end, 16);
    words[1] = *end ? strtoul(end + 1, NULL, 16) : 0;
}

// No capability at all is needed: what the boot directory's are made of follows from the ring key.
static void serve_directory(const char *get_text, const char *key_text)
{
    uint64_t key[2];
    struct port get, put;
    struct cap node;
    two_words(get_text, get.w);
    two_words(key_text, key);
    int64_t handle = port_listen(get, &put);
    say("serve the boot directory's port", handle);
    (void)port_close(handle);
    struct cap dir = cap_make(put, 0, RIGHT_ALL, (const uint8_t *)key);
    say("look up in the boot directory by a capability that nobody gave", dir_lookup(&dir, "node", &node));
}

static void stop_node(void)
{
    struct cap node = service("node");
    say("stop", trans(&node, OP_NODE_STOP, NULL, NULL, 0, NULL, 0, NULL));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "dir") == 0)
        list_directory();
    else if (strcmp(mode, "steal") == 0 && argc > 2)
        steal(argv[2]);
    else if (strcmp(mode, "raise") == 0)
        raise_itself();
    else if (strcmp(mode, "phish") == 0)
        phish();
    else if (strcmp(mode, "stop") == 0)
        stop_node();
    else if (strcmp(mode, "names-itself") == 0)
        start_under("\033]0;owned\007\033[31mRED", 0);
    else if (strcmp(mode, "double") == 0 && argc > 2)
        start_under("double", strtoul(argv[2], NULL, 16));
    else if (strcmp(mode, "serves") == 0 && argc > 3)
        serve_directory(argv[2], argv[3]);
    else
        return 2;
    return 0;
}
