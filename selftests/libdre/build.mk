# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of libdre/common, linked with its own objects. Most are compiled for
# the address and undefined behaviour sanitizers (selftests/libdaware/build.mk
# says how); they need root, for files of other owners, but mount nothing.
# What is called NAME-vm does: it is built here and run in the virtual machine.

DRE_TESTS := names config manifest store container tree import tar fsck crash disk move log_reader output printable \
	     progress tool
DRE_VM_TESTS := store-vm content-vm volume-vm

DRE_TEST_PROGRAMS := $(DRE_TESTS:%=$(B)/tests/libdre/%)
DRE_VM_PROGRAMS := $(DRE_VM_TESTS:%=$(B)/tests/libdre/%)
DRE_TEST_SOURCES := $(libdre_common_SRCS) $(libdre_tree_SRCS) $(libdre_disk_SRCS) libdaware/error.c libdaware/module.c \
		    selftests/libdre/fixture.c selftests/libdre/inject.c $(addprefix tools/common/,printable.c progress.c)
DRE_TEST_LIBS = $(shell $(PKG_CONFIG) --libs libarchive $(libdre_common_LIBS) $(libdre_tree_LIBS)) -lcmocka -pthread

$(addprefix $(B)/obj/asan/selftests/libdre/,output.o printable.o progress.o): ALL_CPPFLAGS += -Itools
$(B)/obj/asan/selftests/libdre/config.o: PKG_CFLAGS := -DSOURCE_DIR='"$(CURDIR)"'

$(DRE_TEST_PROGRAMS): $(B)/tests/libdre/%: $(B)/obj/asan/selftests/libdre/%.o \
		$(DRE_TEST_SOURCES:%.c=$(B)/obj/asan/%.o)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ $(DRE_TEST_LIBS)

$(DRE_VM_PROGRAMS): $(B)/tests/libdre/%: $(B)/obj/selftests/libdre/%.o \
		$(call objs,$(DRE_TEST_SOURCES))
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $^ $(DRE_TEST_LIBS)

# This one has in itself what output.c calls of the program.
$(B)/tests/libdre/output: $(B)/obj/asan/tools/common/output.o

# Volumes are libdreapp's.
$(B)/tests/libdre/volume-vm: $(call objs,libdre/app/volume.c)

# libFuzzer comes with clang.
DRE_FUZZ := $(B)/tests/libdre/parse-fuzz
$(DRE_FUZZ): selftests/libdre/parse-fuzz.c $(libdre_common_SRCS) $(libdre_tree_SRCS) $(libdre_disk_SRCS) \
		libdaware/error.c libdaware/module.c $(wildcard libdre/common/*.h) Makefile
	@mkdir -p $(@D)
	$(Q)$(call say,FUZZ,$@)clang-14 $(ALL_CPPFLAGS) -Iselftests -std=gnu11 $(WARNINGS) -O1 -g \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		$(shell $(PKG_CONFIG) --cflags libarchive) -o $@ $(filter %.c,$^) $(filter-out -lcmocka,$(DRE_TEST_LIBS))

.PHONY: tests libdre-tests check-libdre
tests: libdre-tests
libdre-tests: $(DRE_TEST_PROGRAMS) $(DRE_VM_PROGRAMS) $(DRE_FUZZ)

check-libdre: $(DRE_TEST_PROGRAMS) $(DRE_FUZZ)
	$(Q)selftests/libdre/run $(B)/tap $(DRE_TEST_PROGRAMS) selftests/libdre/fuzz

# For libdreapp and libdresys; see SHARED in selftests/libdaware/build.mk.
.PHONY: check-conformance-app check-conformance-sys
check-conformance-app check-conformance-sys: check-conformance-%: $(addprefix $(B)/lib/,libdaware.so libdaware.a) \
		$(B)/lib/libdre%.so $(B)/lib/libdre%.a
	$(Q)selftests/libdre/conformance $* $(SHARED) $(B) $(shell $(PKG_CONFIG) --libs $(filter-out libd%,$(libdre$*_LIBS)))
