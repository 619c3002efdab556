# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of libdre/common, linked with its own objects. Most are compiled for
# the address and undefined behaviour sanitizers (selftests/libdaware/build.mk
# says how); they need root, for files of other owners, but mount nothing.
# What is called NAME-vm does: it is built here and run in the virtual machine.

DRE_TESTS := names config manifest store container tree import tar fsck crash disk move log_reader output printable \
	     progress stop tool top value logs
DRE_VM_TESTS := store-vm content-vm volume-vm

DRE_TEST_PROGRAMS := $(DRE_TESTS:%=$(B)/tests/libdre/%)
DRE_VM_PROGRAMS := $(DRE_VM_TESTS:%=$(B)/tests/libdre/%)
DRE_TEST_SOURCES := $(libdre_common_SRCS) $(libdre_tree_SRCS) $(libdre_disk_SRCS) libdaware/error.c libdaware/module.c \
		    selftests/libdre/fixture.c selftests/libdre/inject.c $(addprefix tools/common/,printable.c progress.c)
DRE_TEST_LIBS = $(shell $(PKG_CONFIG) --libs libarchive $(libdre_common_LIBS) $(libdre_tree_LIBS)) -lcmocka -pthread

$(addprefix $(B)/obj/asan/selftests/libdre/,logs.o output.o printable.o progress.o stop.o top.o value.o): \
	ALL_CPPFLAGS += -Itools
$(B)/obj/asan/selftests/libdre/config.o: PKG_CFLAGS := -DSOURCE_DIR='"$(CURDIR)"'

$(DRE_TEST_PROGRAMS): $(B)/tests/libdre/%: $(B)/obj/asan/selftests/libdre/%.o \
		$(DRE_TEST_SOURCES:%.c=$(B)/obj/asan/%.o)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ $(DRE_TEST_LIBS)

$(DRE_VM_PROGRAMS): $(B)/tests/libdre/%: $(B)/obj/selftests/libdre/%.o \
		$(call objs,$(DRE_TEST_SOURCES))
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $^ $(DRE_TEST_LIBS)

# These have in themselves what is called of the program.
$(B)/tests/libdre/output: $(B)/obj/asan/tools/common/output.o
$(B)/tests/libdre/value: $(B)/obj/asan/tools/common/value.o
$(B)/tests/libdre/top: $(addprefix $(B)/obj/asan/tools/common/,table.o top_containers.o top_look.o value.o)
$(B)/tests/libdre/logs: $(addprefix $(B)/obj/asan/tools/common/,command.o complete.o logs.o value.o)
$(addprefix $(B)/tests/libdre/,value top logs): DRE_TEST_LIBS += $(shell $(PKG_CONFIG) --libs json-c smartcols)
$(addprefix $(B)/obj/asan/,tools/common/logs.o tools/common/table.o tools/common/value.o \
		selftests/libdre/logs.o selftests/libdre/value.o): \
	PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags json-c smartcols)

# So has this.
$(B)/tests/libdre/stop: $(addprefix $(B)/obj/asan/tools/common/,crowd.o stop.o)

# Volumes are libdreapp's.
$(B)/tests/libdre/volume-vm: $(call objs,libdre/app/volume.c)

# libFuzzer comes with clang. $(call fuzzer,SOURCES,LIBRARIES,FLAGS)
fuzzer = mkdir -p $(@D); $(call say,FUZZ,$@)clang-14 $(ALL_CPPFLAGS) -Iselftests -std=gnu11 $(WARNINGS) -O1 -g \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(3) -o $@ $(filter %.c,$(1)) $(2)

DRE_FUZZ := $(B)/tests/libdre/parse-fuzz $(B)/tests/libdre/app-fuzz $(B)/tests/sys/xml-fuzz
$(DRE_FUZZ): $(wildcard libdre/common/*.h) Makefile
$(B)/tests/libdre/parse-fuzz: selftests/libdre/parse-fuzz.c $(libdre_common_SRCS) $(libdre_tree_SRCS) $(libdre_disk_SRCS) \
		libdaware/error.c libdaware/module.c
	$(Q)$(call fuzzer,$^,$(filter-out -lcmocka,$(DRE_TEST_LIBS)),$(shell $(PKG_CONFIG) --cflags libarchive))

# What these do to the host is replaced.
DRE_FUZZ_WRAPPED := app_path app_module_container app_cgroup_announce cgroupfs_open_group cgroupfs_create cgroupfs_enable \
	cgroupfs_set dre_module_bind dre_module_process_register dre_module_vpid_to_pid
$(B)/tests/libdre/app-fuzz: selftests/libdre/app-fuzz.c $(libdreapp_SRCS) libdaware/error.c libdaware/module.c \
		$(wildcard libdre/app/*.h) | $(B)/include/dre_paths.h
	$(Q)$(call fuzzer,$^,$(filter-out -lcmocka,$(DRE_TEST_LIBS)),$(DRE_FUZZ_WRAPPED:%=-Wl$(comma)--wrap=%))

$(B)/tests/sys/xml-fuzz: selftests/sys/xml-fuzz.c libdre/sys/memory_xml.c libdre/common/fail.c libdre/common/utf8.c libdaware/error.c \
		$(wildcard libdre/sys/*.h)
	$(Q)$(call fuzzer,$^,$(shell $(PKG_CONFIG) --libs libvirt libxml-2.0),$(shell $(PKG_CONFIG) --cflags libvirt libxml-2.0))

comma := ,

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
