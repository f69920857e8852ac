#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# make demo: a ring of four nodes on this machine. A Lua program, unmodified, goes once round the ring while it runs;
# a service moves from node to node while clients on two others call it. At the end everything is counted.
#
# usage: tools/demo.sh        exit status 0 when every check passed
#   DEMO_LUA=FILE  another Lua program (it must print lines, and the same on every machine)
#   NODES=N        another number of nodes (2..8)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

rotifer=${ROTIFER:-$PWD/build/rotifer}
lua_program=${DEMO_LUA:-guest/examples/demo.lua}
nodes=${NODES:-4}
calls_each=500 # calls of one client program; then the next one starts, under a new number
pause_ms=2     # between two calls: the machine is to have time for Lua, too
. tools/workdir.sh demo

if [[ -t 1 ]]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' dim='' green='' red='' plain=''; fi
say() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }

passed=0 failed=0
# check WHAT COMMAND...: one line of the summary.
results=()
check() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1)) && results+=("${green}PASS${plain}  $what")
    else
        failed=$((failed + 1)) && results+=("${red}FAIL${plain}  $what")
    fi
}
give_up() {
    printf '%sdemo: %s%s\n' "$red" "$1" "$plain" >&2
    exit 1
}

[[ -x $rotifer ]] || give_up "there is no $rotifer; try: make"
[[ -r $lua_program ]] || give_up "there is no $lua_program"
command -v lua5.4 >/dev/null || give_up "lua5.4 is not here to compare with; try: make doctor"

# --- 1. What must come out -------------------------------------------------------------------------
say "1. First the answer: $lua_program on this machine's own Lua"
lua5.4 "$lua_program" >"$work/expected" 2>&1 || give_up "lua5.4 $lua_program fails here: $(tail -n 1 "$work/expected")"
total=$(wc -l <"$work/expected")
[[ $total -ge $nodes ]] || give_up "$lua_program prints $total lines: too few to move it by"
note "   $total lines, kept to compare."

# --- 2. The ring -----------------------------------------------------------------------------------
say "2. A ring of $nodes: each node a machine of its own (QEMU), each cable an Ethernet between two of them"
"$rotifer" ring up "$nodes" | sed 's/^/   /'
[[ ${PIPESTATUS[0]} -eq 0 ]] || give_up "the ring did not come up"

# --- 3. A service and its clients --------------------------------------------------------------------
say "3. A service on n2, in user mode; clients on n1 and n$nodes call it all the time"
"$rotifer" run --quiet --node n2 --name adder --meet demo adder_server adder >"$work/server" 2>&1 &
server_job=$!
jobs_started+=("$server_job")

# One client program after the other, until the file "stop" is there: each has a number of its own, for the
# service keeps book by it.
clients_on() {
    local node=$1 number=$2 last=$3
    while [[ ! -e $work/stop && $number -le $last ]]; do
        "$rotifer" run --quiet --node "$node" --name "client-$number" --meet demo adder_client adder "$calls_each" "$number" "$pause_ms"
        number=$((number + 1))
    done
}
clients_on n1 1 127 >"$work/clients-a" 2>&1 &
client_jobs=("$!")
clients_on "n$nodes" 128 255 >"$work/clients-b" 2>&1 &
client_jobs+=("$!")
jobs_started+=("${client_jobs[@]}")
note "   It adds up what it is sent, and notices a call that comes twice or not at all."

# --- 4. The journey ------------------------------------------------------------------------------------
say "4. $lua_program on n1. It goes once round the ring; the service moves too. Neither is told."
moves_asked=0 moves_done=0
# move PROCESS NODE: asks for it once more when the process was just being moved by somebody else.
move() {
    local line
    moves_asked=$((moves_asked + 1))
    if line=$("$rotifer" migrate "$1" "$2" 2>&1); then
        moves_done=$((moves_done + 1))
        printf '   %s=>  %s%s\n' "$green" "$line" "$plain"
    else
        printf '   %s=>  %s%s\n' "$red" "$line" "$plain"
    fi
}

# At which line what moves where: Lua at the end of each of its parts, the service halfway through them.
declare -A plan
for ((i = 1; i <= nodes; i++)); do
    plan[$((total * (2 * i - 1) / (2 * nodes + 2) + 1))]="adder n$(((i + 1) % nodes + 1))"
    plan[$((total * 2 * i / (2 * nodes + 2) + 1))]="lua n$((i % nodes + 1))"
done

: >"$work/actual"
number=0
while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    printf '%s\n' "$line" >>"$work/actual"
    printf '   lua | %s\n' "$line"
    # shellcheck disable=SC2086  # a process and a node
    [[ -z ${plan[$number]:-} ]] || move ${plan[$number]}
done < <("$rotifer" run --quiet --node n1 --name lua lua "$lua_program" 2>&1; echo "$?" >"$work/lua-status")

# --- 5. Counting ---------------------------------------------------------------------------------------
say "5. Counting"
touch "$work/stop"
wait "${client_jobs[@]}"
report=$("$rotifer" run --quiet --node n1 --name stop --meet demo adder_client adder stop 2>&1)
wait "$server_job"
server_status=$?

clients=$(grep -chE '^client [0-9]+:' "$work/clients-a" "$work/clients-b" | awk '{ s += $1 } END { print s + 0 }')
client_calls=$(sed -nE 's/^client [0-9]+: ([0-9]+) calls.*/\1/p' "$work"/clients-? | awk '{ s += $1 } END { print s + 0 }')
client_errors=$(sed -nE 's/^client [0-9]+: .* ([0-9]+) errors$/\1/p' "$work"/clients-? | awk '{ s += $1 } END { print s + 0 }')
strange=$(grep -hvE '^client [0-9]+:' "$work/clients-a" "$work/clients-b")
read -r executed duplicates gaps < <(sed -nE 's/.* ([0-9]+) calls, ([0-9]+) duplicates, ([0-9]+) gaps.*/\1 \2 \3/p' <<<"$report")

note "   $clients client programs: $client_calls calls, $client_errors errors"
note "   the service: ${executed:-?} calls executed, ${duplicates:-?} of them twice, ${gaps:-?} left out"
if [[ -z ${executed:-} || $server_status -ne 0 ]]; then
    echo "   the service said, and ended with status $server_status:"
    { cat "$work/server" && echo "$report"; } | tail -n 12 | sed 's/^/   | /'
fi
[[ -z $strange ]] || { echo "   also said by clients:" && head -n 10 <<<"$strange" | sed 's/^/   | /'; }
if ! cmp -s "$work/expected" "$work/actual"; then
    echo "   Lua's output differs (< this machine, > the ring):"
    diff "$work/expected" "$work/actual" | head -n 20 | sed 's/^/   /'
fi
"$rotifer" nodes | sed 's/^/   /'

same() { cmp -s "$work/expected" "$work/actual"; }
no_client_errors() { [[ $client_errors -eq 0 && -z $strange && $clients -gt 0 ]]; }
all_executed() { [[ ${executed:-x} == "$client_calls" ]]; }
none_twice() { [[ ${duplicates:-x} == 0 && ${gaps:-x} == 0 ]]; }
check "Lua printed the same $total lines as on this machine, byte for byte" same
check "Lua ended with status 0" [ "$(cat "$work/lua-status")" = 0 ]
check "all $moves_asked moves succeeded" [ "$moves_done" -eq "$moves_asked" ]
check "no client saw an error" no_client_errors
check "every call was executed: $client_calls asked, ${executed:-?} executed" all_executed
check "no call was executed twice or left out" none_twice
check "the service ended by itself, with status 0" [ "$server_status" -eq 0 ]

# --- 6. The end ------------------------------------------------------------------------------------------
say "6. The ring goes down"
ring_down() { "$rotifer" ring down | sed 's/^/   /' && [[ ! -e $ROTIFER_RUN ]]; }
check "the ring is down, and nothing of it is left" ring_down

echo
printf '%s\n' "${results[@]}"
echo
if [[ $failed -gt 0 ]]; then
    say "${red}FAIL${plain}${bold}: $failed of $((passed + failed)) checks failed"
    exit 1
fi
say "${green}PASS${plain}${bold}: all $passed checks"
echo "Next: make ring, and in two terminals: build/rotifer run lua $lua_program; build/rotifer migrate lua n2"
