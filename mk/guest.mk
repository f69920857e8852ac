# SPDX-License-Identifier: BSD-2-Clause
#
# What runs in U-mode: static ELF files, one for each guest/examples/*.c, and an unmodified Lua. `make test` builds one
# for each guest/tests/*.c as well: programs that test/ring/ needs.

GUEST_LIB_SRCS := $(wildcard guest/lib/*.c guest/lib/*.S)
GUEST_EXAMPLES := $(wildcard guest/examples/*.c)
GUEST_TESTS := $(wildcard guest/tests/*.c)
$(call remember,guest,$(GUEST_LIB_SRCS))

# tools/libc.sh builds picolibc for the same.
GUEST_ARCH := -march=rv64gc -mabi=lp64d
# What of POSIX the library has beyond picolibc's default: clock_gettime, nanosleep (guest/lib/posix.c).
GUEST_POSIX := -D_POSIX_TIMERS=200809L -D_POSIX_MONOTONIC_CLOCK=200809L
GUEST_BASE := $(GUEST_ARCH) $(LIBC_FLAGS) $(GUEST_POSIX) -O2 -std=gnu11 $(COMMON) $(INCLUDES)
GUEST_CFLAGS := $(GUEST_BASE) $(WARNINGS)
GUEST_CC = $(CROSS)gcc $(GUEST_BASE)

# linker/libc.specs: picolibc and libgcc come last, wherever these flags stand on a command line.
# $(call guest_ldflags,WHERE) with WHERE as above
guest_ldflags = $(GUEST_ARCH) -nostartfiles -static -T $1linker/guest.ld --specs=$1linker/libc.specs \
    -L$1third_party/libc/lib -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096
GUEST_LDFLAGS := $(call guest_ldflags,)

# All of our library comes first, and whole: picolibc has stand-ins of its own (its locks do nothing),
# and in an archive the linker would take whichever it met first.
guest_libs = -Wl,--whole-archive $1build/guest/librotifer.a -Wl,--no-whole-archive $1build/guest/libsodium.a
GUEST_LIBS := $(call guest_libs,)

# A guest links once there are a library and a link script to link it with.
GUEST_CAN_LINK := $(and $(GUEST_LIB_SRCS),$(wildcard linker/guest.ld))
GUEST_EXAMPLE_ELFS := $(patsubst guest/examples/%.c,build/guest/%.elf,$(GUEST_EXAMPLES))
GUEST_TEST_ELFS := $(patsubst guest/tests/%.c,build/guest/%.elf,$(GUEST_TESTS))

.PHONY: guest
guest: $(if $(GUEST_CAN_LINK),$(GUEST_EXAMPLE_ELFS) build/guest/lua.elf, \
    $(call objects,guest,$(GUEST_LIB_SRCS) $(GUEST_EXAMPLES)))

build/guest/%.o: %.c $(MAKE_FILES) | $(SODIUM_VERSION) build/compiler.ok
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -c -o $@ $<

build/guest/%.o: %.S $(MAKE_FILES) | build/compiler.ok
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -c -o $@ $<

build/guest/librotifer.a: $(call objects,guest,$(GUEST_LIB_SRCS)) build/list/guest
	$(call archive,$(CROSS_AR))

# $(call guest_link,OBJECTS)
define guest_link
$(call say,LD,$@)
$(Q)$(CROSS)gcc $(GUEST_LDFLAGS) -o $@ $1 $(GUEST_LIBS)
endef
GUEST_LINK_WITH := build/guest/librotifer.a build/guest/libsodium.a linker/guest.ld

$(GUEST_EXAMPLE_ELFS): build/guest/%.elf: build/guest/guest/examples/%.o $(GUEST_LINK_WITH)
	$(call guest_link,$<)

# The one program with instructions that not every hart has.
build/guest/guest/tests/zbb.o: GUEST_CFLAGS += -march=rv64gc_zbb

$(GUEST_TEST_ELFS): build/guest/%.elf: build/guest/guest/tests/%.o $(GUEST_LINK_WITH)
	$(call guest_link,$<)

# --- Lua: third_party/lua/src as it is; what it needs to know comes in by guest/lua/*.h ----------

LUA := third_party/lua/src
LUA_SRCS := $(addprefix $(LUA)/, lua.c \
    lapi.c lcode.c lctype.c ldebug.c ldo.c ldump.c lfunc.c lgc.c llex.c lmem.c lobject.c lopcodes.c \
    lparser.c lstate.c lstring.c ltable.c ltm.c lundump.c lvm.c lzio.c \
    lauxlib.c lbaselib.c lcorolib.c ldblib.c liolib.c lmathlib.c loadlib.c loslib.c lstrlib.c \
    ltablib.c lutf8lib.c linit.c)
LUA_OBJS := $(call objects,guest,$(LUA_SRCS))
$(LUA_OBJS): GUEST_BASE += $(addprefix -include ,$(wildcard guest/lua/*.h))
$(LUA_OBJS): $(wildcard guest/lua/*.h) | build/compiler.ok

build/guest/lua.elf: $(LUA_OBJS) $(GUEST_LINK_WITH)
	$(call guest_link,$(LUA_OBJS))

include mk/prog.mk

# --- bootfs: programs and files that a node finds beside its image (services/bootfs.h) ---------------

# Names without .elf, for people type them. Debug information stays here, names of functions go along: a node says in
# which one a program died.
BOOTFS_ELFS := $(if $(GUEST_CAN_LINK),$(GUEST_EXAMPLE_ELFS) build/guest/lua.elf)
BOOTFS_FILES := $(patsubst build/guest/%.elf,build/bootfs/%,$(BOOTFS_ELFS)) $(addprefix build/bootfs/,$(OWN)) \
    $(patsubst guest/examples/%,build/bootfs/%,$(wildcard guest/examples/*.lua))
$(call remember,bootfs,$(BOOTFS_FILES))

build/bootfs/%: build/guest/%.elf
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS)objcopy --strip-debug $< $@

build/bootfs/%.lua: guest/examples/%.lua
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

build/bootfs.cpio: $(BOOTFS_FILES) tools/mkbootfs.py build/list/bootfs
	$(call say,BOOTFS,$@)
	$(Q)python3 tools/mkbootfs.py $@ $(BOOTFS_FILES)

-include $(patsubst %.o,%.d,$(call objects,guest,$(GUEST_LIB_SRCS) $(GUEST_EXAMPLES) $(GUEST_TESTS) $(LUA_SRCS)))
