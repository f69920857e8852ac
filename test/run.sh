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
# Those that need no emulator run on all processors at once, and are printed in order all the same. Those of rings run
# one after another: each keeps all processors busy by itself, and its time-outs mean a machine that it has alone.
#
# From the environment: FUZZ_RUNS (inputs for each fuzz target), TEST_TIMEOUT (seconds a program), TEST_JOBS (programs
# at once, as many as there are processors).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

FUZZ_RUNS=${FUZZ_RUNS:-20000}
# Generous, since it only ends what hangs: a loaded machine is no failure.
TEST_TIMEOUT=${TEST_TIMEOUT:-900}
TEST_JOBS=${TEST_JOBS:-$(nproc)}
export CMOCKA_MESSAGE_OUTPUT=TAP

# Seconds that all programs of a kind take together, on two processors that nothing else uses: docs/tests.md. A kind
# that takes longer is marked, and no failure.
declare -A budget=([check]=25 [model]=60 [plants]=60 [unit]=30 [sim]=60 [fuzz]=80 [ring]=700)

passed=0 failed=0 skipped=0
broken=() # names of programs with a failure
only=("$@")
logs=build/test-logs
mkdir -p "$logs"

# All programs in the order of their lines: name, quiet or live, command. What needs no emulator comes first.
names=() modes=() commands=()

wanted() {
    [[ ${#only[@]} -gt 0 ]] || return 0
    local part
    for part in "${only[@]}"; do [[ $1 != *"$part"* ]] || return 0; done
    return 1
}

# add NAME quiet|live COMMAND...
add() {
    wanted "$1" || return 0
    names+=("$1") modes+=("$2")
    shift 2
    commands+=("$(printf '%q ' "$@")")
}

kind_of() {
    case $1 in
    unit/* | fuzz/* | ring/*) echo "${1%%/*}" ;;
    sim | model) echo "$1" ;;
    plants*) echo plants ;;
    *) echo check ;;
    esac
}

log_of() { echo "$logs/${names[$1]//\//-}.log"; }

# --- running --------------------------------------------------------------------------------------------

# run_one I: its output into its log. Says "ended I STATUS SECONDS".
run_one() {
    local command start=$EPOCHREALTIME status
    eval "command=(${commands[$1]})"
    timeout -k 10 "$TEST_TIMEOUT" "${command[@]}" </dev/null >"$(log_of "$1")" 2>&1 &
    trap 'kill %1; exit 1' TERM INT
    wait %1
    status=$?
    echo "ended $1 $status $(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
}

# start I: says "started I PID".
start() {
    run_one "$1" &
    echo "started $1 $!"
}

# run_all N: starts the programs below number N, TEST_JOBS at a time: one from the front, so that there is always
# something to print, the others from the back, where those are that take longest. Then the programs from N on, one by
# one.
run_all() {
    local i front=0 back=$(($1 - 1)) front_pid=none
    trap 'kill $(jobs -rp) 2>/dev/null; exit 1' TERM INT
    while [[ $front -le $back ]]; do
        while [[ $(jobs -rp | wc -l) -ge $TEST_JOBS ]]; do wait -n; done
        if ! jobs -rp | grep -qx "$front_pid"; then
            start $((front++))
            front_pid=$!
        else
            start $((back--))
        fi
    done
    wait
    for ((i = $1; i < ${#names[@]}; i++)); do
        start "$i"
        wait
    done
}

# --- telling --------------------------------------------------------------------------------------------

# Lets TAP lines through as they come, for programs that take long.
live() { grep --line-buffered -E '^(not )?ok\b' | sed -u 's/^/      /' || true; }

# judge I STATUS SECONDS: counts what its log says, and prints its line.
judge() {
    local name=${names[$1]} status=$2 time="$3 s" log ok bad skip
    log=$(log_of "$1")
    [[ ${modes[$1]} != live ]] || name="  ... $name"

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

# tell_all N: runs everything, and prints each program's result when those before it are printed.
tell_all() {
    local next=0 what i status time runner pids=() ended=() begun=-1
    exec 3< <(run_all "$1")
    runner=$!
    trap 'kill -TERM $runner 2>/dev/null' EXIT
    trap 'exit 1' INT TERM
    while [[ $next -lt ${#names[@]} ]] && read -r what i status time <&3; do
        if [[ $what == started ]]; then pids[i]=$status; else ended[i]="$status $time"; fi
        while [[ $next -lt ${#names[@]} ]]; do
            if [[ ${modes[next]} == live && $begun -lt $next && -n ${pids[next]-} ]]; then
                begun=$next
                printf '  %s\n' "${names[next]}"
                tail -q -n +1 -f -s 0.2 --pid="${pids[next]}" "$(log_of "$next")" | live
            fi
            [[ -n ${ended[next]-} ]] || break
            times[next]=${ended[next]#* }
            judge "$next" "${ended[next]% *}" "${times[next]}"
            next=$((next + 1))
        done
    done
    trap - EXIT INT TERM
    exec 3<&-
}

# The ten that took longest, and what each kind took of its budget.
tell_times() {
    local i kind
    local -A took=() count=()
    [[ ${#times[@]} -gt 1 ]] || return 0
    echo
    echo "The slowest:"
    for i in "${!times[@]}"; do printf '%9s s  %s\n' "${times[i]}" "${names[i]}"; done | sort -rn | head -n 10
    for i in "${!times[@]}"; do
        kind=$(kind_of "${names[i]}")
        took[$kind]="${took[$kind]-0} + ${times[i]}"
        count[$kind]=$((${count[$kind]-0} + 1))
    done
    echo
    printf '  %-8s %9s %9s %9s\n' kind programs seconds budget
    for kind in check model plants unit sim fuzz ring; do
        [[ -n ${count[$kind]-} ]] || continue
        awk -v k="$kind" -v n="${count[$kind]}" -v b="${budget[$kind]}" "BEGIN { s = ${took[$kind]}
            printf \"  %-8s %9d %9.1f %9d%s\\n\", k, n, s, b, (s > b ? \"  over\" : \"\") }"
    done
}

# --- which ----------------------------------------------------------------------------------------------

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

add layout quiet test/check-layout.py
add arrows quiet test/check-arrows.sh
add circles quiet test/check-circles.py
add contracts quiet test/check-contracts.py
add docs quiet test/check-docs.py
add walks quiet test/check-walks.py
# Do these see what they look for?
for check in circles contracts walks; do add "$check-test" quiet "test/check-$check-test.py"; done
add claims-test quiet test/compare-claims-test.py
add plants-test quiet test/plants/run-test.py
add model live test/model/check.py
for program in $(built unit test_); do add "unit/${program##*/}" quiet "$program"; done
if compgen -G 'test/sim/*.c' >/dev/null; then add sim live build/sim-run; fi
for program in $(built fuzz fuzz_); do add "fuzz/${program##*/}" quiet "$program" "$FUZZ_RUNS"; done
# Three planted faults, others for each commit.
add plants live test/plants/run.py --draw 3
parallel=${#names[@]}
for program in $(executables test/ring/*.sh test/ring/*.py); do
    add "ring/${program##*/}" live "$program"
done

for ((i = 0; i < ${#names[@]}; i++)); do : >"$(log_of "$i")"; done
times=() # seconds that each took
tell_all "$parallel"
tell_times

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
