// SPDX-License-Identifier: BSD-2-Clause
// The keyboard of the shell: what each key means, and whether the program in front or the shell gets it.
#include "services/shell/shell_priv.h"

#include "core/error.h"
#include "core/panic.h"
#include <stdio.h>
#include <string.h>

#define KEYS_AT_ONCE 256u
#define NAMES_SHOWN 300u // bytes of a list of completions

// --- Completion -----------------------------------------------------------------------------------------------------

// Calls fn for the names of a directory or of the processes: both lists have a name of 32 bytes in each entry.
static void offer_list(struct node *n, const struct cap *c, uint32_t op, size_t entry, size_t at,
                       void (*fn)(void *arg, const char *name), void *arg)
{
    struct seg *s;
    uint64_t len;
    char name[NAME_MAX_LEN];
    if (fetch(n, c, op, 64 * KIB, &s, &len) < 0)
        return;
    for (uint64_t off = 0; off + entry <= len; off += entry) {
        if (seg_read(n, s, off + at, name, sizeof name) < 0)
            break;
        name[sizeof name - 1] = 0;
        fn(arg, name);
    }
    seg_drop(n, s);
}

static void offer_all(struct node *n, enum operand kind, void (*fn)(void *arg, const char *name), void *arg)
{
    const struct shell *sh = n->services->shell;
    if (kind == OPERAND_COMMAND)
        for (const struct command *c = commands; c->name; c++)
            fn(arg, c->name);
    if (kind == OPERAND_PROC)
        offer_list(n, &sh->proc, OP_PROC_LIST, sizeof(struct proc_entry), offsetof(struct proc_entry, name), fn, arg);
    if (kind == OPERAND_FILE)
        offer_list(n, &sh->bootfs, OP_DIR_LIST, sizeof(struct dir_entry), offsetof(struct dir_entry, name), fn, arg);
}

static void offer_name(void *arg, const char *name)
{
    completion_offer(arg, name);
}

struct shown {
    const struct completion *c;
    char text[NAMES_SHOWN];
    size_t len;
};
static void show_name(void *arg, const char *name)
{
    struct shown *s = arg;
    size_t len = strlen(name);
    if (strncmp(name, s->c->word, s->c->len) != 0 || s->len + len + 3 > sizeof s->text)
        return;
    s->len += (size_t)snprintf(s->text + s->len, sizeof s->text - s->len, "  %s", name);
}

// What the word before the cursor can be.
static void offer_word(struct node *n, const struct edit *e, const struct completion *c,
                       void (*fn)(void *arg, const char *name), void *arg)
{
    char first[NAME_MAX_LEN];
    const char *s = e->text + strspn(e->text, " ");
    size_t len = strcspn(s, " ");
    (void)snprintf(first, sizeof first, "%.*s", (int)(len < sizeof first ? len : 0), s);
    const struct command *cmd = command_find(first);
    if (c->first)
        offer_all(n, OPERAND_COMMAND, fn, arg);
    offer_all(n, c->first || !cmd ? OPERAND_FILE : cmd->operand, fn, arg);
}

static void complete(struct node *n, struct edit *e)
{
    struct completion c;
    completion_begin(e, &c);
    offer_word(n, e, &c, offer_name, &c);
    if (completion_apply(e, &c) || c.matches < 2)
        return;
    struct shown names = {.c = &c};
    offer_word(n, e, &c, show_name, &names);
    say(n, "%s", names.text);
}

// --- Keys for the program in front ----------------------------------------------------------------------------------

static void line_to_front(struct node *n, struct shell *sh)
{
    char text[EDIT_LINE_MAX + 1];
    size_t len = sh->edit->len;
    ASSERT(sh->front && len < sizeof text);
    struct cap tty = sh->front->tty; // it may end while we draw
    memcpy(text, sh->edit->text, len);
    text[len++] = '\n';
    sh->edit->cursor = sh->edit->len;
    show_row(n, SHOW_ENTERED);
    edit_remember(sh->edit);
    edit_reset(sh->edit);
    if (task_trans(n, &tty, OP_CONSOLE_TYPE, NULL, buf_kernel(text, len), buf_none(), SHELL_TIMEOUT_MS, NULL) ==
        -E_LIMIT)
        say(n, "The program does not read: that line is lost.");
}

static void event_to_front(struct node *n, struct shell *sh, enum edit_event event)
{
    switch (event) {
    case EDIT_LINE: line_to_front(n, sh); break;
    case EDIT_END: {
        struct cap tty = sh->front->tty;
        (void)ask(n, &tty, OP_CONSOLE_TYPE, 0, NULL, NULL);
        break;
    }
    case EDIT_INTERRUPT:
    case EDIT_SUSPEND:
        edit_reset(sh->edit);
        sh->interrupted |= event == EDIT_INTERRUPT;
        sh->suspended |= event == EDIT_SUSPEND;
        task_wake(n, sh);
        break;
    case EDIT_COMPLETE: (void)edit_insert(sh->edit, "    ", 4); break;
    default: break;
    }
}

// --- Keys for the shell ------------------------------------------------------------------------------------------

static void line_to_shell(struct node *n, struct shell *sh)
{
    while (sh->queued == SHELL_QUEUE)
        task_wait(n, sh->queue);
    unsigned last = (sh->queue_first + sh->queued) % SHELL_QUEUE;
    memcpy(sh->queue[last], sh->edit->text, sh->edit->len + 1);
    sh->queued++;
    edit_remember(sh->edit);
    edit_reset(sh->edit);
    task_wake(n, sh);
}

static void event_to_shell(struct node *n, struct shell *sh, enum edit_event event)
{
    switch (event) {
    case EDIT_LINE: line_to_shell(n, sh); break;
    case EDIT_END: say(n, "The shell does not end. stop switches the node off."); break;
    case EDIT_INTERRUPT: // the line is not meant; a command that prints at length stops
        sh->interrupted = true;
        edit_reset(sh->edit);
        task_wake(n, sh);
        break;
    case EDIT_COMPLETE: complete(n, sh->edit); break;
    case EDIT_CLEAR: show_row(n, SHOW_CLEAR); break;
    default: break;
    }
}

// Nothing rings: a lecture room has forty of these.
static void one_key(struct node *n, struct shell *sh, char c)
{
    enum edit_event event = edit_key(sh->edit, c);
    if (sh->front)
        event_to_front(n, sh, event);
    else
        event_to_shell(n, sh, event);
}

void keys_main(struct node *n, void *arg)
{
    struct shell *sh = arg;
    char keys[KEYS_AT_ONCE];
    const uint64_t most[4] = {0, sizeof keys, 0, 0};
    for (;;) {
        struct task_result r;
        int64_t status =
            task_trans(n, &sh->console, OP_CONSOLE_KEYS, most, buf_none(), buf_kernel(keys, sizeof keys), 0, &r);
        if (status < 0) {
            task_sleep(n, NS_PER_S);
            continue;
        }
        for (uint64_t i = 0; i < r.len; i++)
            one_key(n, sh, keys[i]);
        if (sh->queued == 0) // else the main task is about to show that line
            show_row(n, SHOW_TYPED);
    }
}
