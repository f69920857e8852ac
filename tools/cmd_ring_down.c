// SPDX-License-Identifier: BSD-2-Clause
// rotifer ring down: stops the nodes and the host daemon, and removes what they left.
#include "tools/command.h"
#include "tools/ring.h"
#include "tools/say.h"

#include <unistd.h>

static bool keep_logs;

static const struct option options[] = {
    {.name = "keep-logs", .kind = OPTION_FLAG, .flag = &keep_logs, .what = "consoles stay in the run directory"},
    {.name = NULL},
};

static int run(void)
{
    struct ring_state s;
    if (!rundir_path())
        return EXIT_FAILED;
    if (!rundir_enter() || !ring_state_read(&s)) {
        printf("No ring is up in %s.\n", rundir_path());
        return EXIT_OK;
    }
    if (!rundir_check())
        return EXIT_NO_RING;
    ring_stop(&s);
    if (ring_any_runs(&s))
        return fail("some processes did not end; try again, or see: rotifer ring status");
    ring_remove_files(keep_logs);
    (void)unlink("ring.lock");
    printf("The ring of %u is down.\n", s.nodes);
    rundir_leave();
    if (!keep_logs)
        (void)rmdir(rundir_path()); // unless there is more in it than ours
    return EXIT_OK;
}

const struct command command_ring_down = {
    .name = "ring down",
    .group = GROUP_RING,
    .what = "stop them; nothing is left behind",
    .help = "Stops the nodes and the host daemon. Nothing of the ring is left behind.",
    .options = options,
    .run = run,
};
