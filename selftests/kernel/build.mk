# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the requests to dre.ko, with the kernel's own harness. That comes
# from Debian's package of the kernel's source; nothing of it is in here. The
# programs are linked statically and at a fixed address, see agent.h.

KERNEL_TESTS := abi access self container process translate list events terminate \
		group bind bind-race trace hostile procfs lifetime stress unload failnth \
		load fuzz
KERNEL_TESTS_32 := abi

KSELFTEST := $(B)/kselftest-$(shell dpkg-query -W -f '$${Version}' linux-source-6.1 2>/dev/null)
KERNEL_TEST_CPPFLAGS := -isystem $(KSELFTEST)
# What the harness' macros make is not ours to mend; what an agent runs has parameters of its own kind.
KERNEL_TEST_WARNINGS := $(filter-out -Wmissing-prototypes -Wshadow,$(WARNINGS)) \
			-Wno-sign-compare -Wno-unused-parameter
KERNEL_TEST_LDFLAGS := -static -no-pie -pthread

KERNEL_TEST_SOURCES := $(KERNEL_TESTS:%=selftests/kernel/%.c)
KERNEL_TEST_COMMON := $(addprefix selftests/kernel/,agent.c request.c cgroup.c module.c worker.c)
FUZZ_OBJS := $(call objs,$(addprefix selftests/kernel/,population.c fuzz-request.c fuzz-table.c))
KERNEL_TEST_PROGRAMS := $(KERNEL_TESTS:%=$(B)/tests/kernel/%) \
			$(KERNEL_TESTS_32:%=$(B)/tests/kernel/%32) $(B)/tests/kernel/run

# Not of `all`: they need more than a machine that only uses D-RE has.
.PHONY: tests kernel-tests
tests: kernel-tests
kernel-tests: $(KERNEL_TEST_PROGRAMS)

$(KSELFTEST)/kselftest_harness.h: /usr/src/linux-source-6.1.tar.xz
	@mkdir -p $(@D)
	$(Q)$(call say,EXTRACT,$@)tar -xJmf $< -C $(@D) --strip-components=4 \
		$(addprefix linux-source-6.1/tools/testing/selftests/,kselftest.h kselftest_harness.h)

KERNEL_TEST_OBJS := $(call objs,$(KERNEL_TEST_SOURCES) $(KERNEL_TEST_COMMON)) \
		    $(patsubst %,$(B)/obj/m32/selftests/kernel/%.o,$(KERNEL_TESTS_32) agent request cgroup module worker) \
		    $(FUZZ_OBJS)
$(KERNEL_TEST_OBJS): WARNINGS := $(KERNEL_TEST_WARNINGS)
$(KERNEL_TEST_OBJS): PKG_CFLAGS = $(KERNEL_TEST_CPPFLAGS)
$(KERNEL_TEST_OBJS): | $(KSELFTEST)/kselftest_harness.h

$(B)/obj/m32/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(call say,CC32,$<)$(CC) -m32 $(ALL_CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(KERNEL_TESTS:%=$(B)/tests/kernel/%): $(B)/tests/kernel/%: $(B)/obj/selftests/kernel/%.o \
		$(call objs,$(KERNEL_TEST_COMMON))
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(KERNEL_TEST_LDFLAGS) -o $@ $^

$(B)/tests/kernel/fuzz: $(FUZZ_OBJS)

$(KERNEL_TESTS_32:%=$(B)/tests/kernel/%32): $(B)/tests/kernel/%32: \
		$(B)/obj/m32/selftests/kernel/%.o $(KERNEL_TEST_COMMON:%.c=$(B)/obj/m32/%.o)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -m32 $(KERNEL_TEST_LDFLAGS) -o $@ $^

$(B)/tests/kernel/run: selftests/kernel/run
	@mkdir -p $(@D)
	$(Q)$(INSTALL) -m 755 $< $@
