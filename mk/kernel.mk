# SPDX-License-Identifier: BSD-2-Clause
#
# The kernel image: build/rotifer.elf for debuggers, build/Image for QEMU, U-Boot and boards.

KERNEL_SRCS := $(wildcard $(foreach x,c S,arch/riscv/*.$x core/*.$x net/*.$x services/*.$x services/*/*.$x boards/*.$x))
KERNEL_OBJS := $(call objects,kernel,$(KERNEL_SRCS))
$(call remember,kernel,$(KERNEL_SRCS))

# Two -march on purpose. The assembler needs zicsr and zifencei named for csrr and fence.i, but gcc
# picks the variant of its own libgcc by the exact string, and with those names it would pick the
# hard-float one.
# The kernel itself uses no floating point (arch/riscv/fp.S says .option arch for its own lines), so
# that guests' registers stay in place across a trap.
KERNEL_ARCH := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany
KERNEL_LINK_ARCH := -march=rv64imac -mabi=lp64 -mcmodel=medany

# -fbuiltin after -ffreestanding: memcpy and friends are the real ones, from picolibc, so the compiler
# may put a small copy in line. Frame pointers: a panic walks the stack.
KERNEL_BASE := $(KERNEL_ARCH) $(LIBC_FLAGS) -ffreestanding -fbuiltin -O2 -std=c11 \
    -fno-omit-frame-pointer -DASSERT_WITHOUT_TEXT $(COMMON) $(INCLUDES)
KERNEL_CFLAGS := $(KERNEL_BASE) -Iarch/riscv $(WARNINGS_STRICT)
KERNEL_CC = $(CROSS)gcc $(KERNEL_BASE)

# Of picolibc's variants of printf it takes the one for integers: it prints nothing else.
KERNEL_LDFLAGS := $(KERNEL_LINK_ARCH) -nostdlib -static -T linker/kernel.ld -Wl,--defsym=vfprintf=__i_vfprintf \
    -Wl,--gc-sections -Wl,--build-id=none -Wl,-Map=build/rotifer.map

# Its functions call nobody; a frame for each would cost a tenth of a transaction.
build/kernel/core/fastpath.o: KERNEL_CFLAGS += -fomit-frame-pointer

# What is on no short path is compiled for size: 20 KB less of it.
HOT := $(addprefix build/kernel/services/,inline.o service.o request.o node.o seg.o \
    $(addprefix proc/,control.o instantiate.o local_source.o proc.o owner.o orphan.o reaper.o)) \
    $(addprefix build/kernel/net/,net.o xfer.o) \
    $(addprefix build/kernel/arch/riscv/,hart.o sv39.o fpu.o context.o sbi.o timer.o)
COLD := $(filter-out $(HOT),$(filter build/kernel/services/% build/kernel/boards/% build/kernel/net/% \
    build/kernel/arch/riscv/%,$(KERNEL_OBJS))) $(addprefix build/kernel/core/,cancel.o desc_change.o desc_encode.o ended.o \
    error.o fault.o forward.o futex.o listen.o log.o node.o panic.o progress.o random.o seg_mark.o seg_share.o trace.o \
    txn_proc.o)
$(COLD): KERNEL_CFLAGS += -Os

.PHONY: kernel
# While a room is still empty there is nothing to link.
kernel: $(if $(and $(wildcard arch/riscv/*.S),$(wildcard linker/kernel.ld)),build/Image,$(KERNEL_OBJS))

build/kernel/%.o: %.c $(MAKE_FILES) | $(SODIUM_VERSION) build/compiler.ok
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) -c -o $@ $<

build/kernel/%.o: %.S $(MAKE_FILES) | build/compiler.ok
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) -c -o $@ $<

# The image is linked twice: the first link says where every function is, which becomes a table of names for
# backtraces (linker/kernel.ld puts it behind everything, so that no address changes).
KERNEL_LINK = $(CROSS)gcc $(KERNEL_LDFLAGS) -o $@ $(filter %.o %.a,$^) -lgcc
KERNEL_LINK_WITH := $(KERNEL_OBJS) build/kernel/libsodium.a build/kernel/libfdt.a build/kernel/libc.a

build/kernel/first.elf: $(KERNEL_LINK_WITH) linker/kernel.ld build/list/kernel
	$(call say,LD,$@)
	$(Q)$(KERNEL_LINK)

build/kernel/symbols.S: build/kernel/first.elf tools/mksyms.py
	$(Q)$(CROSS)nm -n $< | python3 tools/mksyms.py > $@

build/kernel/symbols.o: build/kernel/symbols.S
	$(Q)$(CROSS)gcc $(KERNEL_ARCH) -c -o $@ $<

build/rotifer.elf: $(KERNEL_LINK_WITH) build/kernel/symbols.o linker/kernel.ld build/list/kernel
	$(call say,LD,$@)
	$(Q)$(KERNEL_LINK)

build/Image: build/rotifer.elf
	$(call say,IMAGE,$@)
	$(Q)$(CROSS)objcopy -O binary $< $@

# The probe: says in one sentence what would else be a page of errors. It links against the library that each kind of
# program takes from outside this repository.
# $(call probe,WHAT,FLAGS,LIBRARIES)
define probe
$(Q)echo 'int _start(char *a, long b); int _start(char *a, long b) { return $1; }' > build/probe.c
$(Q)$(CROSS)gcc $2 -Wl,-Ttext=0x10000 -T /dev/null -o build/probe.elf build/probe.c $3 2> build/probe.log || \
    { cat build/probe.log >&2; echo '$(CROSS)gcc cannot link for $2. Try: make doctor' >&2; exit 1; }
endef
build/compiler.ok: $(MAKE_FILES)
	$(Q)mkdir -p $(@D)
	$(Q)command -v $(CROSS)gcc >/dev/null || { \
	    echo "The cross compiler $(CROSS)gcc is not on the PATH. Try: make doctor" >&2; exit 1; }
	$(call probe,(int)*a + __builtin_popcountl(b),$(KERNEL_LINK_ARCH) -nostdlib,-lgcc)
	$(call probe,(int)__builtin_strlen(a) + (int)b,$(filter-out -T %.ld,$(GUEST_LDFLAGS)))
	$(Q)rm -f build/probe.*
	$(Q)touch $@

-include $(KERNEL_OBJS:.o=.d)
