# SPDX-License-Identifier: BSD-2-Clause
#
# Shared by every build: quiet lines, flags, and the bookkeeping that makes rebuilds right.

# Half a recipe's output must not pass for a whole file.
.DELETE_ON_ERROR:
.SUFFIXES:

# All processors, unless the caller chose.
ifeq ($(MAKELEVEL),0)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif
endif

# --- quiet lines: "  CC  core/txn_proc.c", or with V=1 the command itself -----------------------------

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-5s %s\n' '$1' '$2'
endif

# --- flags -----------------------------------------------------------------------------------------

WERROR ?= -Werror
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR)
# Silent narrowing is where wire formats go wrong. Tests, full of small literals, are excused.
WARNINGS_STRICT := $(WARNINGS) -Wconversion

# A file is included by its room: "core/txn.h". Libraries are system headers: <sodium.h>, <libfdt.h>. One file is
# found by include path: arch/riscv's or arch/host's arch_types.h (arch/arch.h).
INCLUDES := -I. -isystem build/include -isystem third_party/libsodium/src/libsodium/include \
            -isystem third_party/libfdt

# picolibc, as tools/libc.sh builds it: a system library too, but only where we compile for RISC-V.
# $(call libc_flags,WHERE) with WHERE this folder, ending in a slash, or nothing
libc_flags = -isystem $1third_party/libc/include -ftls-model=local-exec
LIBC_FLAGS := $(call libc_flags,)

# One section for each function, so that the linker keeps only what is reached; and the dependency
# file, with an empty rule for each header so that deleting one is no error.
# Registers, messages and capabilities are looked at as words and as structs; kernels are compiled so.
COMMON := -g -fno-strict-aliasing -fno-common -ffunction-sections -fdata-sections -MMD -MP

# --- bookkeeping -----------------------------------------------------------------------------------

# Everything is compiled afresh when the way of compiling changes.
MAKE_FILES := Makefile $(wildcard mk/*.mk third_party/libc/.built)

# $(call remember,NAME,LIST): build/list/NAME changes when LIST does. What is linked from a wildcard
# depends on it, or a deleted source would live on in the archive.
remember = $(if $(filter-out $(NO_SETUP),$(GOALS)),$(shell mkdir -p build/list; \
    echo '$(strip $2)' | cmp -s - build/list/$1 || echo '$(strip $2)' > build/list/$1),)

# $(call objects,BUILD,SOURCES): the object files of SOURCES in build/BUILD/.
objects = $(patsubst %,build/$1/%.o,$(basename $2))

# Archives are quick-appended, for two rooms may each have a list.o, and "r" would replace one.
# $(call archive,AR)
define archive
$(call say,AR,$@)
$(Q)rm -f $@ && mkdir -p $(@D) && $1 qcs $@ $(filter %.o,$^)
endef

# Editors want to know how a file is compiled. One entry a file: the kernel's where there is one.
# $(call compile_entry,FILE,COMMAND) in printf's format
compile_entry = {"directory": "$(CURDIR)", "file": "$1", "command": "$2 -c $1"},

define COMPILE_COMMANDS
[
$(foreach f,$(filter %.c,$(KERNEL_SRCS)),$(call compile_entry,$f,$(CROSS)gcc $(KERNEL_CFLAGS) $(if $(filter services/list.c,$f),$(call services_flag,$(SERVICES))))
)$(foreach f,$(wildcard arch/host/*.c tools/*.c test/*/*.c),$(call compile_entry,$f,$(CC) $(HOST_CFLAGS) $(POSIX))
)$(foreach f,$(filter %.c,$(GUEST_LIB_SRCS) $(GUEST_EXAMPLES)),$(call compile_entry,$f,$(CROSS)gcc $(GUEST_CFLAGS))
){"directory": "$(CURDIR)", "file": "core/types.h", "command": "$(CC) -I. -c core/types.h"}
]
endef

compile_commands.json: FORCE
	$(file >$@.new,$(COMPILE_COMMANDS))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
