# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of system containers. That of what libvirt is told runs here; machines run in the virtual machine,
# by ./run, in a boot of their own: what the application containers' tests need is not to wait for them.

ST := $(B)/tests/sys
ST_STAGE := $(B)/stage-sys

.PHONY: tests sys-tests check-sys stage-sys
tests: sys-tests
ST_MACHINE_TESTS := machines configure
sys-tests: $(ST)/machine $(ST)/console $(ST)/guest $(addprefix $(ST)/,$(ST_MACHINE_TESTS))

$(ST)/machine: PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags libvirt libxml-2.0)
$(ST)/machine: $(B)/obj/asan/selftests/sys/machine.o $(patsubst %.c,$(B)/obj/asan/%.o,libdre/sys/machine.c \
		libdre/common/fail.c libdaware/error.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ $(shell $(PKG_CONFIG) --libs libvirt libxml-2.0) -lcmocka -pthread

$(ST)/console: $(patsubst %.c,$(B)/obj/asan/%.o,selftests/sys/console.c libdre/sys/console_pump.c \
		libdre/common/log_reader.c libdre/common/fail.c libdaware/error.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) -o $@ $^ -lcmocka -pthread

$(addprefix $(ST)/,$(ST_MACHINE_TESTS)): $(ST)/%: $(B)/obj/selftests/sys/%.o $(call objs,selftests/sys/host.c) \
		$(B)/lib/libdresys.so $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $(filter %.o,$^) -L$(B)/lib -ldresys -ldaware -lcmocka -pthread

$(ST)/guest: $(call objs,selftests/sys/guest.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static -o $@ $^

check-sys: $(ST)/machine $(ST)/console
	$(Q)selftests/libdre/run $(B)/tap $(ST)/machine $(ST)/console

# What the tests' machines boot: the kernel of the virtual machine, as it is in its image.
stage-sys: stage
	$(Q)rm -rf $(ST_STAGE) && mkdir -p $(ST_STAGE)/tests/sys
	$(Q)cp $(addprefix $(ST)/,$(ST_MACHINE_TESTS)) $(ST)/guest selftests/sys/run $(ST_STAGE)/tests/sys/
	$(Q)cp $$($(VM) image)/$(SERIES)/vmlinux $(ST_STAGE)/tests/sys/
