// SPDX-License-Identifier: BSD-2-Clause
// usage: sim-run                     the whole suite, fixed seeds, TAP
//        sim-run suite N             N times as many seeds, and the slow scenarios
//        sim-run SEED                one long random run; says what it does
//        sim-run NAME [SEED]         one scenario, by name; says what it does
//        sim-run each NAME FROM TO   one scenario with each of these seeds; says which are bad
//        sim-run fault NAME SEED     for the suite: a scenario with a known fault; its exit status says how it ended
// SIM_TRACE=1 in the environment: it also tells every trace event of every node.
#include "test/sim/scenarios.h"

#include <sanitizer/common_interface_defs.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE_PAGES 2048u

static struct sim *playing; // for the epitaph only
static struct sim_totals totals;

// A sanitizer or an assertion ends the run: say which one it was.
static void epitaph(void)
{
    if (playing)
        printf("# died in: sim-run %s %llu, at %.6f s of virtual time\n", playing->name,
               (unsigned long long)playing->seed, (double)playing->now_ns / 1e9);
    fflush(stdout);
}

// --- One run ------------------------------------------------------------------------------------------------

static void tell_end(const struct sim *s)
{
    printf("# %.3f s of virtual time, %llu events, %llu frames, %llu lost; %llu moves, %llu refused, %llu failed\n",
           (double)s->now_ns / 1e9, (unsigned long long)s->events, (unsigned long long)s->frames_sent,
           (unsigned long long)s->frames_lost, (unsigned long long)s->moves, (unsigned long long)s->moves_refused,
           (unsigned long long)s->moves_failed);
}

static void tell_trouble(struct sim *s)
{
    sim_dump(s);
    printf("# replay: build/sim-run %s %llu\n", s->name, (unsigned long long)s->seed);
}

static struct sim *run(const char *name, void (*fn)(struct sim *s), uint64_t seed, bool loud)
{
    struct sim *s = sim_new(name, seed, NODE_PAGES, &totals);
    s->loud = loud;
    s->follow = loud && getenv("SIM_TRACE");
    playing = s;
    fn(s);
    return s;
}

static void run_over(struct sim *s)
{
    playing = NULL;
    sim_free(s);
    fflush(stdout);
}

// Returns whether all oracles kept silent.
static bool play(const char *name, void (*fn)(struct sim *s), uint64_t seed, bool loud)
{
    struct sim *s = run(name, fn, seed, loud);
    bool good = !s->trouble[0];
    if (!good)
        tell_trouble(s);
    if (loud)
        tell_end(s);
    run_over(s);
    return good;
}

// --- Known faults: scenarios that are expected to fail ----------------------------------------------------------

enum outcome { HOLDS = 10, FAILS_AS_EXPECTED, FAILS_OTHERWISE }; // exit statuses; sanitizers and panics have others

static enum outcome fault_play(const struct scenario *sc, uint64_t seed)
{
    struct sim *s = run(sc->name, sc->play, seed, false);
    enum outcome o = FAILS_OTHERWISE;
    if (!s->trouble[0])
        o = HOLDS;
    else if (strstr(s->trouble, sc->fault->says))
        o = FAILS_AS_EXPECTED;
    if (o == FAILS_OTHERWISE)
        tell_trouble(s);
    run_over(s);
    return o;
}

// In a process of its own: what an assertion or a sanitizer ends there is a failure of another kind, not our end. It is
// this program from its start, since a copy of a process that has played for long takes longer than most scenarios.
static enum outcome fault_play_apart(const struct scenario *sc, uint64_t seed)
{
    char text[24];
    char *argv[] = {"sim-run", "fault", (char *)(uintptr_t)sc->name, text, NULL};
    pid_t child;
    int status;
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    fflush(stdout);
    if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ) != 0 || waitpid(child, &status, 0) != child ||
        !WIFEXITED(status))
        return FAILS_OTHERWISE;
    int o = WEXITSTATUS(status);
    return o == HOLDS || o == FAILS_AS_EXPECTED ? (enum outcome)o : FAILS_OTHERWISE;
}

// Of the seeds that show the fault the first that fails decides, as expected or otherwise. A longer suite
// plays others too, where the scenario may hold: it looks for failures of another kind.
static enum outcome fault_outcome(const struct scenario *sc, unsigned scale)
{
    enum outcome o = HOLDS;
    for (unsigned i = 0; i < FAULT_SEEDS && sc->fault->seeds[i] && o == HOLDS; i++)
        o = fault_play_apart(sc, sc->fault->seeds[i]);
    uint64_t others = scale > 1 ? (uint64_t)sc->seeds * scale : 0;
    for (uint64_t seed = 1; seed <= others && o == FAILS_AS_EXPECTED; seed++)
        if (fault_play_apart(sc, seed) == FAILS_OTHERWISE)
            o = FAILS_OTHERWISE;
    return o;
}

// --- The suite ---------------------------------------------------------------------------------------------------

static bool suite_fault(const struct scenario *sc, unsigned scale, unsigned number)
{
    static const char *const verdicts[] = {
        [HOLDS] = "no longer fails: remove the mark",
        [FAILS_AS_EXPECTED] = "fails as expected",
        [FAILS_OTHERWISE] = "fails, but not as expected",
    };
    enum outcome o = fault_outcome(sc, scale);
    bool good = o == FAILS_AS_EXPECTED;
    printf("%sok %u - known fault: %s: %s (%s)\n", good ? "" : "not ", number, sc->name, sc->fault->sentence,
           verdicts[o]);
    return good;
}

static bool suite_claim(const struct scenario *sc, unsigned scale, unsigned number)
{
    bool good = true;
    for (uint64_t seed = 1; good && seed <= (uint64_t)sc->seeds * scale; seed++)
        good = play(sc->name, sc->play, seed, false);
    printf("%sok %u - %s\n", good ? "" : "not ", number, sc->claim);
    return good;
}

static void tell_totals(void)
{
    printf("# %llu runs: %llu calls of clients, %llu moves, ", (unsigned long long)totals.runs,
           (unsigned long long)totals.client_calls, (unsigned long long)totals.moves);
    printf("%llu transactions on one node and %llu between two, ", (unsigned long long)totals.trans_local,
           (unsigned long long)totals.trans_remote);
    printf("%llu events, %llu frames\n", (unsigned long long)totals.events, (unsigned long long)totals.frames);
}

static int suite(unsigned scale)
{
    unsigned number = 0, bad = 0;
    for (const struct scenario *const *section = scenario_sections; *section; section++)
        for (const struct scenario *sc = *section; sc->name; sc++) {
            if (sc->slow && scale == 1)
                continue;
            number++;
            bad += sc->fault ? !suite_fault(sc, scale, number) : !suite_claim(sc, scale, number);
            fflush(stdout);
        }
    printf("1..%u\n", number);
    tell_totals();
    return bad ? 1 : 0;
}

// --- Orders of people ----------------------------------------------------------------------------------------------

static int play_each(const struct scenario *sc, uint64_t from, uint64_t to)
{
    unsigned bad = 0;
    for (uint64_t seed = from; seed <= to; seed++)
        bad += !play(sc->name, sc->play, seed, false);
    printf("# %s: %u of these seeds are bad\n", sc->name, bad);
    tell_totals();
    return bad ? 1 : 0;
}

static bool number(const char *text, uint64_t *value)
{
    char *end;
    *value = strtoull(text, &end, 0);
    return *text && !*end;
}

static const struct scenario *named(const char *name)
{
    const struct scenario *sc = scenario_find(name);
    if (!sc)
        fprintf(stderr, "no scenario is called %s\n", name);
    return sc;
}

static int each(char **argv)
{
    uint64_t from, to;
    const struct scenario *sc = named(argv[0]);
    return sc && number(argv[1], &from) && number(argv[2], &to) ? play_each(sc, from, to) : 2;
}

static int fault(char **argv)
{
    uint64_t seed;
    const struct scenario *sc = named(argv[0]);
    return sc && sc->fault && number(argv[1], &seed) ? (int)fault_play(sc, seed) : 2;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    __sanitizer_set_death_callback(epitaph);
    if (argc < 2)
        return suite(1);
    if (strcmp(argv[1], "suite") == 0)
        return suite(argc > 2 && number(argv[2], &seed) ? (unsigned)seed : 1);
    if (strcmp(argv[1], "each") == 0)
        return argc == 5 ? each(argv + 2) : 2;
    if (strcmp(argv[1], "fault") == 0)
        return argc == 4 ? fault(argv + 2) : 2;
    if (number(argv[1], &seed))
        return play("long", scenario_long, seed, true) ? 0 : 1;
    if (argc > 2 && !number(argv[2], &seed))
        return 2;
    const struct scenario *sc = named(argv[1]);
    if (!sc)
        return 2;
    return play(sc->name, sc->play, seed, true) ? 0 : 1;
}
