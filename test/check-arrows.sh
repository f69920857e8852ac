#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The house rules of #include: arrows between the rooms point one way. A room that nobody below it
# knows can be read, tested and replaced without the rest; the first arrow back takes that away.
#
#   core                   knows itself and arch/arch.h
#   net                    knows itself, core, arch.h; and not what a process means, nor what is in the records of calls
#                          and requests: the headers that show them ($net_hidden) are out of its reach
#   services               knows itself and core; and never net: it is reached, and reaches, by transaction
#   boards                 knows all of these, and arch/riscv/boot.h: what only a board's start needs
#   arch/riscv, arch/host  know themselves, not each other, the contract arch/arch.h that both keep, and the way up:
#                          core/entry.h, panic.h, with plain-data headers
#   guest                  knows itself and what crosses the system call or the wire
#   tools, test            know everything
#
# core, net and services also see no header of an operating system: the same lines run in the kernel,
# on Linux and in the simulator (design D5).
#
# usage: test/check-arrows.sh [ROOT]; prints every offending line; exit status 1 if there is one.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

# What arch may look at in core: records whose fields trap entry, page tables and the host's stand-in
# must touch, and words every file needs. No header with policy in it.
arch_sees='entry|panic|node|thread|hart|page|trace|config|types|words|error|list'
# What a guest may know: the system calls, the errors, the shape of a capability, messages, and the descriptor, which is
# the message that starts a process.
guest_sees='core/(abi|desc_format|error|types)\.h|services/protocol\.h|third_party/lua/src/luaconf\.h'

# What net may not look at in core: it reads and changes a call or a request by core/txn_net.h alone. No other header of
# core may include one of these either, or net would see it all the same.
net_hidden='thread|rec|[a-z]+_priv'

c_headers='<(assert|ctype|errno|inttypes|limits|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string)\.h>'
libraries='<sodium(/[a-z0-9_]+)?\.h>|<libfdt\.h>'

bad=0
# check ROOM ALLOWED: every include in ROOM must match the extended regular expression ALLOWED.
check() {
    local room=$1 allowed=$2 files lines
    [[ -d $room ]] || return 0
    mapfile -t files < <(find "$room" -name '*.[chS]' | sort)
    [[ ${#files[@]} -gt 0 ]] || return 0
    lines=$(grep -nHE '^[[:space:]]*#[[:space:]]*include' "${files[@]}" |
        grep -vE "#[[:space:]]*include[[:space:]]*($allowed)" || true)
    [[ -n $lines ]] || return 0
    printf '%s may not include:\n%s\n' "$room" "${lines//$'\n'/$'\n'}" | sed '2,$s/^/    /'
    bad=1
}

# hidden FROM HEADERS FILE...: no FILE may include a header of core that matches the extended regular expression HEADERS.
hidden() {
    local from=$1 headers=$2 lines
    shift 2
    lines=$(grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]*\"core/($headers)\.h\"" "$@" || true)
    [[ -n $lines ]] || return 0
    printf '%s may not see:\n%s\n' "$from" "$lines" | sed '2,$s/^/    /'
    bad=1
}

check core "\"core/|\"arch/arch\.h\"|$c_headers|$libraries"
check net "\"net/|\"core/|\"arch/arch\.h\"|$c_headers|$libraries"
if [[ -d net ]]; then
    mapfile -t shown < <(find net -name '*.[ch]'; find core -name '*.h' | grep -vE "/($net_hidden)\.h$")
    hidden net "$net_hidden" "${shown[@]}"
fi
check services "\"services/|\"core/|$c_headers|$libraries"
check boards "\"(boards|services|net|core)/|\"arch/(arch|riscv/boot)\.h\"|<"
check arch/riscv "\"arch/(arch|riscv/[a-z0-9_]+)\.h\"|\"core/($arch_sees)\.h\"|<"
check arch/host "\"arch/(arch|host/[a-z0-9_]+)\.h\"|\"core/($arch_sees)\.h\"|<"
check guest "\"guest/|\"($guest_sees)\"|<"

if [[ $bad -ne 0 ]]; then
    echo "The rules and their reasons are at the top of test/check-arrows.sh."
    exit 1
fi
echo "Every arrow points the right way."
