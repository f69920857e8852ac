# SPDX-License-Identifier: BSD-2-Clause
#
# The same core, net and services on your own machine, twice:
#   build/host/  for the command build/rotifer, which mostly waits: -O1 takes a third less time to compile
#   build/san/   under address and undefined-behaviour sanitizers, for every test

PORTABLE_SRCS := $(wildcard core/*.c net/*.c services/*.c services/*/*.c)
ARCHIVE_SRCS := $(wildcard arch/host/*.c) $(PORTABLE_SRCS)
TOOL_SRCS := $(wildcard tools/*.c)
$(call remember,archive,$(ARCHIVE_SRCS))
$(call remember,tools,$(TOOL_SRCS))

# A command of build/rotifer is a file, tools/cmd_NAME.c, which defines command_NAME: the table of commands is made from
# the names of the files (tools/command.c).
COMMANDS := $(patsubst tools/cmd_%.c,%,$(sort $(wildcard tools/cmd_*.c)))
build/host/tools/command.o build/san/tools/command.o: HOST_EXTRA += '-DCOMMANDS=$(foreach c,$(COMMANDS),COMMAND($c))'
build/host/tools/command.o build/san/tools/command.o: build/list/tools

HOST_BASE := -std=c11 $(COMMON) $(INCLUDES)
HOST_CFLAGS := -O1 $(HOST_BASE) -Iarch/host $(WARNINGS_STRICT)
HOST_CC = $(CC) -O2 $(HOST_BASE)

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_CFLAGS := -O1 $(HOST_BASE) -Iarch/host $(SANITIZE)
HOST_LDFLAGS := -Wl,--gc-sections -pthread

# Only what is for Linux alone sees Linux: core, net and services get plain C, as in the kernel.
POSIX := -D_GNU_SOURCE
build/host/arch/% build/host/tools/% build/san/arch/% build/san/tools/% build/san/test/%: HOST_EXTRA = $(POSIX)
build/san/test/%: SAN_WARNINGS = $(WARNINGS)
SAN_WARNINGS = $(WARNINGS_STRICT)

.PHONY: host
host: $(if $(TOOL_SRCS),build/rotifer,build/host/librotifer.a) build/count.so

# For make bench: a plugin of QEMU.
build/count.so: tools/plugin/count.c $(MAKE_FILES)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O2 -std=c11 $(POSIX) $(WARNINGS) -shared -fPIC -o $@ $<

build/host/%.o: %.c $(MAKE_FILES) | $(SODIUM_VERSION)
	$(call say,CC,$< (host))
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_EXTRA) -c -o $@ $<

build/san/%.o: %.c $(MAKE_FILES) | $(SODIUM_VERSION)
	$(call say,CC,$< (test))
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SAN_CFLAGS) $(SAN_WARNINGS) $(HOST_EXTRA) -c -o $@ $<

build/host/librotifer.a: $(call objects,host,$(ARCHIVE_SRCS)) build/list/archive
	$(call archive,$(AR))

build/san/librotifer.a: $(call objects,san,$(ARCHIVE_SRCS)) build/list/archive
	$(call archive,$(AR))

build/rotifer: $(call objects,host,$(TOOL_SRCS)) build/host/librotifer.a build/host/libsodium.a \
               build/list/tools
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) -o $@ $(filter %.o %.a,$^)

-include $(patsubst %.o,%.d,$(call objects,host,$(ARCHIVE_SRCS) $(TOOL_SRCS)))
-include $(patsubst %.o,%.d,$(call objects,san,$(ARCHIVE_SRCS) $(TOOL_SRCS)))
