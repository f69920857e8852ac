# SPDX-License-Identifier: BSD-2-Clause
#
# Libraries, compiled from unmodified sources in third_party/ (see tools/setup.sh), once for the
# kernel, once for the host, once for guests: what each of them uses. (Guests may use all of picolibc: tools/libc.sh.)
# Their warnings are not ours to mend: -w.

SODIUM := third_party/libsodium/src/libsodium

# To add a function of libsodium, add its files here: make compiles what is used, and no more, for the curves and ciphers
# alone take as long as all of core. (sodium_init() names functions of theirs; the linker drops it, and with it the
# question where they are.) There is no randombytes/: on bare metal random bytes come from the node's own generator. So a
# function that draws its own randomness (a key pair, say) does not link, and should not.
#
# These link, too, and miss nothing else, once somebody wants them (below crypto_):
#   AEAD     stream/xchacha20 core/hchacha20 onetimeauth/poly1305 aead/chacha20poly1305 aead/xchacha20poly1305
#   X25519   scalarmult/curve25519 core/ed25519/ref10
SODIUM_SIP := $(addprefix $(SODIUM)/, crypto_shorthash/siphash24/ref/shorthash_siphashx24_ref.c \
    sodium/core.c sodium/utils.c)
SODIUM_ALL := $(SODIUM_SIP) $(addprefix $(SODIUM)/, \
    crypto_generichash/blake2b/ref/blake2b-compress-ref.c \
    crypto_generichash/blake2b/ref/blake2b-ref.c \
    crypto_generichash/blake2b/ref/generichash_blake2b.c \
    crypto_stream/chacha20/stream_chacha20.c \
    crypto_stream/chacha20/ref/chacha20_ref.c \
    sodium/runtime.c)

# A kernel reads device trees; tests make them, too.
FDT_READ := $(addprefix third_party/libfdt/, fdt.c fdt_ro.c fdt_strerror.c)
FDT_ALL := $(FDT_READ) $(addprefix third_party/libfdt/, fdt_addresses.c fdt_empty_tree.c fdt_rw.c fdt_sw.c fdt_wip.c)

# What the kernel uses of picolibc, whose vfprintf is that for integers (mk/kernel.mk). Function by function the files are
# those that picolibc's own build takes for RISC-V and speed.
PICO := third_party/picolibc/newlib/libc
PICO_KERNEL := $(addprefix $(PICO)/machine/riscv/, memcpy.c memmove-stub.c memset.S strcmp.S strcpy.c strlen.c) \
    $(patsubst %,$(PICO)/string/%.c, memchr memcmp strchr strcspn strncmp strncpy strnlen strrchr strspn strstr) \
    $(patsubst %,$(PICO)/tinystdio/%.c, snprintf vsnprintf vfiprintf filestrput)

# What its configure script would find on every machine that we build for. TI_MODE: 128-bit integers.
# NDEBUG: its assertions guard its own internals; misuse still ends in sodium_misuse().
SODIUM_FLAGS := -DCONFIGURED=1 -DNATIVE_LITTLE_ENDIAN=1 -DHAVE_TI_MODE=1 -DHAVE_C_VARARRAYS=1 \
    -DHAVE_WEAK_SYMBOLS=1 -DHAVE_ATOMIC_OPS=1 -DHAVE_INLINE_ASM=1 -DSODIUM_STATIC=1 -DNDEBUG=1 \
    -I$(SODIUM)/include/sodium -Ibuild/include/sodium

# Lines for addr2line, and no more: it is a seventh of the time.
# $(call third_party_flags,SOURCE)
third_party_flags = -w -g1 -std=gnu11 $(if $(findstring /libsodium/,$1),$(SODIUM_FLAGS)) \
    $(if $(findstring /picolibc/,$1),-D_LIBC -fno-builtin -I$(PICO)/locale) \
    $(if $(filter $(PICO)/machine/% $(PICO)/string/%,$1),-O3 -fomit-frame-pointer)

# libsodium's configure script writes this one header, from a template.
SODIUM_VERSION := build/include/sodium/version.h

$(SODIUM_VERSION): $(SODIUM)/include/sodium/version.h.in mk/third-party.mk
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's|"export.h"|"sodium/export.h"|' -e 's/@VERSION@/1.0.18/' -e 's/@SODIUM_LIBRARY_VERSION_MAJOR@/10/' \
	    -e 's/@SODIUM_LIBRARY_VERSION_MINOR@/3/' -e '/@SODIUM_LIBRARY_MINIMAL_DEF@/d' $< > $@

# $(call third_party_build,BUILD,COMPILER,AR,SODIUM,FDT): the rules for build/BUILD/. The arguments are names of variables,
# for some are set in files that come later.
define third_party_build
build/$1/third_party/%.o: third_party/%.c $$(MAKE_FILES) | $$(SODIUM_VERSION)
	$$(call say,CC,$$< ($1))
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$($2) $$(call third_party_flags,$$<) -c -o $$@ $$<

build/$1/libsodium.a: $$(call objects,$1,$$($4))
	$$(call archive,$$($3))

build/$1/libfdt.a: $$(call objects,$1,$$($5))
	$$(call archive,$$($3))

-include $$(patsubst %.o,%.d,$$(call objects,$1,$$($4) $$($5)))
endef

CROSS_AR = $(CROSS)ar
$(eval $(call third_party_build,kernel,KERNEL_CC,CROSS_AR,SODIUM_ALL,FDT_READ))
build/kernel/libc.a: $(call objects,kernel,$(PICO_KERNEL))
	$(call archive,$(CROSS_AR))
-include $(patsubst %.o,%.d,$(call objects,kernel,$(PICO_KERNEL)))

$(eval $(call third_party_build,guest,GUEST_CC,CROSS_AR,SODIUM_SIP,))
$(eval $(call third_party_build,host,HOST_CC,AR,SODIUM_ALL,FDT_ALL))
