# SPDX-License-Identifier: BSD-2-Clause
#
# Test programs; those for this machine are under sanitizers. test/run.sh runs them.
#
#   test/unit/test_NAME.c   one program each; other files there are helpers, linked with every one
#   test/sim/*.c            one program, build/sim-run
#   test/fuzz/fuzz_NAME.c   one program each, with every other file there (driver.c has main)
#   guest/tests/NAME.c      programs for U-mode that test/ring/ starts (mk/guest.mk)

UNIT_TESTS := $(wildcard test/unit/test_*.c)
UNIT_HELPERS := $(filter-out $(UNIT_TESTS),$(wildcard test/unit/*.c))
SIM_SRCS := $(wildcard test/sim/*.c)
FUZZ_TESTS := $(wildcard test/fuzz/fuzz_*.c)
FUZZ_HELPERS := $(filter-out $(FUZZ_TESTS),$(wildcard test/fuzz/*.c))
$(call remember,unit,$(UNIT_HELPERS))
$(call remember,sim,$(SIM_SRCS))
$(call remember,fuzz,$(FUZZ_HELPERS))

UNIT_BINS := $(patsubst test/unit/%.c,build/unit/%,$(UNIT_TESTS))
FUZZ_BINS := $(patsubst test/fuzz/%.c,build/fuzz/%,$(FUZZ_TESTS))
# Of boards/, all that is not this machine's start: the device tree and the drivers, which know no machine either.
BOARD_SRCS := $(filter-out boards/main.c boards/panic.c,$(wildcard boards/*.c))
$(call remember,boards,$(BOARD_SRCS))
SAN_LIBS := build/san/libboards.a build/san/librotifer.a build/host/libsodium.a build/host/libfdt.a

build/san/libboards.a: $(call objects,san,$(BOARD_SRCS)) build/list/boards
	$(call archive,$(AR))

.PHONY: test-programs
test-programs: $(UNIT_BINS) $(FUZZ_BINS) $(if $(SIM_SRCS),build/sim-run) \
    build/lean/Image build/lean/rotifer build/test/libc build/test/libm foreign $(if $(GUEST_CAN_LINK),$(GUEST_TEST_ELFS))

define test_link
$(call say,LD,$@)
$(Q)mkdir -p $(@D)
$(Q)$(CC) $(SANITIZE) $(HOST_LDFLAGS) -o $@ $(filter %.o %.a,$^) $1
endef

# The command's files, but for its main: a test takes those that it calls.
TESTED_TOOLS := $(filter-out tools/main.c,$(TOOL_SRCS))
build/san/libtools.a: $(call objects,san,$(TESTED_TOOLS)) build/list/tools
	$(call archive,$(AR))

$(UNIT_BINS): build/unit/%: build/san/test/unit/%.o $(call objects,san,$(UNIT_HELPERS)) build/san/libtools.a \
              $(SAN_LIBS) build/list/unit
	$(call test_link,-lcmocka -lm)

build/sim-run: $(call objects,san,$(SIM_SRCS)) $(SAN_LIBS) build/list/sim
	$(call test_link)

$(FUZZ_BINS): build/fuzz/%: build/san/test/fuzz/%.o $(call objects,san,$(FUZZ_HELPERS)) build/san/libtools.a $(SAN_LIBS) \
              build/list/fuzz
	$(call test_link,-lm)

# What the C library of guests is compared with. No built-ins, for the compiler knows many of the answers itself.
build/test/libc build/test/libm: build/test/%: guest/tests/%.c guest/lib/double_bits.h $(MAKE_FILES)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O1 -std=gnu11 -fno-builtin $(WARNINGS) -I. -o $@ $< -lm
build/guest/guest/tests/libc.o build/guest/guest/tests/libm.o: GUEST_CFLAGS += -fno-builtin

-include $(patsubst %.o,%.d,$(call objects,san,$(BOARD_SRCS) $(wildcard test/*/*.c)))
