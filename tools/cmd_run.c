// SPDX-License-Identifier: BSD-2-Clause
// rotifer run: starts a program on a node, and is its terminal, its files and its owner until it ends; or starts it
// detached: then nobody is its owner.
#include "core/config.h"
#include "core/panic.h"
#include "core/text.h"
#include "tools/command.h"
#include "tools/ending.h"
#include "tools/member.h"
#include "tools/run.h"
#include "tools/rundir.h"
#include "tools/say.h"
#include "tools/start.h"
#include "tools/watch.h"

#include <stdio.h>
#include <string.h>

static const char *env[PROGRAM_ENV_MAX - 1]; // one more is the date
static const char *grants[GRANTS_MAX - 1];   // one more is the meeting

static struct {
    const char *node, *name, *meet, *files;
    uint64_t copies, orphan_grace;
    bool quiet, detach;
    struct option_list env, grant;
    struct option_rest words;
} line = {.node = "n1",
          .copies = 1,
          .env = {.value = env, .most = sizeof env / sizeof env[0]},
          .grant = {.value = grants, .most = sizeof grants / sizeof grants[0]}};

static const char *wrong_env(const char *text)
{
    return strchr(text, '=') && text[0] != '=' ? NULL : "is not NAME=value";
}

static const char *wrong_grant(const char *text)
{
    struct grant g;
    return grant_parse(text, &g);
}

static const char *wrong_meet(const char *text)
{
    struct grant g;
    return grant_parse_meet(text, &g);
}

static const char *wrong_name(const char *text)
{
    _Static_assert(NAME_MAX_LEN == 32, "said below");
    size_t len = strlen(text);
    if (len < 1 || len >= NAME_MAX_LEN)
        return "is no name: that has 1 to 31 bytes";
    return text_is_plain(text, len) ? NULL : "is no name: that has printable ASCII characters only";
}

static const struct option options[] = {
    {.name = "node", .kind = OPTION_TEXT, .text = &line.node, .value = "NODE", .what = "where to start it (n1)"},
    {.name = "name",
     .kind = OPTION_TEXT,
     .text = &line.name,
     .value = "NAME",
     .wrong = wrong_name,
     .what = "what ps, migrate and kill call it (the program's)"},
    {.name = "env",
     .kind = OPTION_LIST,
     .list = &line.env,
     .value = "K=V",
     .wrong = wrong_env,
     .what = "put K=V into its environment"},
    {.name = "grant",
     .kind = OPTION_LIST,
     .list = &line.grant,
     .value = "WHAT[:RIGHTS]",
     .wrong = wrong_grant,
     .what = "also a service of its node, such as proc:exec,read"},
    {.name = "meet",
     .kind = OPTION_TEXT,
     .text = &line.meet,
     .value = "NAME",
     .wrong = wrong_meet,
     .what = "programs that are given the same NAME find each other"},
    {.name = "files",
     .kind = OPTION_TEXT,
     .text = &line.files,
     .value = "DIR",
     .what = "it may read the files in DIR by name: for Lua's require, dofile"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_FLAG,
     .flag = &line.quiet,
     .what = "say nothing but what the program says"},
    {.name = "copies",
     .kind = OPTION_NUMBER,
     .number = &line.copies,
     .value = "N",
     .unit = "copies",
     .min = 1,
     .max = RUN_COPIES_MAX,
     .what = "start N of it, on one terminal; when one fails, all are ended"},
    {.name = "orphan-grace",
     .kind = OPTION_NUMBER,
     .number = &line.orphan_grace,
     .value = "S",
     .unit = "seconds",
     .min = 1,
     .max = ORPHAN_GRACE_MAX_S,
     .what = "it lives so long without its owner (the ring's; 600)"},
    {.name = "detach",
     .kind = OPTION_FLAG,
     .flag = &line.detach,
     .what = "start it and leave: it has no owner, and prints to the console of its node; "
             "it reads no input and no files of this machine"},
    {.name = NULL},
};
static const struct option operands[] = {
    {.name = "PROGRAM", .kind = OPTION_REST, .rest = &line.words},
    {.name = NULL},
};

static int run_task(struct node *n, void *arg)
{
    struct run *run = arg;
    watch_begin(run);
    int status = start_all(n, run);
    if (status != EXIT_OK) {
        if (run->copies > 1 && run->process)
            watch_kill(n, run);
        return run->interrupted ? EXIT_INTERRUPT : status;
    }
    if (run->detach)
        return EXIT_OK;
    watch_until_end(n, run);
    return ending_status(run);
}

// What is wrong with one was said when the line was read.
static void take_grants(struct run *r)
{
    for (unsigned i = 0; i < line.grant.count; i++)
        (void)grant_parse(line.grant.value[i], &r->grant[r->ngrants++]);
    if (line.meet)
        (void)grant_parse_meet(line.meet, &r->grant[r->ngrants++]);
    ASSERT(r->ngrants <= GRANTS_MAX);
}

static int run(void)
{
    static struct run r;
    if (line.detach && line.files)
        return usage_error("run", "--files %s needs this command to serve it, and --detach ends the command",
                           line.files);
    r = (struct run){.node = line.node,
                     .files = line.files,
                     .quiet = line.quiet,
                     .detach = line.detach,
                     .copies = (unsigned)line.copies};
    take_grants(&r);
    struct program_file *p = &r.program;
    if (!program_file_load(p, line.words.word[0]))
        return EXIT_FAILED;
    p->orphan_grace_ns = line.orphan_grace * NS_PER_S;
    if (line.name)
        snprintf(p->name, sizeof p->name, "%s", line.name);
    p->argc = line.words.count;
    p->argv = line.words.word;
    for (unsigned i = 0; i < line.env.count; i++)
        p->env[p->nenv++] = line.env.value[i];
    return member_run(run_task, &r);
}

const struct command command_run = {
    .name = "run",
    .group = GROUP_PROCESS,
    .what = "run a program on a node; its terminal is here",
    .help = "Starts PROGRAM (a static RISC-V ELF file, or NAME for build/guest/NAME.elf) on a node, and is "
            "its terminal and its owner wherever it moves. It may read an ARG that names a readable file. "
            "Ctrl-C kills it. Ctrl-Z stuns it until fg or bg. Exit status: the program's own; 128 + n when it "
            "was ended by what is signal n on Linux; 200 to 205 are the command's own, 205: nobody knows how "
            "it ended.",
    .next = "rotifer ps; rotifer migrate NAME n2",
    .options = options,
    .operands = operands,
    .run = run,
};
