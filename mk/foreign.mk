# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that nobody here wrote, unmodified, for test/ring/foreign.py: each one built for a guest and for this machine,
# so that what they say can be compared. Their sources are in third_party/ (tools/setup.sh); one that could not be
# fetched is not built, and the test says that it is skipped.
#
#   build/foreign/guest/NAME.elf, build/foreign/host/NAME
#
# -O1: the test asks whether they are right, and sqlite alone takes half a minute of the compiler at -O2.

FOREIGN_SQLITE := build/foreign/sqlite
FOREIGN_PICOSAT := build/foreign/picosat

# $(call foreign,NAME,FOLDER OF THIRD_PARTY,SOURCES,FLAGS,SOURCES FOR A GUEST ONLY,FLAGS FOR A GUEST ONLY)
define foreign
ifneq ($(wildcard third_party/$2/.sha256),)
FOREIGN_PROGRAMS += build/foreign/guest/$1.elf build/foreign/host/$1
build/foreign/guest/$1.elf: $3 $5 $$(GUEST_LINK_WITH) mk/foreign.mk | build/compiler.ok
	$$(call say,CC,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CROSS)gcc $$(GUEST_BASE) -w -O1 $4 $6 $$(GUEST_LDFLAGS) -o $$@ $$(filter %.c %.o,$$^) $$(GUEST_LIBS)
build/foreign/host/$1: $3 mk/foreign.mk
	$$(call say,CC,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) -w -O1 $4 -o $$@ $$(filter %.c,$$^) -lm
endif
endef

FOREIGN_PROGRAMS :=
$(eval $(call foreign,lz4fuzzer,lz4,$(addprefix third_party/lz4/, \
    tests/fuzzer.c lib/lz4.c lib/lz4hc.c lib/xxhash.c),-DXXH_NAMESPACE=LZ4_ -Ithird_party/lz4/lib -Ithird_party/lz4/programs))
$(eval $(call foreign,minigzip,zlib,third_party/zlib/test/minigzip.c $(wildcard third_party/zlib/*.c), \
    -DHAVE_UNISTD_H -Ithird_party/zlib))
$(eval $(call foreign,mujs,mujs,third_party/mujs/one.c third_party/mujs/main.c,-Ithird_party/mujs))
$(eval $(call foreign,picosat,picosat,$(addprefix third_party/picosat/,app.c main.c picosat.c version.c) \
    $(FOREIGN_PICOSAT)/config.h,-DNDEBUG -DNGETRUSAGE -I$(FOREIGN_PICOSAT) -Ithird_party/picosat,test/foreign/pipe_less.c))
$(eval $(call foreign,speedtest1,sqlite3,third_party/sqlite3/test/speedtest1.c $(FOREIGN_SQLITE)/sqlite3.c, \
    -I$(FOREIGN_SQLITE) -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_TEMP_STORE=3, \
    test/foreign/sqlite_os.c,-DSQLITE_OS_OTHER=1 -DFILENAME_MAX=4096))

# What picosat's configure script writes.
$(FOREIGN_PICOSAT)/config.h: mk/foreign.mk
	$(Q)mkdir -p $(@D)
	$(Q)printf '#define PICOSAT_%s\n' 'CC "cc"' 'CFLAGS "-O1"' 'VERSION "965"' > $@

# sqlite comes as some hundred files and is compiled as one, which its own makefile puts together with tclsh.
$(FOREIGN_SQLITE)/sqlite3.c: third_party/sqlite3/.sha256
	$(call say,GEN,$@)
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)cd $(@D) && MAKEFLAGS= $(MAKE) -f $(CURDIR)/third_party/sqlite3/main.mk TOP=$(CURDIR)/third_party/sqlite3 OPTS= NAWK=awk \
	    BCC='$(CC) -w' TCC='$(CC) -w -I. -I$(CURDIR)/third_party/sqlite3/src' sqlite3.c > make.log 2>&1 || \
	    { tail -n 20 make.log >&2; rm -f sqlite3.c; false; }

# --- libsodium's own tests ---------------------------------------------------------------------------
#
# Each is a program with a main of its own; here all are in one, and its argument says which it is. The whole library is
# compiled for them, with its own kinds of randomness (HAVE_SAFE_ARC4RANDOM: test/foreign/sodium_tests.c).

SODIUM_TESTS := $(wildcard third_party/libsodium/test/default/*.c)
FOREIGN_PROGRAMS += build/foreign/guest/sodium_tests.elf
SODIUM_WHOLE := $(shell find third_party/libsodium/src -name '*.c' | sort)
FOREIGN_SODIUM_CC = $(CROSS)gcc $(GUEST_BASE) $(SODIUM_FLAGS) -w -O1 -DHAVE_SAFE_ARC4RANDOM=1 -DHAVE_GETENTROPY=1
SODIUM_WHOLE_OBJS := $(call objects,foreign/sodium,$(SODIUM_WHOLE))
SODIUM_TEST_OBJS := $(call objects,foreign/sodium,$(SODIUM_TESTS))

build/foreign/sodium/third_party/libsodium/test/default/%.o: third_party/libsodium/test/default/%.c mk/foreign.mk | $(SODIUM_VERSION)
	$(call say,CC,$< (foreign))
	$(Q)mkdir -p $(@D)
	$(Q)$(FOREIGN_SODIUM_CC) -DBROWSER_TESTS -Ithird_party/libsodium/test/quirks -Dmain=main_$* -Dxmain=xmain_$* -c -o $@ $<

build/foreign/sodium/third_party/libsodium/src/%.o: third_party/libsodium/src/%.c mk/foreign.mk | $(SODIUM_VERSION)
	$(call say,CC,$< (foreign))
	$(Q)mkdir -p $(@D)
	$(Q)$(FOREIGN_SODIUM_CC) -c -o $@ $<

build/foreign/guest/sodium_tests.elf: test/foreign/sodium_tests.c $(SODIUM_WHOLE_OBJS) $(SODIUM_TEST_OBJS) $(GUEST_LINK_WITH)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(GUEST_BASE) $(WARNINGS) '-DSODIUM_TESTS=$(foreach t,$(SODIUM_TESTS),T($(basename $(notdir $t))))' \
	    $(GUEST_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(filter-out %/libsodium.a,$(GUEST_LIBS))

.PHONY: foreign
foreign: $(FOREIGN_PROGRAMS)
