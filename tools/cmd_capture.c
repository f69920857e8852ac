// SPDX-License-Identifier: BSD-2-Clause
// rotifer capture: all frames of the ring into one file.
#include "tools/command.h"
#include "tools/relay.h"
#include "tools/say.h"
#include "tools/table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *file;
    bool stop, json;
} opt;

static const struct option options[] = {
    {.name = "stop", .kind = OPTION_FLAG, .flag = &opt.stop, .what = "end it; the file is complete then"},
    OPTION_JSON(&opt.json),
    {.name = NULL},
};
static const struct option operands[] = {
    {.name = "FILE", .kind = OPTION_TEXT, .text = &opt.file, .optional = true},
    {.name = NULL},
};

static int begin(struct relay_answer *a)
{
    int fd = open(opt.file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600); // frames hold what programs send
    if (fd < 0)
        return fail("cannot write %s: %s", opt.file, strerror(errno));
    int status = relay_ask("- capture", fd, true, a);
    close(fd);
    return status;
}

static void print(const struct relay_status *s)
{
    struct json j;
    if (opt.json) {
        json_begin(&j, stdout);
        json_object(&j, NULL);
        json_text(&j, "file", s->capture[0] ? s->capture : NULL);
        json_number(&j, "frames", s->capture_frames);
        json_number(&j, "bytes", s->capture_bytes);
        json_text(&j, "error", s->capture_error[0] ? s->capture_error : NULL);
        json_close(&j);
        json_finish(&j);
    } else if (s->capture[0]) {
        printf("Frames of all links are written to %s: %s so far.\n", s->capture, with_commas(s->capture_frames));
    } else {
        printf("Nothing is captured%s%s%s; the last capture has %s frames.\n", s->capture_error[0] ? " (" : "",
               s->capture_error, s->capture_error[0] ? ")" : "", with_commas(s->capture_frames));
    }
}

static int run(void)
{
    static struct relay_answer a;
    unsigned nodes;
    if (opt.stop && opt.file)
        return usage_error("capture", "--stop ends a capture and takes no FILE");
    int status = relay_ring(&nodes);
    if (status == EXIT_OK)
        status = opt.file ? begin(&a) : relay_ask(opt.stop ? "- capture-end" : "-", -1, false, &a);
    if (status == EXIT_OK)
        print(&a.status);
    return status;
}

const struct command command_capture = {
    .name = "capture",
    .group = GROUP_LINK,
    .what = "write the frames of all links to a file, for Wireshark",
    .help = "Writes the frames of all links to FILE (pcapng) until --stop: an interface for each direction of "
            "each link, a comment with what became of the frame. Without FILE: says how far it is.",
    .next = "tshark -X lua_script:tools/rotifer.lua -r FILE",
    .options = options,
    .operands = operands,
    .run = run,
};
