#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the tests, cheapest first, and ends with the line "N passed, N failed".
#
# usage: test/run.sh [NAME...]   only those whose name contains a NAME: unit/test_seg, sim, ring/
#
# A test is any program that prints TAP lines: "ok 1 - claim", "not ok 2 - claim", "ok 3 # SKIP why".
# A program that prints none counts as one test, by its exit status; one that fails without saying
# "not ok" (a crash, a sanitizer, a time-out) counts as one failure.
#
# From the environment: FUZZ_RUNS (inputs for each fuzz target), TEST_TIMEOUT (seconds a program).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

FUZZ_RUNS=${FUZZ_RUNS:-20000}
# Generous, since it only ends what hangs: a loaded machine is no failure.
TEST_TIMEOUT=${TEST_TIMEOUT:-900}
export CMOCKA_MESSAGE_OUTPUT=TAP

passed=0 failed=0 skipped=0
broken=() # names of programs with a failure
only=("$@")
logs=build/test-logs
mkdir -p "$logs"

wanted() {
    [[ ${#only[@]} -gt 0 ]] || return 0
    local part
    for part in "${only[@]}"; do [[ $1 != *"$part"* ]] || return 0; done
    return 1
}

# Lets TAP lines through as they come, for programs that take long.
live() { grep --line-buffered -E '^(not )?ok\b' | sed -u 's/^/      /' || true; }

# run NAME quiet|live COMMAND...
run() {
    local name=$1 mode=$2 log status ok bad skip start=$EPOCHREALTIME time
    shift 2
    wanted "$name" || return 0
    log=$logs/${name//\//-}.log
    if [[ $mode == live ]]; then
        printf '  %s\n' "$name"
        timeout -k 10 "$TEST_TIMEOUT" "$@" </dev/null 2>&1 | tee "$log" | live
        status=${PIPESTATUS[0]}
        name="  ... $name"
    else
        timeout -k 10 "$TEST_TIMEOUT" "$@" </dev/null >"$log" 2>&1
        status=$?
    fi
    time=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }')

    # cmocka says "not ok N # SKIP" of a skipped test.
    skip=$(grep -cE '^(not )?ok\b.*# *SKIP' "$log")
    ok=$(grep -E '^ok\b' "$log" | grep -cvE '# *SKIP')
    bad=$(grep -E '^not ok\b' "$log" | grep -cvE '# *SKIP')
    if [[ $status -ne 0 && $bad -eq 0 ]]; then
        bad=1
        if [[ $status -eq 124 || $status -eq 137 ]]; then
            echo "# ended after $TEST_TIMEOUT s" >>"$log"
        else
            echo "# exit status $status" >>"$log"
        fi
    elif [[ $status -eq 0 && $((ok + bad + skip)) -eq 0 ]]; then
        ok=1
    fi
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))

    if [[ $bad -eq 0 ]]; then
        printf '  %-36s %4d ok%s  (%s)\n' "$name" "$ok" \
            "$([[ $skip -eq 0 ]] || printf ', %d skipped' "$skip")" "$time"
    else
        printf '  %-36s FAILED: %d of %d  (%s)\n' "$name" "$bad" $((ok + bad)) "$time"
        sed 's/^/    | /' "$log" | tail -n 200
        broken+=("${name#  ... }")
    fi
}

executables() { # prints those of its arguments that can be run
    local f
    for f in "$@"; do [[ ! -f $f || ! -x $f ]] || printf '%s\n' "$f"; done
}

# A binary is run only while its source is there: build/ may hold older ones.
built() { # KIND PREFIX
    local source
    for source in test/"$1"/"$2"*.c; do
        [[ ! -f $source ]] || printf 'build/%s/%s\n' "$1" "$(basename "$source" .c)"
    done
}

run arrows quiet test/check-arrows.sh
run circles quiet test/check-circles.py
run contracts quiet test/check-contracts.py
run circles-test quiet test/check-circles-test.py
run contracts-test quiet test/check-contracts-test.py
run docs quiet test/check-docs.py
for program in $(built unit test_); do run "unit/${program##*/}" quiet "$program"; done
if compgen -G 'test/sim/*.c' >/dev/null; then run sim live build/sim-run; fi
for program in $(built fuzz fuzz_); do run "fuzz/${program##*/}" quiet "$program" "$FUZZ_RUNS"; done
for program in $(executables test/ring/*.sh test/ring/*.py); do
    run "ring/${program##*/}" live "$program"
done

echo
if [[ ${#broken[@]} -gt 0 ]]; then
    echo "Next: test/run.sh ${broken[0]} runs the first failure alone; whole outputs are in $logs/"
elif [[ $((passed + failed + skipped)) -eq 0 ]]; then
    echo "No test is called ${only[*]-}. Next: make test"
    failed=1
else
    echo "Next: make demo"
fi
summary="$passed passed, $failed failed"
[[ $skipped -eq 0 ]] || summary+=", $skipped skipped"
echo "$summary"
[[ $failed -eq 0 ]]
