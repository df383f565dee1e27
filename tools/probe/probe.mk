# SPDX-License-Identifier: GPL-2.0-only OR MIT
# To be included: $(probe_objects) are built into $(O)/probe; programs that use them
# are compiled with $(probe_include), and linked to libkvmclock if they use monitor.o.
probe := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
probe_objects := $(patsubst $(probe)%.c,$(O)/probe/%.o,$(wildcard $(probe)*.c))
probe_include := -I $(probe) -I $(probe)../../uapi -I $(probe)../../lib
# After all other flags: the guest's code has no libc, no data, and lies anywhere.
$(O)/probe/guest.o: guest_flags := -O2 -ffreestanding -fno-stack-protector -fcf-protection=none \
	-fno-sanitize=all -fno-lto -mgeneral-regs-only -fno-jump-tables -fno-pic \
	-fno-tree-loop-distribute-patterns -fno-tree-switch-conversion

$(O)/probe/%.o: $(probe)%.c $(probe)probe.mk | $(O)/probe
	$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $(probe_include) -pthread -MMD -MP \
		$(CPPFLAGS) $(CFLAGS) $(guest_flags) -c -o $@ $<

$(O)/probe:
	mkdir -p $@

-include $(wildcard $(O)/probe/*.d)
