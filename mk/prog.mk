# SPDX-License-Identifier: BSD-2-Clause
#
# Programs of one's own:   make PROG=path/to/my.c       one C file or several, here or anywhere else
#
#   PROG_NAME=name       what it is called; by default like the first file
#   PROG_CFLAGS=...      for the compiler, behind ours
#
# gives build/guest/my.elf, which goes into the boot files that `make qemu` loads. What was made so is remembered in
# build/own/my.mk: every later make brings it up to date, until its source is gone or `make clean`.
#
# In a Makefile of one's own:   riscv64-unknown-elf-gcc my.c $(make -s -C path/to/rotifer guest-flags) -o my.elf

OWN_BASE := $(GUEST_ARCH) $(call libc_flags,$(CURDIR)/) $(GUEST_POSIX) -O2 -g -std=gnu11 -Wall -Wextra -ffunction-sections -fdata-sections \
    -I$(CURDIR) -I$(CURDIR)/guest/lib

.PHONY: prog guest-flags
guest-flags:
	$(if $(wildcard build/guest/librotifer.a build/guest/libsodium.a),,$(error There is no library yet. First: make))
	@echo $(OWN_BASE) $(call guest_ldflags,$(CURDIR)/) $(call guest_libs,$(CURDIR)/)

# --- What is asked for now ----------------------------------------------------------------------------

OWN_EXAMPLES := $(patsubst guest/examples/%.c,%,$(GUEST_EXAMPLES))
OWN_TAKEN := $(OWN_EXAMPLES) $(patsubst guest/tests/%.c,%,$(GUEST_TESTS)) lua librotifer

ifeq ($(origin PROG),command line)
PROG_NAME ?= $(basename $(notdir $(firstword $(PROG))))

# As it is named here, or, for make -C, in the directory from which make was called.
own_find = $(abspath $(firstword $(wildcard $1) $(if $(filter /%,$1),,$(wildcard $(PWD)/$1))))
own_check = $(if $(call own_find,$1),$(if $(filter %.c,$1),,$(error \
    PROG: $1 does not end in .c: C programs only. A Lua script needs no building: build/rotifer run lua $1)),$(error \
    PROG: there is no file $1; and a path with blanks cannot be used))
$(if $(strip $(PROG)),,$(error PROG: which file? e.g. make PROG=guest/examples/hello.c))
$(foreach f,$(PROG),$(call own_check,$f))
OWN_NOW := $(foreach f,$(PROG),$(call own_find,$f))

# An example needs no more than the default.
ifneq ($(OWN_NOW),$(CURDIR)/guest/examples/$(PROG_NAME).c)
ifneq ($(filter $(PROG_NAME),$(OWN_TAKEN) $(notdir $(wildcard guest/examples/*.lua))),)
$(error PROG: a program called $(PROG_NAME) comes with Rotifer. Another name: make PROG=... PROG_NAME=my$(PROG_NAME))
endif
OWN_BAD := $(shell printf %s '$(subst ','\'',$(PROG_NAME))' | LC_ALL=C grep -vxE '[A-Za-z0-9_][A-Za-z0-9._-]{0,23}')
ifneq ($(words $(OWN_BAD) $(PROG_NAME)),1)
$(error PROG_NAME: '$(PROG_NAME)' is not 1 to 24 letters, digits and . _ -)
endif

define OWN_MK
OWN += $(PROG_NAME)
OWN_SRCS_$(PROG_NAME) := $(OWN_NOW)
OWN_CFLAGS_$(PROG_NAME) := $(subst #,\#,$(subst $$,$$$$,$(PROG_CFLAGS)))
endef
$(shell mkdir -p build/own)
$(file >build/own/$(PROG_NAME).new,$(OWN_MK))
$(shell cd build/own; cmp -s $(PROG_NAME).new $(PROG_NAME).mk && rm $(PROG_NAME).new || mv $(PROG_NAME).new $(PROG_NAME).mk)
endif

.DEFAULT_GOAL := prog
prog: build/guest/$(PROG_NAME).elf build/bootfs.cpio
	@echo "$< is ready, and among the files that make qemu loads."
	@echo "Next: make qemu, then type: run $(PROG_NAME)"
	@echo "  or: make ring, then: build/rotifer run $(PROG_NAME)"
else
prog:
	@echo 'Which program? e.g.: make PROG=path/to/my.c'; false
endif

# --- What was ever asked for ---------------------------------------------------------------------------

OWN :=
-include $(wildcard build/own/*.mk)

# One whose source is gone is forgotten.
own_gone = $(filter-out $(wildcard $(OWN_SRCS_$1)),$(OWN_SRCS_$1))
OWN_LOST := $(foreach p,$(OWN),$(if $(call own_gone,$p),$p))
OWN := $(filter-out $(OWN_LOST),$(OWN))
ifneq ($(filter-out $(NO_SETUP),$(GOALS)),)
$(foreach p,$(OWN_LOST),$(shell echo '$p is forgotten: $(call own_gone,$p) is gone' >&2; \
    rm -rf build/own/$p build/own/$p.mk build/guest/$p.elf build/bootfs/$p))
endif

own_object = build/own/$1/$(subst /,+,$(patsubst /%.c,%,$2)).o
own_objects = $(foreach s,$(OWN_SRCS_$1),$(call own_object,$1,$s))

# $(call own_compile,NAME,SOURCE)
define own_compile
$(call own_object,$1,$2): $2 build/own/$1.mk $(MAKE_FILES) | build/compiler.ok
	$$(call say,CC,$2)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CROSS)gcc $$(OWN_BASE) -MMD -MP $$(OWN_CFLAGS_$1) -c -o $$@ $2 || \
	    { echo "$1 is not built. Mend it, or forget it: rm build/own/$1.mk" >&2; false; }
endef
define own_program
$(foreach s,$(OWN_SRCS_$1),$(eval $(call own_compile,$1,$s)))
build/guest/$1.elf: $(call own_objects,$1) $(GUEST_LINK_WITH)
	$$(call guest_link,$(call own_objects,$1))
endef
$(foreach p,$(OWN),$(eval $(call own_program,$p)))
-include $(foreach p,$(OWN),$(patsubst %.o,%.d,$(call own_objects,$p)))
