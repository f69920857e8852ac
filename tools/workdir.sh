# SPDX-License-Identifier: BSD-2-Clause
#
# For tools/demo.sh and tools/bench.sh, which source it: a directory of their own, $work, with the ring in it, so that a
# ring which is up already stays as it is. At the end of the script, however it ends, the ring goes down, the jobs in
# jobs_started are ended and the directory is removed. $work/stop tells loops in the background to end.
#
# usage: . tools/workdir.sh NAME      $rotifer is the command
work=$(mktemp -d "${TMPDIR:-/tmp}/rotifer-$1.XXXXXX") || exit 1
export ROTIFER_RUN=$work/run
jobs_started=()

clean_up() {
    touch "$work/stop"
    "$rotifer" ring down >/dev/null 2>&1
    for pid in "${jobs_started[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
