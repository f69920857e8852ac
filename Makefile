# SPDX-License-Identifier: BSD-2-Clause
#
# Rotifer: contents
#
#   make                  set up, build everything, then list these commands
#   make demo             a ring, a program and a busy server that move round it: a minute or two
#   make test             all tests; T="name..." runs those whose name contains one of them
#   make soak             the random tests at full size: 10^5 stuns, 10^6 system calls, inputs, ...: an hour
#   make ring             start a ring of nodes and leave it running
#   make qemu             boot one node on this terminal, to a shell HARTS=n MEM=128M APPEND=...
#   make PROG=my.c        a program of your own, anywhere: mk/prog.mk
#   make SERVICES=...     an image with some of the services: mk/services.mk
#   make gdb              the same node, stopped at its first instruction, under gdb
#   make bench            measure; prints a table, writes a CSV
#   make sim SEED=n       replay one run of the simulator exactly
#   make fuzz             feed mutated bytes to every parser         FUZZ_RUNS=n
#   make model            search the models of the protocols whole     (test/model/)
#   make plants           plant each fault of test/plants/: is it found? P="name..."
#   make doctor           what this machine has, what it lacks, and the line that mends it
#   make format           clang-format our sources   (check-format only looks)
#   make check-layout     is every line short enough, and every file's head there?
#   make check-arrows     does every #include follow the house rules?
#   make check-circles    do files call each other in circles?
#   make check-contracts  do headers say what a caller must know? are states set where they say?
#   make check-docs       is everything there that README and docs/ name? do functions call each other as docs/ say?
#   make figures          the house in figures, by room
#   make clean            forget build/ and run/     (distclean: third_party/ as well)
#
# Anywhere: V=1 shows the commands; WERROR= lets warnings pass.
#
# A new source file needs no line here: each room is a wildcard.
#
#   mk/common.mk       quiet lines, flags shared by every build, bookkeeping
#   mk/third-party.mk  libsodium, libfdt, the kernel's part of picolibc: which files, how compiled
#   mk/kernel.mk       build/Image: arch/riscv core net services boards
#   mk/services.mk     which services an image holds
#   mk/host.mk         build/rotifer: the command; and the same code under sanitizers
#   mk/guest.mk        build/guest/*.elf: guest/lib, guest/examples, Lua
#   mk/foreign.mk      programs that nobody here wrote, for a test
#   mk/prog.mk         programs of one's own; the flags for other Makefiles
#   mk/test.mk         unit tests, simulator, fuzz targets

.DEFAULT_GOAL := all

# --- set-up comes before everything --------------------------------------------------------------
# third_party/ready.mk is written by the set-up. Because it is included, make brings it up to date
# first, alone, and then reads this file again: no rule below has to wait for it.

CROSS ?= riscv64-unknown-elf-
NO_SETUP := help guest-flags doctor clean distclean format check-format check-layout check-arrows check-contracts figures
GOALS := $(or $(MAKECMDGOALS),all)

ifneq ($(filter-out $(NO_SETUP),$(GOALS)),)
include third_party/ready.mk
third_party/ready.mk: tools/setup.sh tools/libc.sh tools/libc.patch $(if $(shell command -v $(CROSS)gcc),,FORCE)
	@CROSS=$(CROSS) bash tools/setup.sh
endif

include mk/common.mk
include mk/third-party.mk
include mk/kernel.mk
include mk/host.mk
include mk/services.mk
include mk/guest.mk
include mk/foreign.mk
include mk/test.mk

# --- what people type ----------------------------------------------------------------------------

.PHONY: all build demo test qemu ring gdb bench sim model plants doctor fuzz soak format check-format check-layout \
        check-arrows check-circles check-contracts check-docs figures clean distclean help setup FORCE

all: build
	@echo
	@$(MAKE) --no-print-directory help
	@echo
	@echo "Everything is built. Next: make demo"

build: kernel host guest build/bootfs.cpio compile_commands.json

setup: # nothing left to do: see above
	@echo "Set-up is complete. Next: make"

help:
	@sed -n 's/^#   \(make .*\)/  \1/p' Makefile

demo: build
	@tools/demo.sh

test: build test-programs
	@test/run.sh $(T)

ring: build
	@build/rotifer ring up

bench: build build/guest/bench_mem.elf
	@tools/bench.sh

sim: build/sim-run
	@build/sim-run $(SEED)
	@echo "Next: make sim SEED=n for another run, or make test for everything."

model:
	@test/model/check.py
	@echo "Next: make plants, or make test for everything."

P ?=
plants:
	@test/plants/run.py $(P)
	@echo "Next: make test"

FUZZ_RUNS ?= 1000000
fuzz: test-programs
	@FUZZ_RUNS=$(FUZZ_RUNS) test/run.sh fuzz/

soak: build test-programs
	@test/soak.sh

HARTS ?= 1
MEM ?= 128M
APPEND ?= node=n1 shell
QEMU = qemu-system-riscv64 -M virt -m $(MEM) -smp $(HARTS) -global virtio-mmio.force-legacy=false \
       -kernel build/Image -initrd build/bootfs.cpio -append '$(APPEND)'

qemu: kernel build/bootfs.cpio
	@echo "Booting one node with $(HARTS) hart(s). To leave: stop, or Ctrl-A, then x."
	@$(QEMU) -nographic
	@echo "Next: make ring for several nodes, or make gdb to step through this one."

# A port of one's own, so that two people on one machine do not meet.
GDB_PORT = $(shell expr $$(id -u) % 5000 + 25000)

# setsid keeps a Ctrl-C meant for the debugger away from QEMU.
# Nobody can type at its console, so there is no shell.
gdb: APPEND := $(filter-out shell,$(APPEND))
gdb: kernel build/bootfs.cpio
	@echo "One node waits at its first instruction (port $(GDB_PORT)); console: build/gdb-console.log"
	@setsid $(QEMU) -display none -monitor none -serial file:build/gdb-console.log \
	    -S -gdb tcp:127.0.0.1:$(GDB_PORT) </dev/null & \
	qemu=$$!; trap 'kill $$qemu 2>/dev/null' EXIT; trap '' INT; \
	gdb-multiarch -q build/rotifer.elf -ex 'set tcp connect-timeout 10' \
	    -ex 'target remote 127.0.0.1:$(GDB_PORT)'
	@echo "Next: cat build/gdb-console.log to see what the node said."

doctor:
	@CROSS=$(CROSS) bash tools/doctor.sh

OUR_C = $(shell find arch boards core guest net services test tools -name '*.[ch]' 2>/dev/null)
CLANG_FORMAT := $(shell command -v clang-format)

format:
	$(if $(CLANG_FORMAT),,$(error clang-format is not installed: apt-get install clang-format))
	@clang-format -i $(OUR_C)
	@echo "Formatted $(words $(OUR_C)) files. Next: git diff"

check-format:
ifeq ($(CLANG_FORMAT),)
	@echo "check-format: skipped, clang-format is not installed (apt-get install clang-format)"
else
	@clang-format --dry-run --Werror $(OUR_C)
	@echo "All $(words $(OUR_C)) files are formatted. Next: make test"
endif

# One script each.
check-layout check-arrows check-circles check-contracts: check-%:
	@$(wildcard test/check-$*.py test/check-$*.sh)
	@echo "Next: make test"
check-circles: kernel

check-docs: kernel
	@test/check-docs.py
	@test/check-walks.py
	@echo "Next: make test"

figures:
	@test/figures.py
	@echo "Next: make check-contracts"

clean:
	@rm -rf build run compile_commands.json
	@echo "Removed build/ and run/. Next: make"

distclean: clean
	@rm -rf third_party
	@echo "Removed third_party/ too: the next make fetches it again."
