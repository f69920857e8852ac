// SPDX-License-Identifier: BSD-2-Clause
// rotifer nodes: who is in the ring, and what each node has and does.
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/relay.h"
#include "tools/say.h"
#include "tools/table.h"

#include <string.h>

static struct {
    bool longer, json;
} nodes;

static const struct option options[] = {
    {.name = "long",
     .letter = 'l',
     .kind = OPTION_FLAG,
     .flag = &nodes.longer,
     .what = "also each node's links (frames out, in, dropped, bad), and counts"},
    OPTION_JSON(&nodes.json),
    {.name = NULL},
};

static const struct column columns[] = {
    {"node", "NODE", -12, NULL},
    {"endpoint", "ENDPOINT", -16, " "},
    {"hops", "HOPS", 4, NULL},
    {"harts", "HARTS", 5, NULL},
    {"free_bytes", "FREE", 10, NULL},
    {"memory_bytes", "MEMORY", 10, NULL},
    {"processes", "PROCESSES", 9, NULL},
    {"links_up", "LINKS UP", -8, NULL},
    {"links", NULL, 0, NULL},
    {"uptime_ns", "UPTIME", 0, NULL},
    {NULL, NULL, 0, NULL},
};

static uint32_t link_count(const struct node_status *s)
{
    uint32_t room = sizeof s->link / sizeof s->link[0];
    return s->links < room ? s->links : room;
}

// --- With -l ----------------------------------------------------------------------------------------------

static void print_longer(const struct node_status *s)
{
    for (uint32_t i = 0; i < link_count(s); i++)
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

static void put_links(struct json *j, const struct node_status *s)
{
    json_array(j, "link");
    for (uint32_t i = 0; i < link_count(s); i++) {
        json_object(j, NULL);
        json_text_of(j, "name", s->link[i].name, strnlen(s->link[i].name, sizeof s->link[i].name));
        json_bool(j, "up", s->link[i].up != 0);
        json_number(j, "payload_max_bytes", s->link[i].payload_max);
        json_number(j, "frames_out", s->link[i].tx);
        json_number(j, "frames_in", s->link[i].rx);
        json_number(j, "frames_dropped", s->link[i].tx_drop);
        json_number(j, "frames_bad", s->link[i].rx_bad);
        json_close(j);
    }
    json_close(j);
}

static void put_longer(struct json *j, const struct node_status *s)
{
    put_links(j, s);
    json_number(j, "transactions_local", s->trans_local);
    json_number(j, "transactions_remote", s->trans_remote);
    json_number(j, "retries", s->retries);
    json_number(j, "duplicates_dropped", s->dups);
    json_number(j, "process_records", s->procs);
    json_number(j, "threads", s->threads);
    json_number(j, "segments", s->segs);
    json_number(j, "transaction_records", s->recs);
    json_number(j, "pages_free", s->pages_free);
    json_number(j, "system_calls", s->syscalls);
    json_number(j, "switches", s->switches);
}

// --- Faults that are set on links -------------------------------------------------------------------------

static struct relay_answer relay; // of size 0: there is no relay

static void print_faults(void)
{
    char a[POSITION_NAME], b[POSITION_NAME], text[256];
    for (unsigned k = 0; relay.size && k <= relay.status.nodes; k++) {
        struct cable_way w = cable_way(2 * k, relay.status.nodes);
        if (!relay_cable_text(&relay.status, k, text, sizeof text))
            continue;
        position_name(w.from, a);
        position_name(w.to, b);
        printf("link %s - %s: %s\n", a, b, text);
    }
}

// Of the node's own links.
static void put_faults(struct json *j, const char *node)
{
    char with[POSITION_NAME], text[256];
    unsigned position;
    json_array(j, "faults");
    bool is_ours = relay.size && position_named(node, strlen(node), relay.status.nodes, &position);
    for (unsigned way = 0; is_ours && way < 2 * (relay.status.nodes + 1); way++) {
        struct cable_way w = cable_way(way, relay.status.nodes);
        if (w.from != position || !relay_cable_text(&relay.status, way / 2, text, sizeof text))
            continue;
        position_name(w.to, with);
        json_object(j, NULL);
        json_text(j, "with", with);
        json_text(j, "set", text);
        json_close(j);
    }
    json_close(j);
}

// --- Rows -------------------------------------------------------------------------------------------------

static void put_status(struct table *t, const struct found_node *f, const struct node_status *s)
{
    char links_up[32];
    unsigned up = 0;
    for (uint32_t i = 0; i < link_count(s); i++)
        up += s->link[i].up != 0;
    snprintf(links_up, sizeof links_up, "%2u of %-2u", up, s->links);
    table_number(t, f->hops, NULL);
    table_number(t, s->harts, NULL);
    table_number(t, s->pages_free * PAGE_SIZE, page_size_text(s->pages_free));
    table_number(t, s->pages_total * PAGE_SIZE, page_size_text(s->pages_total));
    // One of the process records is the kernel's own.
    uint64_t processes = s->procs ? s->procs - 1 : 0;
    table_number(t, processes, NULL);
    table_number(t, up, links_up);
    table_number(t, s->links, NULL);
    table_number(t, s->uptime_ns, duration(s->uptime_ns));
    if (nodes.json)
        put_faults(&t->json, f->name);
    if (nodes.longer && nodes.json)
        put_longer(&t->json, s);
    table_row_end(t);
    if (nodes.longer && !nodes.json)
        print_longer(s);
}

static bool put_node(struct node *n, struct table *t, const struct found_node *f)
{
    struct node_status s;
    char endpoint[24];
    int64_t e = find_status(n, f->name, &s);
    snprintf(endpoint, sizeof endpoint, "%016llx", (unsigned long long)f->ep);
    table_text(t, f->name);
    table_text(t, endpoint);
    if (e < 0)
        table_row_fails(t, error_string((long)e));
    else
        put_status(t, f, &s);
    return e >= 0;
}

static int nodes_task(struct node *n, void *arg)
{
    static struct found_node f[FIND_NODES_MAX];
    struct table t;
    (void)arg;
    unsigned count = find_nodes(n, f);
    bool ok = true;
    table_begin(&t, stdout, nodes.json, columns);
    for (unsigned i = 0; i < count; i++)
        ok &= put_node(n, &t, &f[i]) || find_is_command(f[i].name); // a command may just have ended
    table_end(&t);
    if (!nodes.json)
        print_faults();
    ok &= !find_say_missing();
    return ok ? EXIT_OK : EXIT_NOBODY;
}

static int run(void)
{
    if (!rundir_path() || relay_ask("-", -1, false, &relay) != EXIT_OK)
        relay.size = 0; // what is wrong has been said, and the nodes are there all the same
    return member_run(nodes_task, NULL);
}

const struct command command_nodes = {
    .name = "nodes",
    .group = GROUP_NODE,
    .what = "the nodes that answer: memory, processes, links",
    .help = "Lists the nodes that answer. cli-... are commands like this one: nodes too, while they run. "
            "Faults that are set on links (rotifer link) stand behind them. Status 203 when one of those that "
            "`ring up` started does not answer.",
    .next = "rotifer ps",
    .options = options,
    .run = run,
};
