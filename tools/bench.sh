#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# make bench: prints one table and writes build/bench.csv (name,value,unit,statistic,commit).
#
#   two nodes   null transactions against the limit, the bare driver's frame ping-pong on the same link: the
#               ratio counts, for absolute times on an emulator move with the machine's load
#   one node    instructions of local paths, by QEMU's -icount: exact, a change is a change of the code
#
# usage: tools/bench.sh       exit status 0 when everything could be measured
#   BENCH_ROUNDS=R  rounds of ping-pong and transactions in turn (default 7)
#   BENCH_OUT=FILE  instead of build/bench.csv
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

rotifer=${ROTIFER:-$PWD/build/rotifer}
out=${BENCH_OUT:-build/bench.csv}
rounds=${BENCH_ROUNDS:-7}
work=$(mktemp -d "${TMPDIR:-/tmp}/rotifer-bench.XXXXXX") || exit 1
export ROTIFER_RUN=$work/run
jobs_started=()
failed=0

clean_up() {
    "$rotifer" ring down >/dev/null 2>&1
    for pid in "${jobs_started[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

commit=$(git rev-parse --short HEAD 2>/dev/null || echo none)
[[ $commit == none || -z $(git status --porcelain --untracked-files=no 2>/dev/null) ]] || commit+=-changed

rows=$work/rows
: >"$rows"
# row NAME VALUE UNIT STATISTIC
row() { printf '%s,%s,%s,%s,%s\n' "$1" "$2" "$3" "$4" "$commit" >>"$rows"; }
missing() {
    echo "bench: $1" >&2
    failed=1
}
ring_up() { "$rotifer" ring up "$@" >"$work/up" 2>&1 || { cat "$work/up" >&2 && missing "the ring did not come up" && return 1; }; }
ring_down() { "$rotifer" ring down >/dev/null; }

[[ -x $rotifer ]] || { echo "bench: there is no $rotifer; try: make" >&2 && exit 1; }
row load_average "$(cut -d' ' -f1 /proc/loadavg)" processes before
row processors "$(nproc)" count -

# --- Two nodes ---------------------------------------------------------------------------------------
echo "Two nodes: transactions against the limit of the link ($rounds rounds) ..."
if ring_up 2; then
    if "$rotifer" bench --csv --rounds "$rounds" >"$work/two"; then
        while IFS=, read -r name value unit statistic; do row "$name" "$value" "$unit" "$statistic"; done <"$work/two"
    else
        missing "the two-node measurement failed"
    fi
    ring_down
fi

# --- One node, counting instructions -------------------------------------------------------------------
# bench_null prints: bench_null: WHAT, BYTES bytes: N instructions, T ns. Thrice each: the first run finds caches
# and tables empty, and the least is what the path costs when no timer came in between.
# count NAME BENCH_NULL-ARGUMENTS...: instructions of what it prints, one row for each line.
count() {
    local name=$1 dir=$2
    shift 2
    for _ in 1 2 3; do
        "$rotifer" run --quiet --node n1 --dir "$dir" bench_null "$@" >>"$work/$name" 2>&1 || return 1
    done
}
# least NAME PATTERN FILE
least() {
    local values
    values=$(sed -nE "s/^bench_null: .*$2.*: ([0-9]+) instructions.*/\1/p" "$work/$3" | sort -n)
    [[ -n $values ]] || { missing "$1: no figure in: $(head -n 1 "$work/$3" 2>/dev/null)" && return; }
    row "$1" "$(head -n 1 <<<"$values")" instructions min
    row "$1" "$(sed -n 2p <<<"$values")" instructions median
}

echo "One node, counting instructions (slower than life) ..."
if ring_up 1 --icount; then
    count self host 1000 || missing "bench_null failed: $(tail -n 1 "$work/self")"
    least null_system_call 'null system call' self
    least null_trans_same_process 'transaction with a thread' self

    count task n1 1000 node || missing "bench_null node failed: $(tail -n 1 "$work/task")"
    least null_trans_privileged_task 'node' task

    "$rotifer" run --quiet --node n1 --name server bench_null server bench-server >"$work/server" 2>&1 &
    jobs_started+=("$!")
    for _ in {1..600}; do grep -q ready "$work/server" && break; sleep 0.1; done
    count other host 1000 bench-server || missing "bench_null between processes failed: $(tail -n 1 "$work/other")"
    least null_trans_two_processes 'bench-server' other
    ring_down
fi

# --- The table -------------------------------------------------------------------------------------------
mkdir -p "$(dirname "$out")"
{ echo name,value,unit,statistic,commit && cat "$rows"; } >"$out"
echo
awk -F, 'NR == 1 { printf "%-30s %14s  %-14s %s\n", "WHAT", "VALUE", "UNIT", "STATISTIC"; next }
         { printf "%-30s %14s  %-14s %s\n", $1, $2, $3, $4 }' "$out"
echo
echo "Written to $out (commit $commit). For comparison, by the same counting: Linux 6.1 takes 182 instructions for a"
echo "null system call and 9,212 for a pipe there and back; seL4 538 for a call and reply between address spaces."
[[ $failed -eq 0 ]] || { echo "Not everything could be measured: see above." && exit 1; }
echo "Next: keep $out, change something, make bench, and compare."
