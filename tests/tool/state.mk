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

# The whole command with another main(), so that what it is built from is said once.
$(O)/fuzz: $(O)/asan/fuzz.o FORCE
	@$(MAKE) --no-print-directory -s -C $(TOP)/tools O=$(O)/asan CFLAGS="$(sanitize)" \
		CPPFLAGS=-Dmain=tool_main LDFLAGS="$(sanitize) $<" $(O)/asan/kvmclock
	@cmp -s $(O)/asan/kvmclock $@ || cp $(O)/asan/kvmclock $@
$(O)/asan/fuzz.o: $(SRC)/fuzz.c
	@mkdir -p $(@D)
	@$(CC) $(warn) $(sanitize) -I$(TOP)/tools $$(pkg-config --cflags $(packages)) -c -o $@ $<

include $(TOP)/tools/probe/probe.mk
$(O)/mover: $(SRC)/mover.c $(TOP)/tests/lab/tap.c $(probe_objects) $(O)/kvmclock.a
	@$(CC) $(warn) -O2 -static -pthread $(probe_include) $$(pkg-config --cflags json-c) -o $@ $^ \
		$$(pkg-config --static --libs json-c)

-include $(wildcard $(O)/*.d $(O)/asan/*.d $(O)/asan/*/*.d)
FORCE:
.PHONY: states fuzz mover FORCE
.DELETE_ON_ERROR:
