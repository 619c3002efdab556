# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of system containers. That of what libvirt is told runs here; machines run in the virtual machine,
# by ./run, in a boot of their own: what the application containers' tests need is not to wait for them.

ST := $(B)/tests/sys
ST_STAGE := $(B)/stage-sys

.PHONY: tests sys-tests check-sys stage-sys
tests: sys-tests
ST_MACHINE_TESTS := machines states configure cgroups checkpoints store share killed migration crowd
sys-tests: $(addprefix $(ST)/,machine console memory_xml settings sigpipe guest hold-kvm $(ST_MACHINE_TESTS))

$(ST)/machine $(ST)/memory_xml: PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags libvirt libxml-2.0)
$(ST)/machine $(ST)/memory_xml: $(ST)/%: $(B)/obj/asan/selftests/sys/%.o $(B)/obj/asan/libdre/sys/%.o \
		$(patsubst %.c,$(B)/obj/asan/%.o,libdre/common/fail.c libdre/common/utf8.c libdaware/error.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ $(shell $(PKG_CONFIG) --libs libvirt libxml-2.0) -lcmocka -pthread

# With all of libdre's common code that its own tests are linked with.
$(ST)/settings: $(patsubst %.c,$(B)/obj/asan/%.o,selftests/sys/settings.c libdre/sys/settings.c \
		$(filter-out selftests/%,$(DRE_TEST_SOURCES)))
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ $(DRE_TEST_LIBS)

$(ST)/console: $(patsubst %.c,$(B)/obj/asan/%.o,selftests/sys/console.c libdre/sys/console_pump.c \
		libdre/common/log_reader.c libdre/common/fail.c libdre/common/utf8.c libdaware/error.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ -lcmocka -pthread

$(ST)/sigpipe: $(patsubst %.c,$(B)/obj/asan/%.o,selftests/sys/sigpipe.c libdre/sys/sigpipe.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ -lcmocka -pthread

$(addprefix $(ST)/,$(ST_MACHINE_TESTS)): $(ST)/%: $(B)/obj/selftests/sys/%.o $(call objs,selftests/sys/host.c) \
		$(B)/lib/libdresys.so $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $(filter %.o,$^) -L$(B)/lib -ldresys -ldaware $(ST_LIBS) -lcmocka -pthread

$(ST)/killed $(ST)/migration: $(call objs,$(addprefix selftests/integration/,steps.c tracee.c))
$(ST)/states: $(call objs,selftests/integration/caller.c)
$(ST)/crowd: $(call objs,$(addprefix selftests/integration/,growth.c logd.c mixed.c))
# With the library's objects in it: it needs what is not exported.
$(ST)/checkpoints: $(call objs,$(libdresys_SRCS))
$(ST)/checkpoints: ST_LIBS = $(shell pkg-config --libs $(filter-out libdaware,$(libdresys_LIBS))) \
	$(addprefix -Xlinker --wrap=virDomain,UndefineFlags BlockRebase Suspend LookupByName)
$(ST)/share $(ST)/killed $(ST)/migration $(ST)/crowd: $(call objs,selftests/sys/nfs.c)
$(addprefix $(B)/obj/selftests/sys/,killed.o migration.o states.o crowd.o): ALL_CPPFLAGS += -Iselftests

$(ST)/guest $(ST)/hold-kvm: $(ST)/%: $(B)/obj/selftests/sys/%.o
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static -o $@ $^

check-sys: $(addprefix $(ST)/,machine console memory_xml settings sigpipe)
	$(Q)selftests/libdre/run $(B)/tap $^

# The programs that build disks, natively; what they build is booted, emulated.
.PHONY: check-base-disk
sys-tests: $(ST)/tiny-kernel
$(ST)/tiny-kernel: selftests/sys/tiny-kernel.S
	@mkdir -p $(@D) $(B)/obj/selftests/sys
	$(Q)$(call say,AS,$@)$(CC) -c -o $(B)/obj/selftests/sys/tiny-kernel.o $< && \
		objcopy -O binary -j .text $(B)/obj/selftests/sys/tiny-kernel.o $@
check-base-disk: $(ST)/tiny-kernel $(B)/bin/dre-sys $(addprefix $(B)/libexec/dre/dre-base-,debian disk)
	$(Q)selftests/sys/base-disk $(B) $(ST)/tiny-kernel

# Of the two hosts of migration.c: keys are made much sooner here than in an emulated machine.
$(ST)/pki/done: tools/sys/dre-sys-certs
	@rm -rf $(@D) && mkdir -p $(@D:/pki=)
	$(Q)$(call say,CERTS,$(@D))$< ca $(@D) && $< host $(@D) dre 10.98.0.1 && $< host $(@D) hostb 10.98.0.2 && touch $@

# What the tests' machines boot: the kernel of the virtual machine, as it is in its image.
stage-sys: stage $(ST)/pki/done
	$(Q)rm -rf $(ST_STAGE) && mkdir -p $(ST_STAGE)/tests/sys
	$(Q)cp $(addprefix $(ST)/,$(ST_MACHINE_TESTS)) $(ST)/guest $(ST)/hold-kvm \
		$(addprefix selftests/sys/,run libvirt initrd second-host nfs-server one-host systemd apparmor) $(ST_STAGE)/tests/sys/
	$(Q)cp -r $(ST)/pki $(ST_STAGE)/tests/sys/
	$(Q)cp $$($(VM) image)/$(SERIES)/vmlinux $(ST_STAGE)/tests/sys/
