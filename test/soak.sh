#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# make soak: the random tests at the size at which we claim that nothing happens. make test does a part of each, every time.
# All are run to the end, whatever fails; the last line says how many.
#
# usage: test/soak.sh        SEED=N: other random numbers (test/ring, where a test has a seed)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

export TEST_TIMEOUT=${TEST_TIMEOUT:-7200}
failed=0
step() {
    local what=$1
    shift
    printf '\n== %s\n' "$what"
    env "$@" || failed=$((failed + 1))
}

# The dissector of captures is tried with tshark, which nothing else needs.
command -v tshark >/dev/null || tools/setup.sh soak || echo "tshark could not be installed: the test says what it skips"

step "100,000 stuns, each resumed from its descriptor" COUNT=100000 test/run.sh ring/torture
step "1,000,000 random system calls, on one hart and on four; random requests to all services" \
    COUNT=1000000 REQUESTS=6000 test/run.sh ring/hostile
step "1,000,000 calls of sixteen programs that do not trust each other" CALLS=62500 test/run.sh ring/integrity
step "1,000,000 mutated inputs for each parser" FUZZ_RUNS=1000000 test/run.sh fuzz/
step "the slow tests of programs that nobody here wrote, too" SLOW=1 test/run.sh ring/foreign
step "the known faults that take long to show, too" SLOW=1 test/run.sh ring/edges
step "faulty wires, with the dissector and what takes a minute" SLOW=1 test/run.sh ring/wire
step "20 times as many seeds for the simulator" build/sim-run suite 20

printf '\n%d of these failed\n' "$failed"
[[ $failed -eq 0 ]]
