# SPDX-License-Identifier: BSD-2-Clause
#
# Which services an image holds:   make SERVICES="dir seg node proc"      what is left out is not started, nor linked
#
# Each is a file, services/NAME.c, or a folder, services/NAME/, with NAME_service_start() and NAME_service_stop(). They
# start in this order: dir first, for the others enter their capabilities into it. The host's nodes have them all.

SERVICES_ALL := dir seg console node bootfs proc shell
SERVICES ?= $(SERVICES_ALL)

services_there := $(patsubst services/%.c,%,$(wildcard services/*.c)) $(notdir $(patsubst %/,%,$(wildcard services/*/)))
services_unknown := $(filter-out $(services_there),$(SERVICES))
$(if $(services_unknown),$(error SERVICES: there is no services/$(firstword $(services_unknown)).c and no such folder))
$(if $(filter dir,$(firstword $(SERVICES))),,$(error SERVICES: dir comes first: the others enter their names into it))
# $(call services_needs,SERVICE,OTHERS)
services_needs = $(if $(filter $1,$(SERVICES)),$(foreach s,$2,$(if $(filter $s,$(SERVICES)),,$(error SERVICES: $1 needs $s))))
$(call services_needs,proc,seg)
$(call services_needs,shell,console proc node bootfs)

# $(call services_flag,LIST): for services/list.c
services_flag = '-DSERVICES=$(foreach s,$1,SERVICE($s))'
$(call remember,services,$(SERVICES))
build/kernel/services/list.o: KERNEL_CFLAGS += $(call services_flag,$(SERVICES))
build/kernel/services/list.o: build/list/services
build/host/services/list.o build/san/services/list.o: HOST_EXTRA += $(call services_flag,$(SERVICES_ALL))

# An image of its own, with a command beside it, that has no more than it takes to run programs (test/ring/boot.py).
LEAN := dir seg node proc
build/lean/list.o: services/list.c $(MAKE_FILES) | $(SODIUM_VERSION) build/compiler.ok
	$(call say,CC,$< ($(LEAN)))
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) $(call services_flag,$(LEAN)) -c -o $@ $<

build/lean/rotifer.elf: build/lean/list.o $(filter-out %/services/list.o,$(KERNEL_LINK_WITH)) linker/kernel.ld build/list/kernel
	$(call say,LD,$@)
	$(Q)$(KERNEL_LINK) -Wl,-Map=build/lean/rotifer.map

build/lean/Image: build/lean/rotifer.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

build/lean/rotifer: build/rotifer
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

-include build/lean/list.d
