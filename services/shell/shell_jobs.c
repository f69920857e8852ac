// SPDX-License-Identifier: BSD-2-Clause
// The programs that the shell started: it is their owner, and gives each a terminal.
#include "core/cap.h"
#include "core/panic.h"
#include "core/text.h"
#include "core/thread.h"
#include "services/grant.h"
#include "services/program.h"
#include "services/shell/shell_priv.h"

#include <stdio.h>
#include <string.h>

#define EXEC_TIMEOUT_MS 60000
#define ARGUMENTS_MAX (64 * KIB)

static struct shell *shell_of(struct node *n)
{
    return n->services->shell;
}

// --- Told by the kernel: an owner's events -------------------------------------------------------------------------

static struct job *job_find(struct node *n, uint32_t number)
{
    LIST_FOR (l, &shell_of(n)->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, link);
        if (j->number == number)
            return j;
    }
    return NULL;
}

static int owner_key(struct node *n, const struct request *r, uint8_t key[16])
{
    if (!job_find(n, cap_obj(&r->in.cap)))
        return -E_OBJECT;
    memcpy(key, shell_of(n)->key, 16);
    return 0;
}

static int64_t take_fault(struct node *n, struct request *r, struct job *j)
{
    int e = request_bytes(n, r, &j->fault, sizeof j->fault);
    if (e < 0)
        return e;
    j->fault.what[sizeof j->fault.what - 1] = 0;
    text_make_plain(j->fault.what, strlen(j->fault.what)); // of another node's kernel, when it has moved
    j->tid = (uint32_t)(r->in.arg[2] >> 32);
    j->faulted = true;
    return 0;
}

static int64_t run_event(struct node *n, struct request *r)
{
    struct job *j = job_find(n, cap_obj(&r->in.cap));
    if (!j || j->over)
        return -E_OBJECT;
    switch (r->in.arg[0]) {
    case EVENT_FAULT: return take_fault(n, r, j);
    case EVENT_ENDED: j->status = (int64_t)r->in.arg[2]; break;
    case EVENT_DOUBT: break;
    case EVENT_STUNNED: return OWNER_KEEP; // it resumes by an order, as it was stunned by one
    case EVENT_REFUSED: return OWNER_END;
    default: return -E_ARG;
    }
    j->last = (uint32_t)r->in.arg[0];
    j->over = true;
    task_wake(n, shell_of(n));
    return 0;
}

static const struct operation ops[] = {
    {OP_PROC_WAIT_EVENT, "event", RIGHT_CONTROL, false, OP_NONBLOCKING, run_event},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
const struct service shell_owner = {
    .name = "shell",
    .ops = ops,
    .key = owner_key,
    .buffer_pages = 1,
    .tasks = 1,
    .tasks_max = 2,
};

// --- Records --------------------------------------------------------------------------------------------------------

struct job *job_by_pid(struct node *n, uint32_t pid)
{
    LIST_FOR (l, &shell_of(n)->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, link);
        if (j->pid == pid)
            return j;
    }
    return NULL;
}

static bool name_taken(struct node *n, const char *name)
{
    LIST_FOR (l, &shell_of(n)->jobs)
        if (strcmp(LIST_ENTRY(l, struct job, link)->name, name) == 0)
            return true;
    return false;
}

// "lua", or "lua.2" when there is one: names are what people type, so no two jobs have the same.
static void name_job(struct node *n, struct job *j)
{
    memcpy(j->name, j->program, sizeof j->name);
    for (unsigned i = 2; name_taken(n, j->name); i++)
        (void)snprintf(j->name, sizeof j->name, "%.20s.%u", j->program, i);
}

static struct job *job_new(struct node *n, const char *program)
{
    struct shell *sh = shell_of(n);
    struct job *j = pool_alloc(n, &sh->pool_job);
    if (!j)
        return NULL;
    do // 24 bits may come round
        j->number = ++sh->last_job & CAP_OBJ_MAX;
    while (j->number == 0 || job_find(n, j->number));
    (void)snprintf(j->program, sizeof j->program, "%s", program);
    name_job(n, j);
    list_add_tail(&sh->jobs, &j->link);
    return j;
}

void job_free(struct node *n, struct job *j)
{
    struct shell *sh = shell_of(n);
    ASSERT(j->number != 0);
    if (sh->front == j)
        sh->front = NULL;
    list_del(&j->link);
    pool_free(n, &sh->pool_job, j);
}

// With its terminal: what it had not finished is printed.
static void job_end(struct node *n, struct job *j)
{
    if (!cap_is_null(&j->tty))
        (void)ask(n, &j->tty, OP_DESTROY, 0, NULL, NULL);
    job_free(n, j);
}

// --- The boot file system --------------------------------------------------------------------------------------------

struct stored {
    struct node *n;
    struct cap cap;
};

static int64_t read_stored(void *arg, uint64_t off, void *dst, size_t len)
{
    const struct stored *f = arg;
    const uint64_t where[4] = {off, len, 0, 0};
    struct task_result r;
    int64_t status = task_trans(f->n, &f->cap, OP_READ, where, buf_none(), buf_kernel(dst, len), SHELL_TIMEOUT_MS, &r);
    return status >= 0 && r.len != len ? -E_EOF : status;
}

static int64_t open_stored(struct node *n, const char *name, struct stored *f, struct elf_file *out)
{
    struct task_result r;
    f->n = n;
    int64_t status = ask(n, &shell_of(n)->bootfs, OP_DIR_LOOKUP, 0, name, &f->cap);
    if (status >= 0)
        status = task_trans(n, &f->cap, OP_SIZE, NULL, buf_none(), buf_none(), SHELL_TIMEOUT_MS, &r);
    if (status >= 0)
        *out = (struct elf_file){.read = read_stored, .arg = f, .len = r.res[0]};
    return status;
}

// --- Starting one ----------------------------------------------------------------------------------------------------

// What is only needed until the process runs, on a page of its own: task stacks are small.
struct launch {
    struct stored file;
    struct elf elf;
    struct program program;
    struct seg *startup;
    struct grant grant[GRANTS_MAX];
    unsigned ngrants;
    char note[NAME_MAX_LEN]; // of what was granted
    struct startup_cap cap[2 + GRANTS_MAX];
};
_Static_assert(sizeof(struct launch) <= PAGE_SIZE, "allocated as one page");

static void give(struct launch *l, const char *name, const struct cap *cap)
{
    if (l->program.ncaps < sizeof l->cap / sizeof l->cap[0] && program_cap(&l->cap[l->program.ncaps], name, cap))
        l->program.ncaps++;
}

// What the line grants it beyond that. false, after saying why.
static bool give_grants(struct node *n, struct launch *l)
{
    for (unsigned i = 0; i < l->ngrants; i++) {
        struct cap c;
        int64_t status = grant_fetch(n, n->name, &l->grant[i], &c);
        if (status < 0) {
            say(n, "%s cannot be granted: %s", l->grant[i].name, error_string(status));
            return false;
        }
        give(l, l->grant[i].name, &c);
        grant_note(l->note, &l->grant[i]);
    }
    return true;
}

// What every program has: a terminal of its own, which it may read and write and no more; and the boot file system,
// which cannot be changed, to read files from.
static int64_t give_services(struct node *n, struct launch *l, struct job *j)
{
    const struct shell *sh = shell_of(n);
    struct cap tty;
    int64_t status = ask(n, &sh->console, OP_CONSOLE_OPEN, 0, j->name, &j->tty);
    if (status >= 0)
        status = ask(n, &j->tty, OP_RESTRICT, RIGHT_READ | RIGHT_WRITE, NULL, &tty);
    if (status < 0)
        return status;
    give(l, "tty", &tty);
    give(l, "files", &sh->bootfs);
    return 0;
}

static int64_t write_startup(struct node *n, struct launch *l)
{
    uint64_t size = program_startup_size(&l->program);
    if (size > ARGUMENTS_MAX)
        return -E_LIMIT;
    int e = seg_create(n, size, &l->startup);
    if (e < 0)
        return e;
    struct buf to = buf_seg(l->startup, 0, size);
    return program_startup(n, &l->program, &to);
}

static int64_t exec(struct node *n, struct launch *l, struct job *j)
{
    const struct shell *sh = shell_of(n);
    struct cap startup = seg_cap(n, l->startup, RIGHT_READ);
    struct cap owner = cap_make(sh->put, j->number, RIGHT_CONTROL, sh->key);
    struct task_result r;
    void *desc = page_alloc(n);
    if (!desc)
        return -E_MEM;
    uint64_t len = program_descriptor(&l->program, &l->file.cap, &startup, &owner, desc);
    int64_t status = task_trans(n, &sh->proc, OP_PROC_EXEC, NULL, buf_kernel(desc, len),
                                buf_kernel(&j->process, sizeof j->process), EXEC_TIMEOUT_MS, &r);
    page_drop(n, desc);
    if (status >= 0)
        j->pid = (uint32_t)r.res[0];
    return status;
}

static int64_t launch(struct node *n, struct launch *l, struct job *j, const struct args *w, unsigned first)
{
    l->program = (struct program){
        .name = j->name,
        .note = l->note,
        .elf = &l->elf,
        .argc = w->count - first,
        .argv = &w->word[first],
        .ncaps = l->program.ncaps,
        .cap = l->cap,
    };
    int64_t status = give_services(n, l, j);
    if (status < 0)
        return status;
    status = write_startup(n, l);
    if (status >= 0 && !w->background)
        status = ask(n, &j->tty, OP_CONSOLE_FRONT, 1, NULL, NULL);
    if (status >= 0)
        status = exec(n, l, j);
    if (l->startup)
        seg_drop(n, l->startup); // its bytes are in the process
    return status;
}

// false, after saying why.
static bool load(struct node *n, struct launch *l, const char *name)
{
    struct elf_file f;
    int64_t status = strlen(name) < NAME_MAX_LEN ? open_stored(n, name, &l->file, &f) : (int64_t)-E_NAME;
    if (status == -E_NAME) {
        say(n, "%s: there is no such program on this node. Try: ls", name);
        return false;
    }
    const char *why = status < 0 ? error_string(status) : elf_parse(&l->elf, &f);
    size_t len = strlen(name);
    bool lua = len > 4 && strcmp(name + len - 4, ".lua") == 0;
    if (why && lua)
        say(n, "%s is a Lua program. Try: lua %s", name, name);
    else if (why)
        say(n, "%s cannot run: %s", name, why);
    return !why;
}

static void run_loaded(struct node *n, struct launch *l, const struct args *w, unsigned first)
{
    struct job *j = job_new(n, w->word[first]);
    int64_t status = j ? launch(n, l, j, w, first) : -E_MEM;
    if (status < 0) {
        say(n, "%s cannot start: %s", w->word[first], error_string(status));
        if (j)
            job_end(n, j);
    } else if (w->background) {
        say(n, "%s %06x runs in the background", j->name, j->pid);
    } else {
        job_to_front(n, j);
    }
}

// Reads one option and its value. false, after saying what is wrong.
static bool read_grant(struct node *n, struct launch *l, const char *option, const char *value)
{
    bool meets = strcmp(option, "--meet") == 0;
    if (!meets && strcmp(option, "--grant") != 0) {
        say(n, "run has no option %s. Try: help run", option);
        return false;
    }
    if (l->ngrants == GRANTS_MAX) {
        say(n, "that is more than %u grants", GRANTS_MAX);
        return false;
    }
    struct grant *g = &l->grant[l->ngrants++];
    const char *why = meets ? grant_parse_meet(value, g) : grant_parse(value, g);
    if (why)
        say(n, "%s: '%s' %s", option, value, why);
    return !why;
}

// Reads --grant and --meet, which stand before the program's name; *first becomes the number of that word.
static bool read_grants(struct node *n, struct launch *l, const struct args *w, unsigned *first)
{
    for (; *first < w->count && w->word[*first][0] == '-'; *first += 2)
        if (!read_grant(n, l, w->word[*first], *first + 1 < w->count ? w->word[*first + 1] : ""))
            return false;
    if (*first >= w->count)
        say(n, "run needs the name of a program. Try: help run");
    return *first < w->count;
}

void run_program(struct node *n, const struct args *w, unsigned first)
{
    struct launch *l = page_alloc(n);
    if (!l) {
        say(n, "%s cannot start: %s", w->word[first], error_string(E_MEM));
        return;
    }
    if (read_grants(n, l, w, &first) && load(n, l, w->word[first]) && give_grants(n, l))
        run_loaded(n, l, w, first);
    page_drop(n, l);
}

// --- In front --------------------------------------------------------------------------------------------------------

static bool is_lost(int64_t status)
{
    return status == -E_NOTHERE || status == -E_DIED || status == -E_OBJECT;
}

static void kill_front(struct node *n, struct job *j)
{
    int64_t status = ask(n, &j->process, OP_DESTROY, 0, NULL, NULL);
    if (j->over || status >= 0)
        return; // we are told when it has ended
    j->lost = is_lost(status);
    j->over = j->lost;
    if (!j->lost)
        say(n, "%s %06x cannot be killed: %s", j->name, j->pid, error_string(status));
}

static bool stun_front(struct node *n, struct job *j)
{
    int64_t status = ask(n, &j->process, OP_PROC_STUN, 0, NULL, NULL);
    if (j->over)
        return false;
    if (status < 0) {
        say(n, "%s %06x cannot be stunned: %s", j->name, j->pid, error_string(status));
        return false;
    }
    j->stunned = true;
    return true;
}

// Until it is over or stunned by Ctrl-Z.
static void wait_in_front(struct node *n, struct shell *sh, struct job *j)
{
    while (!j->over) {
        if (sh->interrupted) {
            sh->interrupted = false;
            kill_front(n, j);
        } else if (sh->suspended) {
            sh->suspended = false;
            if (stun_front(n, j))
                return;
        } else {
            task_wait(n, sh);
        }
    }
}

void job_to_front(struct node *n, struct job *j)
{
    struct shell *sh = shell_of(n);
    ASSERT(!sh->front && j->pid != 0);
    sh->interrupted = sh->suspended = false;
    sh->front = j;
    j->in_front = true;
    (void)ask(n, &j->tty, OP_CONSOLE_FRONT, 1, NULL, NULL);
    wait_in_front(n, sh, j);
    sh->front = NULL;
    if (j->over) {
        notify_ends(n);
        return;
    }
    j->in_front = false;
    (void)ask(n, &j->tty, OP_CONSOLE_FRONT, 0, NULL, NULL);
    say(n, "%s %06x is stunned. Look at it: info %s", j->name, j->pid, j->name);
    say(n, "Go on: fg %s, or in the background: resume %s", j->name, j->name);
}

// --- How it ended ----------------------------------------------------------------------------------------------------

void program_place(struct node *n, const char *program, uint64_t pc, char *text, size_t size)
{
    struct stored s;
    struct elf_file f;
    char name[64];
    uint64_t off;
    if (open_stored(n, program, &s, &f) >= 0 && elf_function(&f, pc, name, sizeof name, &off))
        (void)snprintf(text, size, "%s+0x%llx", name, (unsigned long long)off);
    else
        (void)snprintf(text, size, "0x%llx", (unsigned long long)pc);
}

static void tell_fault(struct node *n, const struct job *j)
{
    char at[88], from[88];
    program_place(n, j->program, j->fault.pc, at, sizeof at);
    program_place(n, j->program, j->fault.ra, from, sizeof from);
    say(n, "%s %06x died: %s", j->name, j->pid, j->fault.what);
    say(n, "  thread %u, at %s, pc 0x%llx; called from %s", j->tid, at, (unsigned long long)j->fault.pc, from);
    say(n, "  Which line that is, on your machine:");
    say(n, "  riscv64-unknown-elf-addr2line -fpe build/guest/%s.elf 0x%llx", j->program,
        (unsigned long long)j->fault.pc);
}

static void tell_end(struct node *n, const struct job *j, bool quiet)
{
    if (j->lost)
        say(n, "%s %06x is lost: no node knows it any more", j->name, j->pid);
    else if (j->last == EVENT_DOUBT)
        say(n, "%s %06x: %s", j->name, j->pid, error_string(E_DOUBT));
    else if (j->faulted)
        tell_fault(n, j);
    else if (j->status == -E_CANCEL)
        say(n, "%s %06x was killed", j->name, j->pid);
    else if (j->status != 0)
        say(n, "%s %06x ended with status %lld", j->name, j->pid, (long long)j->status);
    else if (!quiet)
        say(n, "%s %06x ended", j->name, j->pid);
}

static struct job *job_over(struct node *n)
{
    LIST_FOR (l, &shell_of(n)->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, link);
        if (j->over && j->pid) // not one that has ended before we were told its number
            return j;
    }
    return NULL;
}

bool job_ended(struct node *n)
{
    return job_over(n) != NULL;
}

void notify_ends(struct node *n)
{
    for (struct job *j; (j = job_over(n));) {
        if (!cap_is_null(&j->tty)) {
            (void)ask(n, &j->tty, OP_DESTROY, 0, NULL, NULL); // its last words come first
            j->tty = (struct cap){.obj_rights = 0};
        }
        tell_end(n, j, j->in_front);
        job_free(n, j);
    }
}
