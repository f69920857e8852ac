#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# make doctor: what this machine has, what it lacks, and the one line that mends it.
# Needs bash and coreutils only, and changes nothing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
cross=${CROSS:-riscv64-unknown-elf-}
mend=()
optional=()

row() { printf '  %-8s %-28s %-14s %s\n' "$1" "$2" "$3" "$4"; }

at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

# check NAME MINIMUM PACKAGE [optional] -- COMMAND...: COMMAND's output starts with, or has, a version.
check() {
    local name=$1 minimum=$2 package=$3 kind=needed output version=
    shift 3
    [[ $1 == -- ]] || { kind=$1 && shift; }
    shift
    if output=$("$@" 2>/dev/null); then
        [[ $output =~ [0-9]+(\.[0-9]+)* ]] && version=${BASH_REMATCH[0]}
    fi
    if [[ -n $version ]] && at_least "$version" "$minimum"; then
        row OK "$name" "$version" "(needs $minimum or later)"
        return
    fi
    if [[ $kind == optional ]]; then
        row absent "$name" "${version:--}" "(optional)"
        optional+=("$package")
    elif [[ -n $version ]]; then
        row TOO-OLD "$name" "$version" "(needs $minimum or later: package $package)"
        mend+=("$package")
    else
        row MISSING "$name" - "(needs $minimum or later: package $package)"
        mend+=("$package")
    fi
}

# A number that says only "it is there".
have_cmocka() {
    printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n%s\n' \
        '#include <cmocka.h>' | "${CC:-cc}" -E -x c - >/dev/null || return 1
    dpkg-query -W -f '${Version}' libcmocka-dev || echo 1.1
}
have_uboot() { [[ -s /usr/lib/u-boot/qemu-riscv64_smode/uboot.elf ]] && dpkg-query -W -f '${Version}' u-boot-qemu; }
have_certificates() { [[ -s /etc/ssl/certs/ca-certificates.crt ]] && echo 1; }
have_opensbi() { compgen -G '/usr/share/qemu/opensbi*riscv64*' >/dev/null && echo 1; }
qemu_version() { qemu-system-riscv64 --version | sed -n '1s/.*version //p'; }
sum_version() { sha256sum --version | sed -n '1s/.* //p'; }

echo "Rotifer's doctor. This machine:"
check "QEMU (riscv64)" 7.0 qemu-system-misc -- qemu_version
check "OpenSBI (comes with QEMU)" 1 qemu-system-data -- have_opensbi
check "cross compiler" 10 gcc-riscv64-unknown-elf -- "${cross}gcc" -dumpfullversion
check "cross linker" 2.35 binutils-riscv64-unknown-elf -- "${cross}ld" --version
check "host compiler" 10 build-essential -- "${CC:-cc}" -dumpfullversion
check "GNU make" 4.2 build-essential -- make --version
check "meson" 0.61 meson -- meson --version
check "ninja" 1.8 ninja-build -- ninja --version
check "python3" 3.9 python3 -- python3 --version
check "cmocka" 1.1 libcmocka-dev -- have_cmocka
check "spin" 6.4.8 spin -- spin -V
check "Lua" 5.4 lua5.4 -- lua5.4 -v
check "U-Boot for QEMU" 2021 u-boot-qemu -- have_uboot
check "gdb-multiarch" 12 gdb-multiarch -- gdb-multiarch --version
check "xz" 5 xz-utils -- xz --version
check "certificates" 1 ca-certificates -- have_certificates
check "sha256sum" 8 coreutils -- sum_version
check "clang-format" 14 clang-format optional -- clang-format --version
check "shellcheck" 0.8 shellcheck optional -- shellcheck --version

for library in libsodium libfdt lua picolibc; do
    if [[ -f third_party/$library/.sha256 ]]; then
        row OK "third_party/$library" fetched ""
    else
        row absent "third_party/$library" - "(make fetches it)"
    fi
done
if [[ -f third_party/libc/.built ]]; then
    row OK "third_party/libc" built ""
else
    row absent "third_party/libc" - "(make builds it)"
fi
row "$([[ $(nproc) -ge 2 ]] && echo OK || echo few)" "processors" "$(nproc)" "(a ring is happier with 2 or more)"
free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
row "$([[ $free_mb -ge 500 ]] && echo OK || echo LOW)" "free disk here" "$free_mb MB" "(needs about 500 MB)"

sudo=
[[ $(id -u) -eq 0 ]] || sudo="sudo "
# Each package once, in the order met.
unique() { printf '%s\n' "$@" | awk '!seen[$0]++' | tr '\n' ' '; }

echo
if [[ ${#optional[@]} -gt 0 ]]; then
    echo "To have what is optional too:"
    echo "    ${sudo}apt-get install --no-install-recommends $(unique "${optional[@]}")"
fi
if [[ ${#mend[@]} -gt 0 ]]; then
    echo "To mend what is missing (make does this by itself where it may):"
    echo "    ${sudo}apt-get install --no-install-recommends $(unique "${mend[@]}")"
    echo "Then: make"
    exit 1
fi
echo "Nothing is missing. Next: make"
