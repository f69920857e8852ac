// SPDX-License-Identifier: BSD-2-Clause
// rotifer bench: null transactions between two nodes against the limit, the bare driver's frame ping-pong on the same
// link in the same run. The two take turns, round after round, so that both meet the same machine.
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/task.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/say.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

#define SIZES_MAX 8
#define SIZE_MAX_BYTES 32768u // an echo is one frame
#define BENCH_TIMEOUT_MS 600000

static struct bench {
    const char *from, *to, *sizes;
    uint64_t link, rounds, count;
    bool csv, json;
    unsigned nsizes;
    uint64_t size[SIZES_MAX]; // bytes: `sizes`, read
} bench = {.from = "n1", .to = "n2", .sizes = "0,1400,4096,32000", .rounds = 7, .count = 100};

// The numbers of a list "0,1400". False: one of them is none, is too large, or there are too many.
static bool read_sizes(const char *list, struct bench *b)
{
    char text[128];
    if ((size_t)snprintf(text, sizeof text, "%s", list) >= sizeof text)
        return false;
    b->nsizes = 0;
    for (char *s = strtok(text, ","); s; s = strtok(NULL, ","))
        if (b->nsizes == SIZES_MAX || !option_number(s, 0, SIZE_MAX_BYTES, &b->size[b->nsizes++]))
            return false;
    return b->nsizes > 0;
}

static const char *wrong_sizes(const char *list)
{
    return read_sizes(list, &bench) ? NULL : "is no list of at most 8 numbers of bytes, each at most 32768";
}

static const struct option options[] = {
    {.name = "from", .kind = OPTION_TEXT, .text = &bench.from, .value = "NODE", .what = "by whose clock (n1)"},
    {.name = "to", .kind = OPTION_TEXT, .text = &bench.to, .value = "NODE", .what = "its neighbour on that link (n2)"},
    {.name = "link",
     .kind = OPTION_NUMBER,
     .number = &bench.link,
     .value = "L",
     .max = 3,
     .what = "number of the link (0)"},
    {.name = "rounds",
     .kind = OPTION_NUMBER,
     .number = &bench.rounds,
     .value = "R",
     .unit = "rounds",
     .min = 1,
     .max = 100,
     .what = "how often the two take turns (7)"},
    {.name = "count",
     .kind = OPTION_NUMBER,
     .number = &bench.count,
     .value = "C",
     .unit = "of each",
     .min = 1,
     .max = 10000,
     .what = "how many of each, in a round (100)"},
    {.name = "bytes",
     .kind = OPTION_TEXT,
     .text = &bench.sizes,
     .value = "B,...",
     .wrong = wrong_sizes,
     .what = "bytes each way (0,1400,4096,32000)"},
    {.name = "csv", .kind = OPTION_FLAG, .flag = &bench.csv, .what = "lines of: name,value,unit,what"},
    OPTION_JSON(&bench.json),
    {.name = NULL},
};

static const struct column columns[] = {
    {"bytes", "BYTES", 10, NULL},
    {"echo_min_ns", "ECHO MIN", 12, NULL},
    {"echo_median_ns", "ECHO MEDIAN", 12, " "},
    {"trans_min_ns", "TRANS MIN", 12, NULL},
    {"trans_median_ns", "TRANS MEDIAN", 12, " "},
    {"ratio", "RATIO", 6, NULL},
    {NULL, NULL, 0, NULL},
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
                   buf_kernel(out->ns + out->count, b->count * sizeof out->ns[0]), BENCH_TIMEOUT_MS, &r);
    if (s >= 0)
        out->count += (unsigned)(r.len / sizeof out->ns[0]);
    return s;
}

static void print_csv(uint64_t size, struct series *echo, struct series *trans)
{
    unsigned long long bytes = size;
    double em = (double)median(echo), tm = (double)median(trans);
    if (echo->count)
        printf("echo_%llu,%.2f,us,median\necho_%llu,%.2f,us,min\n", bytes, em / 1e3, bytes, (double)least(echo) / 1e3);
    printf("trans_%llu,%.2f,us,median\ntrans_%llu,%.2f,us,min\n", bytes, tm / 1e3, bytes, (double)least(trans) / 1e3);
    if (echo->count)
        printf("trans_over_echo_%llu,%.3f,ratio,median\n", bytes, em > 0 ? tm / em : 0);
}

static void put_row(struct table *t, uint64_t size, struct series *echo, struct series *trans)
{
    uint64_t em = median(echo), tm = median(trans);
    double ratio = em ? (double)tm / (double)em : 0;
    char shown[32];
    snprintf(shown, sizeof shown, "%.2f", ratio);
    table_number(t, size, with_commas(size));
    table_number(t, least(echo), duration(least(echo)));
    table_number(t, em, duration(em));
    table_number(t, least(trans), duration(least(trans)));
    table_number(t, tm, duration(tm));
    table_real(t, ratio, 3, shown);
    table_row_end(t);
}

static int bench_size(struct node *n, const struct bench *b, uint64_t size, const struct cap *from,
                      const struct cap *target, struct table *t)
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
    if (s >= 0 && b->csv)
        print_csv(size, &echo, &trans);
    else if (s >= 0)
        put_row(t, size, &echo, &trans);
    free(echo.ns);
    free(trans.ns);
    return s < 0 ? fail_error(s, "bench of %llu bytes on %s", (unsigned long long)size, b->from) : EXIT_OK;
}

static int bench_all(struct node *n, const struct cap *from, const struct cap *target)
{
    const struct bench *b = &bench;
    struct table t;
    int status = EXIT_OK;
    if (!b->csv && !b->json)
        printf("%s -> %s, %llu rounds of %llu, echo and transaction in turn\n", b->from, b->to,
               (unsigned long long)b->rounds, (unsigned long long)b->count);
    if (!b->csv)
        table_begin(&t, stdout, b->json, columns);
    for (unsigned i = 0; status == EXIT_OK && i < b->nsizes; i++)
        status = bench_size(n, b, b->size[i], from, target, &t);
    if (!b->csv)
        table_end(&t);
    return status;
}

static int bench_task(struct node *n, void *arg)
{
    struct cap from, target;
    (void)arg;
    int status = find_service_or_say(n, bench.from, "node", &from);
    if (status == EXIT_OK)
        status = find_service_or_say(n, bench.to, "node", &target);
    return status == EXIT_OK ? bench_all(n, &from, &target) : status;
}

static int run(void)
{
    bool right = read_sizes(bench.sizes, &bench);
    ASSERT(right);
    if (bench.csv && bench.json)
        return usage_error("bench", "it is either --csv or --json");
    return member_run(bench_task, NULL);
}

const struct command command_bench = {
    .name = "bench",
    .group = GROUP_LINK,
    .what = "null transactions against the limit of the link",
    .help = "Measures, by the clock of one node: frame ping-pong of the bare driver with the neighbour on "
            "link L (the limit), and null transactions to another node, B bytes each way. The two take turns. "
            "The other node must be the neighbour on that link for the ratio to mean anything: n1's link 0 "
            "leads to n2. Absolute times on an emulator mean little; the ratio does.",
    .options = options,
    .run = run,
};
