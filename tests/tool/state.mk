# SPDX-License-Identifier: GPL-2.0-only OR MIT
# What t-state and lab-state need, into $(O): states of simulated hosts, the command built with the
# sanitizers to be fuzzed, and what moves a VM on a real KVM.
SRC := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
TOP := $(realpath $(SRC)/../..)
O ?= $(TOP)/build/tests/tool
CC ?= gcc
warn := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -MMD -MP
core := arith rate line pvclock tsc move master sample
packages := libtracefs libtraceevent json-c
sanitize := -g -O1 -fno-sanitize-recover=all -fsanitize=address,undefined

states: $(O)/states
fuzz: $(O)/fuzz
mover: $(O)/mover

$(O)/%.a: FORCE
	@$(MAKE) --no-print-directory -s -C $(TOP)/lib O=$(O)/lib $(O)/lib/libkvmclock.a
	@cmp -s $(O)/lib/libkvmclock.a $@ || cp $(O)/lib/libkvmclock.a $@

scene := $(SRC)/states.c $(addprefix $(TOP)/tests/lib/,scene.c sim.c sim-vm.c sim-kvm.c wide.c) $(TOP)/tests/laws/in.c
$(O)/states: $(scene) $(O)/kvmclock.a
	@$(CC) $(warn) -O2 -I$(TOP)/core -I$(TOP)/tests/laws -I$(TOP)/tests/lib -o $@ $^ -lgmp

tool := $(wildcard $(TOP)/tools/*.c) $(wildcard $(TOP)/lib/*.c) $(core:%=$(TOP)/core/%.c)
objects := $(tool:$(TOP)/%.c=$(O)/asan/%.o) $(O)/asan/fuzz.o
$(O)/asan/%.o: $(TOP)/%.c
	@mkdir -p $(@D)
	@$(CC) $(warn) $(sanitize) -Dmain=tool_main -I$(TOP) -I$(TOP)/lib -I$(TOP)/uapi \
		-DKVMCLOCK_VERSION='"0"' $$(pkg-config --cflags $(packages)) -c -o $@ $<
$(O)/asan/fuzz.o: $(SRC)/fuzz.c
	@mkdir -p $(@D)
	@$(CC) $(warn) $(sanitize) -I$(TOP)/tools $$(pkg-config --cflags $(packages)) -c -o $@ $<
# fail() is in the tool and in the library: in an archive, the library's is one object's own.
$(O)/fuzz: $(objects)
	@ld -r -o $(O)/asan/library.o $(filter $(O)/asan/lib/% $(O)/asan/core/%,$^)
	@objcopy --wildcard --keep-global-symbol='kvmclock_*' $(O)/asan/library.o
	@$(CC) $(sanitize) -o $@ $(filter-out $(O)/asan/lib/% $(O)/asan/core/%,$^) $(O)/asan/library.o \
		$$(pkg-config --libs $(packages)) -pthread

$(O)/mover: $(SRC)/mover.c $(O)/kvmclock.a
	@$(CC) $(warn) -O2 -static -I$(TOP)/lib -I$(TOP)/uapi $$(pkg-config --cflags json-c) -o $@ $^ \
		$$(pkg-config --static --libs json-c)

-include $(wildcard $(O)/*.d $(O)/asan/*.d $(O)/asan/*/*.d)
FORCE:
.PHONY: states fuzz mover FORCE
.DELETE_ON_ERROR:
