// SPDX-License-Identifier: BSD-2-Clause
// rotifer nodes, rotifer trace
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

#define TRACE_TEXT_MAX (256 * KIB)

static const char nodes_help[] =
    "usage: rotifer nodes [-l]\n"
    "\n"
    "Lists the nodes that answer. cli-... are commands like this one: nodes too, while they run.\n"
    "  -l   also each node's links (frames out, in, dropped, bad), and its transactions\n"
    "Next: rotifer ps\n";

static void print_links(const struct node_status *s)
{
    for (uint32_t i = 0; i < s->links && i < sizeof s->link / sizeof s->link[0]; i++)
        printf("    link %-6.8s %-4s payload %-6u out %-10s in %-10s dropped %s bad %s\n", s->link[i].name,
               s->link[i].up ? "up" : "down", s->link[i].payload_max, with_commas(s->link[i].tx),
               with_commas(s->link[i].rx), with_commas(s->link[i].tx_drop), with_commas(s->link[i].rx_bad));
    printf("    transactions: %s local, %s remote, %s retries, %s duplicates dropped\n", with_commas(s->trans_local),
           with_commas(s->trans_remote), with_commas(s->retries), with_commas(s->dups));
    printf("    records: %u processes, %u threads, %u segments, %u transactions, %s pages free; %s system calls, "
           "%s switches\n",
           s->procs, s->threads, s->segs, s->recs, with_commas(s->pages_free), with_commas(s->syscalls),
           with_commas(s->switches));
}

static bool print_node(struct node *n, const struct found_node *f, bool longer)
{
    struct node_status s;
    int64_t e = find_status(n, f->name, &s);
    if (e < 0) {
        printf("%-12s %016llx  (%s)\n", f->name, (unsigned long long)f->ep, error_string((long)e));
        return false;
    }
    unsigned links = 0;
    for (uint32_t i = 0; i < s.links && i < sizeof s.link / sizeof s.link[0]; i++)
        links += s.link[i].up != 0;
    // One of the process records is the kernel's own.
    printf("%-12s %016llx  %4u  %5u  %10s  %10s  %9u  %2u of %-2u  %s\n", f->name, (unsigned long long)s.ep, f->hops,
           s.harts, page_size_text(s.pages_free), page_size_text(s.pages_total), s.procs ? s.procs - 1 : 0, links,
           s.links, duration(s.uptime_ns));
    if (longer)
        print_links(&s);
    return true;
}

static int nodes_task(struct node *n, void *arg)
{
    static struct found_node f[FIND_NODES_MAX];
    const bool *longer = arg;
    unsigned count = find_nodes(n, f);
    bool ok = true;
    printf("%-12s %-16s  %4s  %5s  %10s  %10s  %9s  %-8s  %s\n", "NODE", "ENDPOINT", "HOPS", "HARTS", "FREE", "MEMORY",
           "PROCESSES", "LINKS UP", "UPTIME");
    for (unsigned i = 0; i < count; i++)
        ok &= print_node(n, &f[i], *longer) || find_is_command(f[i].name); // which may just have ended
    return ok ? EXIT_OK : EXIT_FAILED;
}

int cmd_nodes(int argc, char **argv)
{
    bool longer = false;
    if (wants_help(argc, argv, nodes_help))
        return EXIT_OK;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-l") != 0)
            return usage_error("nodes", "what is '%s'?", argv[i]);
        longer = true;
    }
    return command_run(nodes_task, &longer);
}

// --- trace --------------------------------------------------------------------------------------------

static const char trace_help[] =
    "usage: rotifer trace NODE\n"
    "\n"
    "The last events of a node, oldest first: seconds.microseconds since it booted, what, three words.\n"
    "Next: rotifer nodes -l\n";

static int trace_task(struct node *n, void *arg)
{
    const char *node = arg;
    struct cap c;
    struct task_result r;
    if (!find_service_or_say(n, node, "node", &c))
        return EXIT_FAILED;
    char *text = malloc(TRACE_TEXT_MAX);
    int64_t s =
        text ? task_trans(n, &c, OP_NODE_TRACE, NULL, buf_none(), buf_kernel(text, TRACE_TEXT_MAX), FIND_TIMEOUT_MS, &r)
             : -E_MEM;
    if (s >= 0)
        fwrite(text, 1, r.len, stdout);
    free(text);
    return s < 0 ? fail_error(s, "trace of %s", node) : EXIT_OK;
}

int cmd_trace(int argc, char **argv)
{
    if (wants_help(argc, argv, trace_help))
        return EXIT_OK;
    if (argc != 2)
        return usage_error("trace", "one argument is needed: the name of a node");
    return command_run(trace_task, argv[1]);
}
