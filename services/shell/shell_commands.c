// SPDX-License-Identifier: BSD-2-Clause
// The commands of the shell: a table at the end of the file, and a function for each.
#include "services/elf.h"
#include "services/shell/shell_priv.h"

#include "core/text.h"
#include "core/thread.h"
#include <stdio.h>
#include <string.h>

#define LIST_MAX (256 * KIB)
#define CAT_CHUNK 1024u
#define TRACE_LINES 20u
#define NO_PROCESS "No process runs here. Try: lua demo.lua 200 &"

static struct shell *shell_of(struct node *n)
{
    return n->services->shell;
}

static void say_error(struct node *n, const char *what, int64_t status)
{
    say(n, "%s: %s", what, error_string(status));
}

// Prints the last `lines` lines of a text in a segment, straight from there.
static void print_text(struct node *n, struct seg *s, uint64_t len, uint64_t lines)
{
    uint64_t at = len;
    char c = 0;
    for (; at > 0; at--) {
        if (seg_read(n, s, at - 1, &c, 1) < 0)
            return;
        if (c == '\n' && at < len && lines-- <= 1)
            break;
    }
    while (at < len && !shell_of(n)->interrupted) {
        uint64_t run = len - at < 16 * KIB ? len - at : 16 * KIB;
        if (task_trans(n, &shell_of(n)->console, OP_WRITE, NULL, buf_seg(s, at, run), buf_none(), 0, NULL) < 0)
            return;
        at += run;
    }
}

static void print_reply(struct node *n, const char *what, const struct cap *c, uint32_t op, uint64_t lines)
{
    struct seg *s;
    uint64_t len;
    int64_t status = fetch(n, c, op, LIST_MAX, &s, &len);
    if (status < 0) {
        say_error(n, what, status);
        return;
    }
    print_text(n, s, len, lines);
    seg_drop(n, s);
}

// --- Processes ------------------------------------------------------------------------------------------------------

// Calls fn for each process of this node until it answers false.
static int64_t each_proc(struct node *n, bool (*fn)(struct node *n, const struct proc_entry *e, void *arg), void *arg)
{
    struct seg *s;
    uint64_t len;
    struct proc_entry e;
    int64_t status = fetch(n, &shell_of(n)->proc, OP_PROC_LIST, LIST_MAX, &s, &len);
    if (status < 0)
        return status;
    for (uint64_t off = 0; off + sizeof e <= len; off += sizeof e) {
        if (seg_read(n, s, off, &e, sizeof e) < 0)
            break;
        e.name[sizeof e.name - 1] = 0;
        text_make_plain(e.name, strlen(e.name));
        if (!fn(n, &e, arg))
            break;
    }
    seg_drop(n, s);
    return 0;
}

struct search {
    const char *what; // a name, or the beginning of a number; "": the only process there is
    unsigned by_name, by_number;
    char name[NAME_MAX_LEN];
    uint32_t pid;
    struct cap cap;
};

static void found(struct search *q, const char *name, uint32_t pid, const struct cap *cap)
{
    char number[8];
    (void)snprintf(number, sizeof number, "%06x", (unsigned)(pid & CAP_OBJ_MAX));
    bool named = strcmp(name, q->what) == 0;
    if (!named && (q->by_name || strncmp(number, q->what, strlen(q->what)) != 0))
        return;
    q->by_number += !named;
    q->by_name += named;
    (void)snprintf(q->name, sizeof q->name, "%s", name);
    q->pid = pid;
    q->cap = *cap;
}

static bool look_at(struct node *n, const struct proc_entry *e, void *arg)
{
    if (e->state != PROC_DEAD && !job_by_pid(n, e->pid))
        found(arg, e->name, e->pid, &e->cap);
    return true;
}

// A process of this node, or one that the shell started, wherever it is. false, after saying why.
static bool find_proc(struct node *n, const char *what, struct search *q)
{
    what = what ? what : "";
    *q = (struct search){.what = what};
    LIST_FOR (l, &shell_of(n)->jobs) {
        const struct job *j = LIST_ENTRY(l, struct job, link);
        if (!j->over && j->pid)
            found(q, j->name, j->pid, &j->process);
    }
    int64_t status = each_proc(n, look_at, q);
    unsigned hits = q->by_name ? q->by_name : q->by_number;
    if (status < 0)
        say_error(n, what, status);
    else if (hits == 0 && !*what)
        say(n, NO_PROCESS);
    else if (hits == 0)
        say(n, "%s: no process here has this name or number. Try: ps", what);
    else if (hits > 1 && !*what)
        say(n, "Which of the %u processes? Say its name, or how its number begins. Try: ps", hits);
    else if (hits > 1)
        say(n, "%s: %u processes are called so; say which by number. Try: ps", what, hits);
    return status >= 0 && hits == 1;
}

static const char *state_of(struct node *n, uint32_t state)
{
    (void)n;
    return state < PROC_STATES ? proc_state_name((enum proc_state)state) : "?";
}

struct listing {
    unsigned count;
};
static bool ps_line(struct node *n, const struct proc_entry *e, void *arg)
{
    struct listing *l = arg;
    if (l->count++ == 0)
        say(n, "%-6s  %-20s %-9s %7s %9s %6s", "PID", "NAME", "STATE", "THREADS", "KIB", "MOVES");
    say(n, "%06x  %-20s %-9s %7u %9llu %6llu", e->pid, e->name, state_of(n, e->state), e->threads,
        (unsigned long long)(e->pages * PAGE_SIZE / KIB), (unsigned long long)e->moves);
    return true;
}

static void run_ps(struct node *n, const struct args *w)
{
    (void)w;
    struct listing l = {0};
    int64_t status = each_proc(n, ps_line, &l);
    if (status < 0)
        say_error(n, "ps", status);
    else if (l.count == 0)
        say(n, NO_PROCESS);
}

// --- Orders to one process -----------------------------------------------------------------------------------------

static bool give_order(struct node *n, const struct search *q, uint32_t op)
{
    int64_t status = ask(n, &q->cap, op, 0, NULL, NULL);
    if (status < 0)
        say(n, "%s %06x: %s", q->name, q->pid, error_string(status));
    return status >= 0;
}

static void run_stun(struct node *n, const struct args *w)
{
    struct search q;
    if (!find_proc(n, w->word[1], &q) || !give_order(n, &q, OP_PROC_STUN))
        return;
    struct job *j = job_by_pid(n, q.pid);
    if (j)
        j->stunned = true;
    say(n, "%s %06x is stunned. Next: info %s, resume %s", q.name, q.pid, q.name, q.name);
}

static void run_resume(struct node *n, const struct args *w)
{
    struct search q;
    if (!find_proc(n, w->word[1], &q) || !give_order(n, &q, OP_PROC_RESUME))
        return;
    struct job *j = job_by_pid(n, q.pid);
    if (j)
        j->stunned = false;
    say(n, "%s %06x goes on%s", q.name, q.pid, j ? " in the background" : "");
}

static void run_kill(struct node *n, const struct args *w)
{
    struct search q;
    if (find_proc(n, w->word[1], &q) && give_order(n, &q, OP_DESTROY) && !job_by_pid(n, q.pid))
        say(n, "%s %06x was killed", q.name, q.pid); // of a job we are told
}

static void run_fg(struct node *n, const struct args *w)
{
    struct search q;
    if (!find_proc(n, w->word[1], &q))
        return;
    struct job *j = job_by_pid(n, q.pid);
    if (!j) {
        say(n, "%s %06x was not started here: its terminal is elsewhere", q.name, q.pid);
        return;
    }
    if (!give_order(n, &q, OP_PROC_RESUME))
        return;
    j->stunned = false;
    job_to_front(n, j);
}

static uint64_t hex(const char *s)
{
    uint64_t x = 0;
    for (;; s++) {
        if (*s >= '0' && *s <= '9')
            x = x << 4 | (uint64_t)(*s - '0');
        else if (*s >= 'a' && *s <= 'f')
            x = x << 4 | (uint64_t)(*s - 'a' + 10);
        else
            return x;
    }
}

// A line of `info`; behind a pc, the function in which it lies.
static void info_line(struct node *n, const struct job *j, const char *line)
{
    char place[88] = "";
    const char *pc = strstr(line, " pc 0x");
    if (j && pc)
        program_place(n, j->program, hex(pc + 6), place, sizeof place);
    bool known = strchr(place, '+') != NULL;
    say(n, "%s%s%s", line, known ? ", in " : "", known ? place : "");
}

// The text in a segment, line by line; one of more than 160 bytes is cut.
static void info_text(struct node *n, const struct job *j, struct seg *s, uint64_t len)
{
    char line[160];
    for (uint64_t at = 0, end; at < len && !shell_of(n)->interrupted; at = end + 1) {
        size_t used = 0;
        char c;
        for (end = at; end < len && seg_read(n, s, end, &c, 1) >= 0 && c != '\n'; end++)
            if (used < sizeof line - 1)
                line[used++] = c;
        line[used] = 0;
        text_make_plain(line, used); // of another node's kernel, when it has moved
        info_line(n, j, line);
    }
}

static void run_info(struct node *n, const struct args *w)
{
    struct search q;
    struct seg *s;
    uint64_t len;
    if (!find_proc(n, w->word[1], &q))
        return;
    int64_t status = fetch(n, &q.cap, OP_STATUS, LIST_MAX, &s, &len);
    if (status < 0) {
        say_error(n, q.name, status);
        return;
    }
    info_text(n, job_by_pid(n, q.pid), s, len);
    seg_drop(n, s);
}

static void run_run(struct node *n, const struct args *w)
{
    run_program(n, w, 1);
}

// --- Files and the directory ----------------------------------------------------------------------------------------

static bool is_program(struct node *n, const struct cap *file)
{
    const uint64_t where[4] = {0, 4, 0, 0};
    char magic[4] = {0};
    (void)task_trans(n, file, OP_READ, where, buf_none(), buf_kernel(magic, sizeof magic), SHELL_TIMEOUT_MS, NULL);
    return memcmp(magic,
                  "\x7f"
                  "ELF",
                  4) == 0;
}

static void ls_line(struct node *n, const struct dir_entry *e)
{
    struct task_result r;
    int64_t status = task_trans(n, &e->cap, OP_SIZE, NULL, buf_none(), buf_none(), SHELL_TIMEOUT_MS, &r);
    if (status < 0)
        say_error(n, e->name, status);
    else
        say(n, "  %-24s %8llu bytes  %s", e->name, (unsigned long long)r.res[0],
            is_program(n, &e->cap) ? "program" : "file");
}

static void dir_line(struct node *n, const struct dir_entry *e)
{
    char text[96] = "";
    struct task_result r;
    int64_t status =
        task_trans(n, &e->cap, OP_INFO, NULL, buf_none(), buf_kernel(text, sizeof text - 1), SHELL_TIMEOUT_MS, &r);
    text_make_plain(text, strlen(text)); // whoever entered the name serves it
    say(n, "  %-24s %s", e->name, status < 0 ? error_string(status) : text);
}

static void list(struct node *n, const char *what, const struct cap *c,
                 void (*line)(struct node *n, const struct dir_entry *e))
{
    struct seg *s;
    uint64_t len;
    struct dir_entry e;
    int64_t status = fetch(n, c, OP_DIR_LIST, LIST_MAX, &s, &len);
    if (status < 0) {
        say_error(n, what, status);
        return;
    }
    for (uint64_t off = 0; off + sizeof e <= len && !shell_of(n)->interrupted; off += sizeof e) {
        if (seg_read(n, s, off, &e, sizeof e) < 0)
            break;
        e.name[sizeof e.name - 1] = 0;
        line(n, &e);
    }
    seg_drop(n, s);
    if (len == 0)
        say(n, "There is nothing in it.");
}

static void run_ls(struct node *n, const struct args *w)
{
    (void)w;
    list(n, "ls", &shell_of(n)->bootfs, ls_line);
}

static void run_dir(struct node *n, const struct args *w)
{
    (void)w;
    list(n, "dir", &shell_of(n)->dir, dir_line);
}

static int64_t cat(struct node *n, const struct cap *file)
{
    char chunk[CAT_CHUNK];
    struct task_result r;
    for (uint64_t off = 0; !shell_of(n)->interrupted; off += r.len) {
        const uint64_t where[4] = {off, sizeof chunk, 0, 0};
        int64_t status =
            task_trans(n, file, OP_READ, where, buf_none(), buf_kernel(chunk, sizeof chunk), SHELL_TIMEOUT_MS, &r);
        if (status >= 0 && r.len > 0)
            status =
                task_trans(n, &shell_of(n)->console, OP_WRITE, NULL, buf_kernel(chunk, r.len), buf_none(), 0, NULL);
        if (status < 0 || r.len == 0)
            return status == -E_EOF ? 0 : status;
    }
    return 0;
}

static void run_cat(struct node *n, const struct args *w)
{
    struct cap file;
    int64_t status = ask(n, &shell_of(n)->bootfs, OP_DIR_LOOKUP, 0, w->word[1], &file);
    if (status >= 0 && is_program(n, &file)) {
        say(n, "%s is a program. Try: run %s", w->word[1], w->word[1]);
        return;
    }
    if (status >= 0)
        status = cat(n, &file);
    if (status == -E_NAME)
        say(n, "%s: there is no such file on this node. Try: ls", w->word[1]);
    else if (status < 0)
        say_error(n, w->word[1], status);
}

// --- The node -------------------------------------------------------------------------------------------------------

static bool node_status(struct node *n, const char *what, struct node_status *st)
{
    int64_t status = task_trans(n, &shell_of(n)->node, OP_NODE_STATUS, NULL, buf_none(), buf_kernel(st, sizeof *st),
                                SHELL_TIMEOUT_MS, NULL);
    if (status < 0)
        say_error(n, what, status);
    return status >= 0;
}

static void run_mem(struct node *n, const struct args *w)
{
    struct node_status st;
    (void)w;
    if (!node_status(n, "mem", &st))
        return;
    say(n, "%llu KiB of %llu KiB are free", (unsigned long long)(st.pages_free * PAGE_SIZE / KIB),
        (unsigned long long)(st.pages_total * PAGE_SIZE / KIB));
    say(n, "%u process%s, %u threads and tasks, %u segments, %u transaction records", st.procs - 1,
        st.procs == 2 ? "" : "es", st.threads, st.segs, st.recs);
}

static void run_uptime(struct node *n, const struct args *w)
{
    struct node_status st;
    (void)w;
    if (!node_status(n, "uptime", &st))
        return;
    uint64_t ms = st.uptime_ns / NS_PER_MS;
    say(n, "up %llu.%03llu s, %u hart%s, %u link%s", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000),
        st.harts, st.harts == 1 ? "" : "s", st.links, st.links == 1 ? "" : "s");
    say(n, "%llu system calls, %llu switches, %llu transactions here, %llu with other nodes",
        (unsigned long long)st.syscalls, (unsigned long long)st.switches, (unsigned long long)st.trans_local,
        (unsigned long long)st.trans_remote);
}

static void run_trace(struct node *n, const struct args *w)
{
    unsigned lines = 0;
    const char *s = w->count > 1 ? w->word[1] : "";
    for (; *s >= '0' && *s <= '9'; s++)
        lines = lines < 100000 ? lines * 10 + (unsigned)(*s - '0') : lines;
    if (*s) {
        say(n, "%s: not a number of lines. e.g. trace 5", w->word[1]);
        return;
    }
    print_reply(n, "trace", &shell_of(n)->node, OP_NODE_TRACE, lines ? lines : TRACE_LINES);
}

static void run_log(struct node *n, const struct args *w)
{
    (void)w;
    print_reply(n, "log", &shell_of(n)->console, OP_CONSOLE_LOG, UINT64_MAX);
}

static void run_echo(struct node *n, const struct args *w)
{
    char text[ARGS_LINE + 1] = "";
    size_t len = 0;
    for (unsigned i = 1; i < w->count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i > 1 ? " " : "", w->word[i]);
    say(n, "%s", text);
}

static void run_stop(struct node *n, const struct args *w)
{
    (void)w;
    say(n, "%s switches off.", n->name);
    int64_t status = ask(n, &shell_of(n)->node, OP_NODE_STOP, 0, NULL, NULL);
    if (status < 0)
        say_error(n, "stop", status);
    else
        task_sleep(n, NS_PER_S); // it takes a moment; no prompt any more
}

// --- The commands ---------------------------------------------------------------------------------------------------

static void run_help(struct node *n, const struct args *w);

const struct command commands[] = {
    {"ls", "", "programs and files of this node", "ls",
     "  They are loaded beside the kernel; nobody can write to them. On your\n"
     "  machine, make PROG=my.c puts a program of yours among them.",
     OPERAND_NONE, 0, 0, run_ls},
    {"run", "NAME [ARG]... [&]", "start it; & in the background", "run lua demo.lua &",
     "  NAME alone does the same, unless it is a command. '...' and \"...\" keep\n"
     "  blanks together. Lines of a program in the background have its name in\n"
     "  front: lua| ... What is started here ends when this node does, wherever it\n"
     "  has moved to meanwhile: its owner is gone then.\n"
     "  A program has its terminal and the store's files. More is granted, before\n"
     "  NAME: --grant WHAT[:RIGHT,...], such as node or proc:exec,read (dir lists\n"
     "  them; no right said: read), and --meet NAME: programs that were given the\n"
     "  same NAME find each other. info shows it. e.g. run --grant seg:create memory",
     OPERAND_FILE, 1, ARGS_MAX, run_run},
    {"ps", "", "the processes of this node", "ps",
     "  PID: the end of its endpoint's number; it stays when the process moves.\n"
     "  MOVES: how often it changed nodes.",
     OPERAND_NONE, 0, 0, run_ps},
    {"stun", "PROC", "stop it, whole, wherever it is", "stun lua",
     "  All of its threads stop between two instructions, also in the middle of a\n"
     "  transaction; whoever calls it is told to wait. Nothing in it notices.\n"
     "  Then: info, and resume, fg or kill.",
     OPERAND_PROC, 0, 1, run_stun},
    {"info", "PROC", "its memory and its threads", "info lua",
     "  Segments: address, length, how much of it is there, rights, what it is.\n"
     "  Threads: state, where it is (pc), what it waits for. You may look at a\n"
     "  process that runs, too.",
     OPERAND_PROC, 0, 1, run_info},
    {"resume", "PROC", "let it go on from there", "resume lua",
     "  In the background. With fg it goes on in front, where it gets what you\n"
     "  type.",
     OPERAND_PROC, 0, 1, run_resume},
    {"fg", "PROC", "bring it to the front", "fg lua",
     "  What you type goes to it from then on. Ctrl-Z stuns it, Ctrl-C kills it,\n"
     "  Ctrl-D ends its input.",
     OPERAND_PROC, 0, 1, run_fg},
    {"kill", "PROC", "end it", "kill lua", NULL, OPERAND_PROC, 0, 1, run_kill},
    {"cat", "FILE", "show a file of this node", "cat demo.lua", NULL, OPERAND_FILE, 1, 1, run_cat},
    {"dir", "", "the boot directory: services", "dir",
     "  A name and a capability each. Whatever this shell does, it does by\n"
     "  transactions with these.",
     OPERAND_NONE, 0, 0, run_dir},
    {"mem", "", "memory, and what takes it", "mem", NULL, OPERAND_NONE, 0, 0, run_mem},
    {"uptime", "", "how long, and how much was done", "uptime", NULL, OPERAND_NONE, 0, 0, run_uptime},
    {"trace", "[LINES]", "last events inside the kernel", "trace 5",
     "  Seconds since boot, what, details: processes by their number, transactions\n"
     "  by their client's. What two processes of this node say to each other is\n"
     "  not noted: that path is kept short.",
     OPERAND_NONE, 0, 1, run_trace},
    {"log", "", "what the kernel has said", "log", NULL, OPERAND_NONE, 0, 0, run_log},
    {"echo", "[WORD]...", "say it", "echo hello", NULL, OPERAND_NONE, 0, ARGS_MAX, run_echo},
    {"help", "[COMMAND]", "this, or more about one", "help run", NULL, OPERAND_COMMAND, 0, 1, run_help},
    {"stop", "", "switch the node off", "stop", NULL, OPERAND_NONE, 0, 0, run_stop},
    {NULL, NULL, NULL, NULL, NULL, OPERAND_NONE, 0, 0, NULL},
};

static void help_line(struct node *n, const struct command *c)
{
    char usage[40];
    (void)snprintf(usage, sizeof usage, "%s %s", c->name, c->operands);
    say(n, "  %-21s %-33s %s", usage, c->what, c->example);
}

static void help_command(struct node *n, const char *name)
{
    const struct command *c = command_find(name);
    if (!c) {
        say(n, "%s: no such command. Try: help", name);
        return;
    }
    help_line(n, c);
    if (c->more)
        say(n, "%s", c->more);
}

static void run_help(struct node *n, const struct args *w)
{
    if (w->count > 1) {
        help_command(n, w->word[1]);
        return;
    }
    static const char before[] = "A process can be stopped between any two instructions, looked at and resumed:\n"
                                 "  lua demo.lua 200 &  and then  stun lua   info lua   resume lua   kill lua\n"
                                 "  lua                 reads what you type: print(6 * 7)   Ctrl-D leaves it";
    static const char after[] = "PROC: a name, or how a number begins; not needed while there is one process.\n"
                                "Keys: Tab completes, up and down recall. The program in front: Ctrl-C kills it,\n"
                                "Ctrl-Z stuns it, Ctrl-D ends its input. A program's name alone runs it.";
    say(n, "%s", before);
    for (const struct command *c = commands; c->name; c++)
        help_line(n, c);
    say(n, "%s", after);
}

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static void carry_out(struct node *n, const struct args *w)
{
    const struct command *c = command_find(w->word[0]);
    struct cap file;
    if (c && w->count > 1 && c->most == 0)
        say(n, "%s stands alone; nothing goes behind it. Try: help %s", c->name, c->name);
    else if (c && (w->count - 1 < c->least || w->count - 1 > c->most))
        say(n, "usage: %s %s   e.g. %s", c->name, c->operands, c->example);
    else if (c)
        c->run(n, w);
    else if (ask(n, &shell_of(n)->bootfs, OP_DIR_LOOKUP, 0, w->word[0], &file) >= 0)
        run_program(n, w, 0);
    else
        say(n, "%s: neither a command nor a file on this node. Try: help, ls", w->word[0]);
}

void run_line(struct node *n, const char *line)
{
    struct args *w = &shell_of(n)->args;
    const char *why = args_split(w, line);
    if (why)
        say(n, "%s", why);
    else if (w->count > 0)
        carry_out(n, w);
}
