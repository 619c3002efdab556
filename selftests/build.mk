# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What runs in the virtual machine gets there in one tree: D-RE as `make
# install` puts it, and the tests in /tests.

SERIES ?= 6.1
STAGE := $(B)/stage
VM := selftests/vm/vm

# What does not run in it. Each boot unpacks the tree anew, so it is to be small.
NATIVE_TESTS = $(DRE_TEST_PROGRAMS) $(DRE_FUZZ) $(DAWARE_ASAN_PROGRAMS) $(DAWARE_TSAN_PROGRAMS) $(DAWARE_FUZZ) $(ST)

.PHONY: tests deps stage
deps:
	$(Q)scripts/deps all

stage: all tests vm-modules
	$(Q)rm -rf $(STAGE)
	$(Q)$(MAKE) -s --no-print-directory install DESTDIR=$(abspath $(STAGE)) KERNELS="$(VM_KERNELS)" >/dev/null
	$(Q)mkdir -p $(STAGE)/tests && cp -r $(B)/tests/. selftests/guest selftests/integration $(STAGE)/tests/
	$(Q)rm -rf $(NATIVE_TESTS:$(B)/%=$(STAGE)/%)
	$(Q)find $(STAGE)/tests -type f -perm -100 -exec strip --strip-debug {} + 2>/dev/null || :

.PHONY: check check-debug soak shell demo
check: STEPS := all
check-debug: STEPS := debug
soak: STEPS := soak
check check-debug soak: deps
	$(Q)rm -rf $(B)/tap && mkdir -p $(B)/tap
	$(Q)selftests/check $(STEPS)

# Interactive: `make shell SERIES=6.12`.
shell: deps stage
	$(Q)$(VM) shell --kernel $(SERIES) --payload $(STAGE) --syslog -- sh -c 'ldconfig; exec bash -l'

# Only what the demo shows: no tests.
demo:
	$(Q)scripts/deps build module vm
	$(Q)$(MAKE) -s --no-print-directory -j$$(nproc) all vm-modules
	$(Q)rm -rf $(B)/stage-demo
	$(Q)$(MAKE) -s --no-print-directory install DESTDIR=$(CURDIR)/$(B)/stage-demo KERNELS="$(VM_KERNELS)" >/dev/null
	$(Q)mkdir -p $(B)/stage-demo/demo && cp selftests/integration/demo $(B)/examples/daware-service $(B)/stage-demo/demo/
	$(Q)$(VM) run --name demo --kernel $(SERIES) --payload $(B)/stage-demo -- /demo/demo

# checkpatch comes from Debian's package of the kernel's source, as the tests' harness does.
CHECKPATCH := $(B)/checkpatch
$(CHECKPATCH)/checkpatch.pl: /usr/src/linux-source-6.1.tar.xz
	@mkdir -p $(@D)
	$(Q)tar -xJmf $< -C $(@D) --strip-components=2 \
		$(addprefix linux-source-6.1/scripts/,checkpatch.pl spelling.txt const_structs.checkpatch)

.PHONY: lint
lint: $(CHECKPATCH)/checkpatch.pl vm-modules $(B)/include/dre_paths.h
	$(Q)selftests/lint $(B)
