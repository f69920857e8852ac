// SPDX-License-Identifier: BSD-2-Clause
// rotifer bench: null transactions between two nodes against the limit, the bare driver's frame ping-pong on the same
// link in the same run. The two take turns, round after round, so that both meet the same machine.
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "core/task.h"
#include "tools/cmds.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: rotifer bench [--from NODE] [--to NODE] [--link L] [--rounds R] [--count C] [--bytes B,...] [--csv]\n"
    "\n"
    "Measures, by the clock of node FROM: frame ping-pong of the bare driver with the neighbour on link L (the\n"
    "limit), and null transactions to node TO, B bytes each way. The two take turns, C of each, R rounds.\n"
    "TO must be the neighbour on link L for the ratio to mean anything: n1's link 0 leads to n2.\n"
    "  --from n1  --to n2  --link 0  --rounds 7  --count 100  --bytes 0,1400,4096,32000\n"
    "  --csv      lines of: name,value,unit,what\n"
    "Absolute times on an emulator mean little; the ratio does.\n";

#define SIZES_MAX 8
#define COUNT_MAX 10000u

struct bench {
    const char *from, *to;
    uint64_t link, rounds, count;
    unsigned nsizes;
    uint64_t size[SIZES_MAX];
    bool csv;
};

struct series {
    uint64_t *ns;
    unsigned count;
};

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t median(struct series *s)
{
    if (!s->count)
        return 0;
    qsort(s->ns, s->count, sizeof s->ns[0], by_value);
    return s->ns[s->count / 2];
}

static uint64_t least(struct series *s)
{
    return s->count ? (median(s), s->ns[0]) : 0;
}

// One go of one kind: appends count times to the series.
static int64_t measure(struct node *n, const struct cap *from, const struct bench *b, enum node_bench kind,
                       uint64_t size, const struct cap *target, struct series *out)
{
    const uint64_t arg[4] = {kind, b->count, b->link, size};
    struct task_result r;
    int64_t s =
        task_trans(n, from, OP_NODE_BENCH, arg, kind == BENCH_TRANS ? buf_kernel(target, sizeof *target) : buf_none(),
                   buf_kernel(out->ns + out->count, b->count * sizeof out->ns[0]), 600000, &r);
    if (s >= 0)
        out->count += (unsigned)(r.len / sizeof out->ns[0]);
    return s;
}

static void print_row(const struct bench *b, uint64_t size, struct series *echo, struct series *trans)
{
    uint64_t em = median(echo), tm = median(trans), el = least(echo), tl = least(trans);
    double ratio = em ? (double)tm / (double)em : 0;
    if (b->csv) {
        unsigned long long bytes = size;
        if (echo->count)
            printf("echo_%llu,%.2f,us,median\necho_%llu,%.2f,us,min\n", bytes, (double)em / 1e3, bytes,
                   (double)el / 1e3);
        printf("trans_%llu,%.2f,us,median\ntrans_%llu,%.2f,us,min\n", bytes, (double)tm / 1e3, bytes, (double)tl / 1e3);
        if (echo->count)
            printf("trans_over_echo_%llu,%.3f,ratio,median\n", bytes, ratio);
        return;
    }
    printf("%10s  %12s %12s  %12s %12s  %6.2f\n", with_commas(size), duration(el), duration(em), duration(tl),
           duration(tm), ratio);
}

static int bench_size(struct node *n, const struct bench *b, uint64_t size, const struct cap *from,
                      const struct cap *target)
{
    size_t room = (size_t)(b->rounds * b->count) * sizeof(uint64_t);
    struct series echo = {.ns = malloc(room)}, trans = {.ns = malloc(room)};
    int64_t s = echo.ns && trans.ns ? 0 : -E_MEM;
    for (uint64_t i = 0; s >= 0 && i < b->rounds; i++) {
        s = measure(n, from, b, BENCH_ECHO, size, target, &echo);
        if (s == -E_STATE && i == 0)
            warn("%s cannot echo: its drivers do not offer it. No limit to compare with.", b->from);
        if (s >= 0 || s == -E_STATE)
            s = measure(n, from, b, BENCH_TRANS, size, target, &trans);
    }
    if (s >= 0)
        print_row(b, size, &echo, &trans);
    free(echo.ns);
    free(trans.ns);
    return s < 0 ? fail_error(s, "bench of %llu bytes on %s", (unsigned long long)size, b->from) : EXIT_OK;
}

static int bench_task(struct node *n, void *arg)
{
    const struct bench *b = arg;
    struct cap from, target;
    if (!find_service_or_say(n, b->from, "node", &from) || !find_service_or_say(n, b->to, "node", &target))
        return EXIT_FAILED;
    if (!b->csv)
        printf("%s -> %s, %llu rounds of %llu, echo and transaction in turn\n%10s  %12s %12s  %12s %12s  %6s\n",
               b->from, b->to, (unsigned long long)b->rounds, (unsigned long long)b->count, "BYTES", "ECHO MIN",
               "ECHO MEDIAN", "TRANS MIN", "TRANS MEDIAN", "RATIO");
    for (unsigned i = 0; i < b->nsizes; i++) {
        int status = bench_size(n, b, b->size[i], &from, &target);
        if (status != EXIT_OK)
            return status;
    }
    return EXIT_OK;
}

static bool take_sizes(struct bench *b, const char *list)
{
    char text[128];
    if ((size_t)snprintf(text, sizeof text, "%s", list) >= sizeof text)
        return false;
    b->nsizes = 0;
    for (char *s = strtok(text, ","); s; s = strtok(NULL, ",")) // an echo is one frame
        if (b->nsizes == SIZES_MAX || !parse_number(s, 0, 32768, &b->size[b->nsizes++]))
            return false;
    return b->nsizes > 0;
}

static bool take_option(struct bench *b, const char *o, const char *v)
{
    if (strcmp(o, "--from") == 0)
        b->from = v;
    else if (strcmp(o, "--to") == 0)
        b->to = v;
    else if (strcmp(o, "--link") == 0)
        return parse_number(v, 0, 3, &b->link);
    else if (strcmp(o, "--rounds") == 0)
        return parse_number(v, 1, 100, &b->rounds);
    else if (strcmp(o, "--count") == 0)
        return parse_number(v, 1, COUNT_MAX, &b->count);
    else
        return strcmp(o, "--bytes") == 0 && take_sizes(b, v);
    return true;
}

int cmd_bench(int argc, char **argv)
{
    struct bench b = {.from = "n1", .to = "n2", .rounds = 7, .count = 100, .nsizes = 4, .size = {0, 1400, 4096, 32000}};
    if (wants_help(argc, argv, help))
        return EXIT_OK;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--csv") == 0)
            b.csv = true;
        else if (i + 1 < argc && take_option(&b, argv[i], argv[i + 1]))
            i++;
        else
            return usage_error("bench", "what is '%s'%s%s?", argv[i], i + 1 < argc ? " " : "",
                               i + 1 < argc ? argv[i + 1] : "");
    }
    return command_run(bench_task, &b);
}
