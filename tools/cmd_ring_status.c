// SPDX-License-Identifier: BSD-2-Clause
// rotifer ring status: which processes make the ring, and whether they run. The ring itself is not asked.
#include "tools/command.h"
#include "tools/ring.h"
#include "tools/say.h"
#include "tools/table.h"

static bool as_json;

static const struct option options[] = {OPTION_JSON(&as_json), {.name = NULL}};

static void print_json(const struct ring_state *s, bool whole)
{
    struct json j;
    json_begin(&j, stdout);
    json_object(&j, NULL);
    json_text(&j, "directory", rundir_path());
    json_number(&j, "nodes", s->nodes);
    json_bool(&j, "whole", whole);
    json_array(&j, "processes");
    for (unsigned i = 0; i < s->count; i++) {
        json_object(&j, NULL);
        json_text(&j, "name", s->proc[i].name);
        json_number(&j, "pid", (uint64_t)s->proc[i].pid);
        json_bool(&j, "runs", process_alive(&s->proc[i]));
        json_bool(&j, "paused", process_paused(&s->proc[i]));
        json_close(&j);
    }
    json_close(&j);
    json_close(&j);
    json_finish(&j);
}

static void print_text(const struct ring_state *s, bool whole)
{
    printf("A ring of %u nodes and the host daemon in %s\n", s->nodes, rundir_path());
    for (unsigned i = 0; i < s->count; i++)
        printf("  %-5s pid %-7d %s\n", s->proc[i].name, (int)s->proc[i].pid,
               !process_alive(&s->proc[i])   ? "has ended"
               : process_paused(&s->proc[i]) ? "is paused"
                                             : "runs");
    puts(whole ? "Next: rotifer nodes" : "Not all of it runs. Next: rotifer ring down");
}

static int run(void)
{
    struct ring_state s;
    bool whole = true;
    if (!rundir_path())
        return EXIT_FAILED;
    if (!rundir_enter() || !ring_state_read(&s))
        return fail_as(EXIT_NO_RING, "no ring is up in %s. Try: rotifer ring up", rundir_path());
    if (!rundir_check())
        return EXIT_NO_RING;
    for (unsigned i = 0; i < s.count; i++)
        whole &= process_alive(&s.proc[i]);
    if (as_json)
        print_json(&s, whole);
    else
        print_text(&s, whole);
    return whole ? EXIT_OK : EXIT_NOBODY;
}

const struct command command_ring_status = {
    .name = "ring status",
    .group = GROUP_RING,
    .what = "which processes make the ring",
    .help = "Lists the processes that make the ring. Status 203 when one of them has ended.",
    .options = options,
    .run = run,
};
