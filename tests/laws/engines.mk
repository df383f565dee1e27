# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The engines that laws are built for, and how a file is compiled for one; to be
# included, with common set to the flags of all, and O.

sanitize := -g -O1 -fno-sanitize-recover=all
native := $(CC) $(common) -O2
m32 := $(CC) $(common) -O2 -m32 -DHAVE_ORACLE=0
asan := $(CC) $(common) $(sanitize) -fsanitize=address,undefined
fuzz := clang $(common) $(sanitize) -fsanitize=fuzzer,address,undefined
export ASAN_OPTIONS ?= detect_leaks=0

# compile ENGINE,FOLDER/,SOURCES
define compile
$(O)/$(1)/$(2)%.o: $(3)/%.c
	@mkdir -p $$(@D)
	@$($(1)) -c -o $$@ $$<

endef
