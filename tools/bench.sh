#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# make bench: prints one table and writes build/bench.csv (name,value,unit,statistic,commit).
#
#   two nodes   null transactions against the limit, the bare driver's frame ping-pong on the same link: the
#               ratio counts, for absolute times on an emulator move with the machine's load
#   one node    instructions of local paths, and where they go: exact, a change is a change of the code
#   memory      what a waiting thread takes of the kernel's, and the least machine
#
# usage: tools/bench.sh       exit status 0 when everything could be measured
#   BENCH_ROUNDS=R  rounds of ping-pong and transactions in turn (default 7)
#   BENCH_OUT=FILE  instead of build/bench.csv
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

rotifer=${ROTIFER:-$PWD/build/rotifer}
out=${BENCH_OUT:-build/bench.csv}
rounds=${BENCH_ROUNDS:-7}
. tools/workdir.sh bench
failed=0

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
# Every instruction between two marks in the guest, by the plugin tools/plugin/count.c: exact, and the same again while
# the code is the same. Rows NAME (all of them), NAME.satp (changes of the address space, which on the emulator cost
# more time than all the rest) and NAME:FILE (where they go); NAME.sret, where faults are what counts: how often the
# kernel was entered.
# count NAME ROUNDS PROGRAM ARGUMENT...    with_server: bench_null as a server beside it
# shellcheck disable=SC2086
with_server= grants= mem=64M
count() {
    local name=$1 n=$2 program=$3 value where
    shift 3
    ring_up 1 --count --mem $mem || return
    if [[ $with_server ]]; then
        "$rotifer" run --quiet --node n1 --name server --meet bench bench_null server bench-server >"$work/server" 2>&1 &
        jobs_started+=("$!")
        for _ in {1..600}; do grep -q ready "$work/server" && break; sleep 0.1; done
    fi
    "$rotifer" run --quiet --node n1 --meet bench $grants "$program" "$@" >"$work/$name" 2>&1 ||
        missing "$program $*: $(tail -n 1 "$work/$name")"
    "$rotifer" ring down --keep-logs >/dev/null
    tools/where.py "$ROTIFER_RUN/n1.count" "$n" build/rotifer.map >"$work/$name.where" ||
        { missing "$name: nothing was counted" && return; }
    while read -r where value; do
        case $where in
            total) row "$name" "$value" instructions exact ;;
            satp) row "$name.satp" "$value" writes exact ;;
            sret) [[ $name != touch_* ]] || row "$name.sret" "$value" entries exact ;;
            sfence) ;;
            *) row "$name:$where" "$value" instructions exact ;;
        esac
    done <"$work/$name.where"
    rm -rf "$ROTIFER_RUN"
}

echo "One node, counting instructions (slower than life) ..."
count null_system_call 10000 bench_null 10000 call
count null_trans_same_process 10000 bench_null 10000 self
grants="--grant node --grant proc:exec --grant seg:create"
count null_trans_privileged_service 10000 bench_null 10000 node
count process_start_to_end 200 bench_proc 200
count process_with_data 200 bench_proc 200 data
mem=256M
count touch_64MiB_first_time 1 memory touch 64
mem=64M
grants= with_server=yes
count null_trans_two_processes 10000 bench_null 10000 bench-server
count trans_4KiB_each_way 2000 bench_null 2000 bench-server 4096 4096
count trans_30000B 1000 bench_null 1000 bench-server 30000 0
with_server=

# From the first instruction of the image to the shell's prompt; the firmware's own are not counted.
boot() {
    local i pid
    qemu-system-riscv64 -M virt -m 128M -display none -monitor none -serial "file:$work/console" \
        -global virtio-mmio.force-legacy=false -kernel build/Image -initrd build/bootfs.cpio -append 'node=n1 shell' \
        -plugin build/count.so,all=on,out="$work/boot.count" </dev/null >"$work/boot.log" 2>&1 &
    pid=$!
    jobs_started+=("$pid")
    for ((i = 0; i < 600; i++)); do grep -q 'n1> ' "$work/console" 2>/dev/null && break; sleep 0.1; done
    kill "$pid"
    wait "$pid" 2>/dev/null
    grep -q 'n1> ' "$work/console" || { missing "no prompt: $(tail -n 1 "$work/console" "$work/boot.log")" && return; }
    tools/where.py "$work/boot.count" 1 build/rotifer.map >"$work/boot.where" || { missing "boot: nothing was counted" && return; }
    row boot_to_prompt "$(awk '!/^(total|satp|sfence|sret|firmware) / { sum += $2 } END { print sum }' "$work/boot.where")" instructions exact
    awk '!/^(total|satp|sfence|sret|firmware) /' "$work/boot.where" | head -n 6 >"$work/boot.top"
    while read -r where value; do row "boot_to_prompt:$where" "$value" instructions exact; done <"$work/boot.top"
}
boot

# --- Memory ------------------------------------------------------------------------------------------------
echo "Memory ..."
if ring_up 1; then
    for stack in 8 32; do # KiB; 32: what a thread gets that asks for nothing special
        value=$("$rotifer" run --quiet --node n1 --grant node --grant proc bench_mem 1000 $((stack == 32 ? 0 : stack * 1024)) | sed -n 's/^bench_mem: //p')
        [[ $value ]] || missing "bench_mem failed"
        row "kernel_memory_per_waiting_thread.stack_${stack}KiB" "${value:-?}" bytes measured
    done
    ring_down
fi

# The least machine: it gets to its prompt, runs a program, and says what is free then.
least() {
    local mib=$1 pid free
    mkfifo "$work/keys"
    : >"$work/least"
    qemu-system-riscv64 -M virt -m "${mib}M" -display none -monitor none -serial stdio -global virtio-mmio.force-legacy=false \
        -kernel build/Image -initrd build/bootfs.cpio -append 'node=n1 shell' <"$work/keys" >"$work/least" 2>"$work/least.log" &
    pid=$!
    jobs_started+=("$pid")
    exec 9>"$work/keys"
    says 'n1> ' && printf 'hello\r' >&9 && says 'Hello from' && printf 'mem\r' >&9 && says 'are free' && printf 'stop\r' >&9 &&
        says 'switches off' && row least_memory "$mib" MiB "runs hello"
    exec 9>&-
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    free=$(grep -aoE '[0-9]+ KiB of [0-9]+ KiB are free' "$work/least" | tail -n 1 | cut -d' ' -f1)
    [[ $free ]] || { missing "$mib MiB are not enough: $(tail -n 1 "$work/least" "$work/least.log")" && return; }
    row least_memory.taken $((mib * 1024 - free)) KiB "firmware too"
}
says() {
    local i
    for ((i = 0; i < 600; i++)); do grep -aq "$1" "$work/least" && return; sleep 0.1; done
    return 1
}
least 6
row image_size "$(stat -c %s build/Image)" bytes exact

# --- The table -------------------------------------------------------------------------------------------
mkdir -p "$(dirname "$out")"
{ echo name,value,unit,statistic,commit && cat "$rows"; } >"$out"
echo
awk -F, '/^[^,]*:/ { sub(":", "    in ") } NR == 1 { printf "%-30s %14s  %-14s %s\n", "WHAT", "VALUE", "UNIT", "STATISTIC"; next }
         { printf "%-30s %14s  %-14s %s\n", $1, $2, $3, $4 }' "$out"
echo
echo "Written to $out (commit $commit). For comparison, by the same counting: Linux 6.1 takes 182 instructions for a"
echo "null system call and 9,212 for a pipe there and back; seL4 538 for a call and reply between address spaces."
[[ $failed -eq 0 ]] || { echo "Not everything could be measured: see above." && exit 1; }
echo "Next: keep $out, change something, make bench, and compare."
