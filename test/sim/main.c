// SPDX-License-Identifier: BSD-2-Clause
// usage: sim-run              the whole suite, fixed seeds, TAP
//        sim-run suite N      N times as many seeds
//        sim-run SEED         one long random run; says what it does
//        sim-run NAME [SEED]  one scenario, by name; says what it does
// SIM_TRACE=1 in the environment: it also tells every trace event of every node.
#include "test/sim/scenarios.h"

#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <string.h>

#define NODE_PAGES 2048u

static struct sim *playing; // for the epitaph only

// A sanitizer or an assertion ends the run: say which one it was.
static void epitaph(void)
{
    if (playing)
        printf("# died in: sim-run %s %llu, at %.6f s of virtual time\n", playing->name,
               (unsigned long long)playing->seed, (double)playing->now_ns / 1e9);
    fflush(stdout);
}

// Returns whether all oracles kept silent.
static bool play(const char *name, void (*fn)(struct sim *s), uint64_t seed, bool loud)
{
    struct sim *s = sim_new(name, seed, NODE_PAGES);
    s->loud = loud;
    s->follow = loud && getenv("SIM_TRACE");
    playing = s;
    fn(s);
    bool good = !s->trouble[0];
    if (!good) {
        sim_dump(s);
        printf("# replay: build/sim-run %s %llu\n", name, (unsigned long long)seed);
    }
    if (loud)
        printf("# %.3f s of virtual time, %llu events, %llu frames, %llu lost; %llu moves, %llu refused, %llu failed\n",
               (double)s->now_ns / 1e9, (unsigned long long)s->events, (unsigned long long)s->frames_sent,
               (unsigned long long)s->frames_lost, (unsigned long long)s->moves, (unsigned long long)s->moves_refused,
               (unsigned long long)s->moves_failed);
    playing = NULL;
    sim_free(s);
    fflush(stdout);
    return good;
}

static int suite(unsigned scale)
{
    unsigned number = 0, bad = 0;
    for (const struct scenario *sc = scenarios; sc->name; sc++) {
        bool good = true;
        for (uint64_t seed = 1; good && seed <= (uint64_t)sc->seeds * scale; seed++)
            good = play(sc->name, sc->play, seed, false);
        printf("%sok %u - %s\n", good ? "" : "not ", ++number, sc->claim);
        fflush(stdout);
        bad += !good;
    }
    printf("1..%u\n", number);
    return bad ? 1 : 0;
}

static bool number(const char *text, uint64_t *value)
{
    char *end;
    *value = strtoull(text, &end, 0);
    return *text && !*end;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    __sanitizer_set_death_callback(epitaph);
    if (argc < 2)
        return suite(1);
    if (strcmp(argv[1], "suite") == 0)
        return suite(argc > 2 && number(argv[2], &seed) ? (unsigned)seed : 1);
    if (number(argv[1], &seed))
        return play("long", scenario_long, seed, true) ? 0 : 1;
    if (argc > 2 && !number(argv[2], &seed))
        return 2;
    for (const struct scenario *sc = scenarios; sc->name; sc++)
        if (strcmp(argv[1], sc->name) == 0)
            return play(sc->name, sc->play, seed, true) ? 0 : 1;
    fprintf(stderr, "no scenario is called %s\n", argv[1]);
    return 2;
}
