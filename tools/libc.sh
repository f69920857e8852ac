#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the C library of guests, picolibc, from third_party/picolibc into third_party/libc/{include,lib}, with two
# faults mended (tools/libc.patch). The set-up calls it, once; it is built anew when its source, the patch, these
# options or the compiler change. The kernel takes its few functions from the same source, and its headers from here:
# mk/third-party.mk.
#
#   tools/libc.sh           builds
#   tools/libc.sh --stamp   says from what: what the last build was made from is in third_party/libc/.built
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cross=${CROSS:-riscv64-unknown-elf-}
source=third_party/picolibc
destination=third_party/libc
new=third_party/.new.libc.$$

compiler=(-march=rv64gc -mabi=lp64d)
options=(
    --buildtype=plain -Doptimization=3 -Ddebug=false
    -Dmultilib=false                   # one ABI
    -Dpicocrt=false -Dsemihost=false   # guest/lib has the start, and there is no debugger to print to
    -Dtests=false
    -Dthread-local-storage=true        # errno and friends: guest/lib gives every thread its own
    -Dtinystdio=true                   # small, and a FILE may be made of functions: guest/lib/tty.c
    -Dposix-console=false              # stdin, stdout and stderr are those of tty.c
    -Dfast-bufio=true                  # fread and fwrite copy blocks
    -Dio-float-exact=true              # scanf and strtof round right
    -Dio-long-double=true              # scanf("%Lf") stores what it says
    -Dio-c99-formats=true -Dprintf-percent-n=true
    -Dmb-capable=true -Dio-wchar=true  # UTF-8, <uchar.h>, wprintf
    -Dnewlib-obsolete-math=false       # exp, log, pow, sin: the newer ones, which glibc has too
)

say() { printf 'setup: %s\n' "$*"; }

stamp() {
    printf '%s\n' "$(<$source/.sha256)" "$(sha256sum <tools/libc.patch)" "${compiler[*]} ${options[*]}" \
        "$("${cross}gcc" -dumpmachine) $("${cross}gcc" -dumpfullversion)"
}

# What meson wants to know of a compiler for another machine.
cross_file() {
    local flag flags=()
    for flag in "${compiler[@]}"; do flags+=("'$flag'"); done
    cat <<EOF
[binaries]
c = ['${cross}gcc', '-nostdlib']
ar = '${cross}ar'
as = '${cross}as'
nm = '${cross}nm'
strip = '${cross}strip'
[host_machine]
system = 'unknown'
cpu_family = 'riscv64'
cpu = 'riscv'
endian = 'little'
[built-in options]
c_args = [$(IFS=, && echo "${flags[*]}")]
[properties]
skip_sanity_check = true
EOF
}

# Reads what ninja prints, and says after each tenth of the files how far it is.
progress() {
    awk -F '[][/]' '$2 ~ /^[0-9]+$/ && $3 > 0 {
        tenth = int($2 * 10 / $3)
        if (tenth > said) { printf "setup:   %d %%\n", tenth * 10; fflush(); said = tenth }
    }'
}

build() {
    cross_file >$new/cross.txt
    cp -r $source $new/source
    patch -d $new/source -p1 -s <tools/libc.patch >$new/log 2>&1 || return 1
    meson setup $new/build $new/source --cross-file $new/cross.txt --prefix "$PWD/$new/out" \
        --includedir include --libdir lib -Dspecsdir=none "${options[@]}" >$new/log 2>&1 || return 1
    ninja -C $new/build -j "$(nproc)" 2>&1 | tee -a $new/log | progress || return 1
    meson install -C $new/build --no-rebuild --quiet >>$new/log 2>&1
}

if [[ ${1-} == --stamp ]]; then
    stamp
    exit
fi
trap 'rm -rf $new' EXIT
trap 'exit 1' INT TERM
mkdir -p $new
say "building the C library of guests: 1000 small files, a minute or two"
if ! build; then
    tail -n 30 $new/log >&2
    exit 1
fi
stamp >$new/out/.built
rm -rf $destination
mv $new/out $destination
say "$destination is ready"
