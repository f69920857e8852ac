# SPDX-License-Identifier: BSD-2-Clause
#
# Libraries, compiled from unmodified sources in third_party/ (see tools/setup.sh), once for the
# kernel, once for the host, once for guests. Their warnings are not ours to mend: -w.

SODIUM := third_party/libsodium/src/libsodium

# To add a function of libsodium, add its file here; what nobody calls is dropped by the linker.
# There is no randombytes/: on bare metal random bytes come from the node's own generator. So a
# function that draws its own randomness (a key pair, say) does not link, and should not.
SODIUM_SRCS := $(addprefix $(SODIUM)/, \
    crypto_generichash/blake2b/generichash_blake2.c \
    crypto_generichash/blake2b/ref/blake2b-compress-ref.c \
    crypto_generichash/blake2b/ref/blake2b-ref.c \
    crypto_generichash/blake2b/ref/generichash_blake2b.c \
    crypto_shorthash/siphash24/shorthash_siphash24.c \
    crypto_shorthash/siphash24/shorthash_siphashx24.c \
    crypto_shorthash/siphash24/ref/shorthash_siphash24_ref.c \
    crypto_shorthash/siphash24/ref/shorthash_siphashx24_ref.c \
    crypto_stream/chacha20/stream_chacha20.c \
    crypto_stream/chacha20/ref/chacha20_ref.c \
    crypto_core/hchacha20/core_hchacha20.c \
    crypto_stream/xchacha20/stream_xchacha20.c \
    crypto_onetimeauth/poly1305/onetimeauth_poly1305.c \
    crypto_onetimeauth/poly1305/donna/poly1305_donna.c \
    crypto_aead/chacha20poly1305/sodium/aead_chacha20poly1305.c \
    crypto_aead/xchacha20poly1305/sodium/aead_xchacha20poly1305.c \
    crypto_scalarmult/curve25519/scalarmult_curve25519.c \
    crypto_scalarmult/curve25519/ref10/x25519_ref10.c \
    crypto_core/ed25519/ref10/ed25519_ref10.c \
    crypto_verify/sodium/verify.c \
    sodium/core.c sodium/runtime.c sodium/utils.c)

FDT_SRCS := $(addprefix third_party/libfdt/, fdt.c fdt_addresses.c fdt_empty_tree.c fdt_ro.c \
    fdt_rw.c fdt_strerror.c fdt_sw.c fdt_wip.c)

# What its configure script would find on every machine that we build for. TI_MODE: 128-bit integers.
# NDEBUG: its assertions guard its own internals; misuse still ends in sodium_misuse().
SODIUM_FLAGS := -DCONFIGURED=1 -DNATIVE_LITTLE_ENDIAN=1 -DHAVE_TI_MODE=1 -DHAVE_C_VARARRAYS=1 \
    -DHAVE_WEAK_SYMBOLS=1 -DHAVE_ATOMIC_OPS=1 -DHAVE_INLINE_ASM=1 -DSODIUM_STATIC=1 -DNDEBUG=1 \
    -I$(SODIUM)/include/sodium -Ibuild/include/sodium

# $(call third_party_flags,SOURCE)
third_party_flags = -w -std=gnu11 $(if $(findstring /libsodium/,$1),$(SODIUM_FLAGS))

# libsodium's configure script writes this one header, from a template.
SODIUM_VERSION := build/include/sodium/version.h

$(SODIUM_VERSION): $(SODIUM)/include/sodium/version.h.in mk/third-party.mk
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's|"export.h"|"sodium/export.h"|' -e 's/@VERSION@/1.0.18/' -e 's/@SODIUM_LIBRARY_VERSION_MAJOR@/10/' \
	    -e 's/@SODIUM_LIBRARY_VERSION_MINOR@/3/' -e '/@SODIUM_LIBRARY_MINIMAL_DEF@/d' $< > $@

# $(call third_party_build,BUILD,COMPILER,AR): the rules for build/BUILD/. An argument names variables,
# for they are set in files that come later.
define third_party_build
build/$1/third_party/%.o: third_party/%.c $$(MAKE_FILES) | $$(SODIUM_VERSION)
	$$(call say,CC,$$< ($1))
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$($2) $$(call third_party_flags,$$<) -c -o $$@ $$<

build/$1/libsodium.a: $$(call objects,$1,$$(SODIUM_SRCS))
	$$(call archive,$$($3))

build/$1/libfdt.a: $$(call objects,$1,$$(FDT_SRCS))
	$$(call archive,$$($3))

-include $$(patsubst %.o,%.d,$$(call objects,$1,$$(SODIUM_SRCS) $$(FDT_SRCS)))
endef

CROSS_AR = $(CROSS)ar
$(eval $(call third_party_build,kernel,KERNEL_CC,CROSS_AR))
$(eval $(call third_party_build,guest,GUEST_CC,CROSS_AR))
$(eval $(call third_party_build,host,HOST_CC,AR))

.PHONY: third-party
third-party: $(foreach b,kernel guest host,build/$b/libsodium.a) build/kernel/libfdt.a build/host/libfdt.a
