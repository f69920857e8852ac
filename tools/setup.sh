#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Set-up: brings a Debian 12 machine to the point where `make` builds everything.
#
#   1. installs the packages that are missing (with apt-get; asks for nothing when none is);
#   2. fetches the source of four libraries into third_party/, pinned by SHA-256;
#   3. builds one of them, the C library of guests, in third_party/libc (tools/libc.sh);
#   4. fetches the source of programs that nobody here wrote, for a test (mk/foreign.mk) that skips what is not there;
#   5. fetches a firmware newer than the one QEMU brings, for a test that is skipped without it.
#
# usage: tools/setup.sh [soak]   soak: only what `make soak` uses besides
#
# Safe to run at any time and any number of times. Apart from the packages nothing outside this
# repository changes: the sources come through a private copy of this machine's own package
# sources, switched to source packages, so that whatever mirror it trusts is the one that is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
    qemu-system-misc             # qemu-system-riscv64; brings OpenSBI with it
    gcc-riscv64-unknown-elf      # the cross compiler
    binutils-riscv64-unknown-elf # its assembler and linker
    build-essential              # the host compiler and make
    meson ninja-build            # build the C library
    python3                      # ring tests
    libcmocka-dev                # unit tests
    spin                         # searches the models of the protocols
    lua5.4                       # what the guest's Lua is compared with
    u-boot-qemu                  # ring tests: the image as U-Boot starts it
    tcl                          # puts sqlite's source together, for a test
    gdb-multiarch                # make gdb
    ca-certificates xz-utils     # to fetch and unpack sources
)

# name | sha256 of the upstream tarball | Debian source package | folders to keep, within the tarball | release.
# Two lines with one name: the second is tried when the first cannot be fetched. Without a release it is this machine's.
libraries=(
    "libsodium|d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4|libsodium|src test LICENSE"
    "lua|164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61|lua5.4|src README"
    "picolibc|d1fc2a20f217472f8d9da084a519a25678e8d91852a41c7f3f1840d3508f7163|picolibc|newlib/libc newlib/libm newlib/meson.build newlib/empty.c scripts meson.build meson_options.txt *.in COPYING.*|trixie"
    "libfdt|a4ecc35e0b893fe8682c075fc1bdb858de87e4cb18fbed9a1597e2c9f6d320de|arm-trusted-firmware|lib/libfdt include/lib/libfdt"
    "libfdt|e75da6f089d063aaef39a1c17f1631791d87700662624e18de2121fa39a1ed44|u-boot|scripts/dtc/libfdt"
)

# The same, for tests only: what cannot be fetched is skipped.
programs=(
    "lz4|0b0e3aa07c8c063ddf40b082bdf7e37a1562bda40a0ff5272957f3e987e0e54b|lz4|lib programs tests"
    "mujs|4886593fc688b0cdccd31e5ecbe5afe7ad1bee23aa69e667b871afd5dfc640c3|mujs|*.[ch] COPYING"
    "picosat|15169b4f28ba8f628f353f6f75a100845cdef4a2244f101a02b6e5a26e46a754|picosat|*.[ch] LICENSE"
    "sqlite3|aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655|sqlite3|src tool ext test/speedtest1.c main.mk VERSION manifest manifest.uuid LICENSE.md"
    "zlib|71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1|zlib|*.[ch] test LICENSE"
)

# sha256 of the package opensbi 1.6-1 of the next Debian: SBI 2.0, with a debug console.
firmware=dc4a43bd21a0ca11771ed8b19ee6fa8476d1d0f4976bd0b27c0357c699d27e1e
firmware_release=trixie

destination=third_party
downloads=$destination/download # a tarball put here by hand is used too, when its hash is right
work=                           # private apt state, made when first needed
index=                          # within it, the index that apt_private reads

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

cleanup() {
    rm -rf $destination/.new.*."$$"
    [[ -z $work ]] || rm -rf "$work"
}
trap cleanup EXIT

# --- 1. packages -----------------------------------------------------------------------------

packages_missing() {
    local status
    status=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "${packages[@]}" 2>/dev/null || true)"
    local p
    for p in "${packages[@]}"; do
        [[ $status == *" $p=installed "* ]] || printf '%s\n' "$p"
    done
}

# Runs `VARIABLE=value... command...` as root.
as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        env "$@"
    else
        sudo env "$@"
    fi
}

packages_install() {
    local missing
    mapfile -t missing < <(packages_missing)
    [[ ${#missing[@]} -gt 0 ]] || return 0

    if [[ $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
        fail "these packages are missing: ${missing[*]}" \
            "and installing them needs root or sudo. As root, run:" \
            "    apt-get install --no-install-recommends ${missing[*]}" \
            "then run make again."
    fi
    say "installing ${missing[*]}"
    local install=(DEBIAN_FRONTEND=noninteractive apt-get install -y -q
        --no-install-recommends "${missing[@]}")
    # The machine's index may be absent or name versions that are gone: then refresh it, once.
    if ! as_root "${install[@]}"; then
        say "refreshing the package index, then trying again"
        as_root apt-get update -q || say "the refresh was not complete; going on with what there is"
        as_root "${install[@]}" ||
            fail "apt-get could not install: ${missing[*]}" \
                "Its messages are above; 'make doctor' lists what each package is for."
    fi
}

# --- 2. library sources ----------------------------------------------------------------------

hash_of() { sha256sum "$1" | cut -d' ' -f1; }

# The name of this machine's release; nothing if it has none.
release_here() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

apt_private() {
    # The sandbox user of apt could not write here, and there is nothing here to protect.
    apt-get -q \
        -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$index/sources" \
        -o Dir::State::Lists="$index/lists" -o Dir::Cache="$index/cache" \
        -o APT::Sandbox::User=root -o Acquire::Retries=3 "$@"
}

# Writes this machine's package sources, both forms, as sources of kind $1 (deb or deb-src) into $index/sources.
copy_sources() {
    local kind=$1 list parts f
    eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    for f in "$list" "$parts"/*.list; do
        [[ -f $f ]] || continue
        sed -nE "/cdrom:/d; s/^[[:space:]]*deb([[:space:]])/$kind\1/p" "$f" \
            >"$index/sources/${f##*/}.list"
    done
    for f in "$parts"/*.sources; do
        [[ -f $f ]] || continue
        sed -E "s/^[Tt]ypes:.*/Types: $kind/" "$f" >"$index/sources/${f##*/}"
    done
}

# Makes apt_private read an index of kind $1, of release $2 (empty: this machine's own) of the distribution from this
# machine's package sources. Each is read once in a run.
index_ready() {
    local kind=$1 release=$2 here
    command -v apt-get >/dev/null || return 1
    mkdir -p "$destination"
    work=${work:-$(mktemp -d "$PWD/$destination/.work.XXXXXX")}
    index=$work/$kind-${release:-own}
    [[ ! -d $index ]] || return 0
    mkdir -p "$index"/{sources,lists/partial,cache/archives/partial}
    copy_sources "$kind"
    if [[ -n $release ]]; then
        here=$(release_here)
        [[ -n $here ]] || return 1
        find "$index/sources" -type f -exec sed -i "s/\b$here\b/$release/g" {} +
    fi
    say "reading the index of packages${release:+ of $release} (about 10 MB)"
    # Some configured source may offer none of this kind; ours come from the others.
    apt_private update >>"$work/log" 2>&1 || true
}

# Sets `found` to a tarball of source package $1, of release $3, whose hash is $2, fetched if need be.
tarball() {
    local package=$1 want=$2 release=$3 file seen
    for file in "$downloads/${package}"_*.orig.tar.*; do
        [[ -f $file && $(hash_of "$file") == "$want" ]] || continue
        found=$file
        return 0
    done

    index_ready deb-src "$release" || return 1
    local attempt get=$index/get
    mkdir -p "$get"
    for attempt in 1 2 3; do
        say "fetching the source of $package"
        if (cd "$get" && apt_private source --download-only --tar-only "$package") \
            >>"$work/log" 2>&1; then
            break
        fi
        [[ $attempt -lt 3 ]] || return 1
        sleep "$attempt"
        apt_private update >>"$work/log" 2>&1 || true
    done

    for file in "$get/${package}"_*.orig.tar.*; do
        [[ -f $file && $file != *.asc ]] || continue
        seen=$(hash_of "$file")
        if [[ $seen == "$want" ]]; then
            mkdir -p "$downloads"
            mv "$file" "$downloads/"
            found=$downloads/${file##*/}
            return 0
        fi
        printf 'setup: %s is not the file this repository was tested with.\n' "${file##*/}" >&2
        printf 'setup:   expected sha256 %s\nsetup:   actual   sha256 %s\n' "$want" "$seen" >&2
    done
    return 1
}

# Unpacks the folders $3... of tarball $2 as third_party/$1. Appears whole or not at all.
unpack() {
    local name=$1 file=$2 top folder
    shift 2
    local new=$destination/.new.$name.$$
    rm -rf "$new"
    mkdir -p "$new/all"
    tar -xf "$file" -C "$new/all" --wildcards --no-wildcards-match-slash "${@/#/*/}"
    top=$(echo "$new"/all/*)
    if [[ $name == libfdt ]]; then
        # Its files lie in one or two folders, depending on the package they came in; we want one.
        for folder in "$@"; do mv "$top/$folder"/*.[ch] "$new/"; done
    else
        mv "$top"/* "$new/"
    fi
    rm -rf "$new/all" "${destination:?}/$name"
    mv "$new" "$destination/$name"
}

# What says that a line of the lists above was unpacked: from which tarball, which folders.
stamp() {
    local want folders
    IFS='|' read -r _ want _ folders _ <<<"$1"
    printf '%s %s\n' "$want" "$folders"
}

library_ready() { # any of its lines is the one that was unpacked
    local line
    [[ -f $destination/$1/.sha256 ]] || return 1
    for line in "${libraries[@]}" "${programs[@]}"; do
        [[ $line != "$1|"* || $(<"$destination/$1/.sha256") != "$(stamp "$line")" ]] || return 0
    done
    return 1
}

# Fetches and unpacks what the line $1 of the lists above names. False: it could not be had.
source_fetch() {
    local name want package folders release found
    IFS='|' read -r name want package folders release <<<"$1"
    library_ready "$name" && return 0
    tarball "$package" "$want" "$release" || return 1
    local keep
    read -ra keep <<<"$folders"
    unpack "$name" "$found" "${keep[@]}"
    stamp "$1" >"$destination/$name/.sha256"
    say "$destination/$name is ready (from source package $package, hash verified)"
}

libraries_fetch() {
    local line name want package
    for line in "${libraries[@]}"; do source_fetch "$line" || true; done

    local absent=()
    for line in "${libraries[@]}"; do
        name=${line%%|*}
        library_ready "$name" || [[ " ${absent[*]-} " == *" $name "* ]] || absent+=("$name")
    done
    [[ ${#absent[@]} -gt 0 ]] || return 0

    if [[ -n $work && -f $work/log ]]; then
        say "the last lines of apt-get were:" >&2
        tail -n 8 "$work/log" >&2
    fi
    for name in "${absent[@]}"; do
        say "could not get the source of $name. Any of these tarballs in $downloads/ will do:" >&2
        for line in "${libraries[@]}"; do
            IFS='|' read -r _ want package _ <<<"$line"
            [[ $line != "$name|"* ]] ||
                printf 'setup:   %s_VERSION.orig.tar.*  sha256 %s\n' "$package" "$want" >&2
        done
    done
    fail "Mend what is said above (most often it is the network), then run make again."
}

# --- 3. the C library ------------------------------------------------------------------------

libc_build() {
    [[ ! -f $destination/libc/.built || $(<"$destination/libc/.built") != "$(tools/libc.sh --stamp)" ]] || return 0
    tools/libc.sh || fail "the C library of guests could not be built: its messages are above"
}

# --- 4. programs for a test -------------------------------------------------------------------

programs_fetch() {
    local line
    for line in "${programs[@]}"; do
        source_fetch "$line" || say "there is no source of ${line%%|*}: its tests will be skipped"
    done
}

# --- 5. a newer firmware ---------------------------------------------------------------------

# Fetches the package into $1.
firmware_get() {
    [[ $(release_here) != "$firmware_release" ]] || return 1
    index_ready deb "$firmware_release" || return 1
    (cd "$1" && apt_private download opensbi) >>"$work/log" 2>&1
}

firmware_fetch() {
    local to=$destination/opensbi file
    [[ ! -f $to/.sha256 || $(<"$to/.sha256") != "$firmware" ]] || return 0
    for file in "$downloads"/opensbi_*_all.deb; do
        [[ ! -f $file || $(hash_of "$file") != "$firmware" ]] || break
    done
    if [[ ! -f $file ]] && command -v apt-get >/dev/null; then
        say "fetching a newer OpenSBI (for a test; about 10 MB)"
        mkdir -p "$downloads"
        firmware_get "$downloads" || true
        for file in "$downloads"/opensbi_*_all.deb; do break; done
    fi
    if [[ ! -f $file || $(hash_of "$file") != "$firmware" ]]; then
        say "there is none that this repository was tested with: the test will be skipped"
        return 0
    fi
    local new=$destination/.new.opensbi.$$
    mkdir -p "$new/all"
    dpkg -x "$file" "$new/all"
    mv "$new"/all/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin "$new/"
    rm -rf "$new/all" "$to"
    mv "$new" "$to"
    printf '%s\n' "$firmware" >"$to/.sha256"
    say "$to is ready (package opensbi, hash verified)"
}

# --- for make soak alone ---------------------------------------------------------------------

# What a test there uses and skips without: nothing else of the set-up is done.
if [[ ${1-} == soak ]]; then
    packages=(tshark)
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || fail "this is not a Debian machine"
    packages_install
    exit 0
fi

# --- and after it ----------------------------------------------------------------------------

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    packages_install
else
    say "this is not a Debian machine: packages are left to you ('make doctor' checks them)"
fi
libraries_fetch
command -v "${CROSS:-riscv64-unknown-elf-}gcc" >/dev/null ||
    fail "there is no ${CROSS:-riscv64-unknown-elf-}gcc on the PATH even now." \
        "'make doctor' shows what was found and where to get the rest."
libc_build
programs_fetch
firmware_fetch
# Make compares this file's age with this script's: see the Makefile.
printf '# Written by tools/setup.sh: set-up is complete.\n' >$destination/ready.mk.new
mv $destination/ready.mk.new $destination/ready.mk
