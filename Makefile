# SPDX-License-Identifier: GPL-2.0-only OR MIT

# The kernel to build for; when empty, the newest Debian 6.12 headers at hand.
KVER ?=
export KVER

help:
	@echo 'make demo          stock clock against ours, on two emulated hosts, as one table'
	@echo 'make demo-move     what a move does to a guest: by the library, as today, and by QEMU'
	@echo 'make check         all tests; ends in "N passed, N failed, N skipped"'
	@echo 'make check-all     the same and what takes long: before a release'
	@echo 'make bench         what the clock costs, stock against ours, as one table'
	@echo 'make check-debug   our KVM on a kernel with KASAN, lockdep and UBSAN, which is built first'
	@echo 'make module        kvm.ko, kvm-amd.ko, kvm-intel.ko in build/module/KVER/'
	@echo 'make lib           libkvmclock in build/lib/'
	@echo 'make tools         the kvmclock command, in build/tools/'
	@echo 'make install       installs library and command (DESTDIR, PREFIX)'
	@echo 'make uninstall     removes what make install put there (same DESTDIR, PREFIX)'
	@echo 'make deb           the Debian packages, in build/deb/'
	@echo 'make module-patch  the change to the kernel, as a patch to read'
	@echo 'make vmm           a small monitor on the library, and a guest for it, in build/vmm/'
	@echo 'make guest         a module for Linux guests, against bad steal records, in build/guest/KVER/'
	@echo 'make rows          doc/rows.md anew, from what the tests print'
	@echo 'make clean         removes build/ but the debug kernel; make clean-all removes that, too'
	@echo 'KVER=RELEASE chooses the kernel. What a target needs is installed first.'

demo:
	@scripts/demo

demo-move:
	@scripts/demo-move

bench:
	@scripts/bench

check:
	@scripts/check

# Also what takes minutes: for before a release.
check-all:
	@CHECK_SLOW=1 scripts/check

check-debug:
	@scripts/check-debug

rows:
	@scripts/check --rows

module:
	@scripts/deps build
	@kernel/build $(KVER)

lib:
	@scripts/deps lib
	@$(MAKE) --no-print-directory -s -C lib

install: lib tools
	@$(MAKE) --no-print-directory -s -C lib install
	@$(MAKE) --no-print-directory -s -C tools install

uninstall:
	@$(MAKE) --no-print-directory -s -C lib uninstall
	@$(MAKE) --no-print-directory -s -C tools uninstall

tools:
	@scripts/deps tools
	@$(MAKE) --no-print-directory -s -C tools

deb:
	@scripts/deb

vmm:
	@scripts/deps lib lab
	@$(MAKE) --no-print-directory -s -C vmm

guest:
	@scripts/deps build
	@guest/build $(KVER)

module-patch:
	@scripts/deps build
	@kernel/build --patch $(KVER)

# The debug kernel is of the distribution's source, not of ours, and takes long.
clean:
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name debug-kernel -exec rm -rf {} +

clean-all:
	@rm -rf build

# The shipped targets of these names are folders, too.
.PHONY: help lib install uninstall demo demo-move bench check check-all check-debug rows module module-patch deb tools vmm guest clean clean-all
