# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Benches. Each is a program that prints what bench.h says. Those that need dre.ko are staged with the
# tests, and run in the virtual machine; the others run here. BENCH names some of them.

BENCHES_VM := kernel app checkpoint sys migration
BENCHES_HERE := log
BENCH ?= $(BENCHES_VM) $(BENCHES_HERE)

BENCH_COMMON := selftests/bench/bench.c

# The fakes of the module's tests: they have containers and processes, but no liblxc.
BENCH_KERNEL := $(wildcard selftests/bench/kernel*.c) selftests/bench/crowd.c \
		$(addprefix selftests/kernel/,agent.c request.c)
$(call objs,$(BENCH_KERNEL)): WARNINGS = $(KERNEL_TEST_WARNINGS)
$(call objs,$(filter selftests/bench/%,$(BENCH_KERNEL))): ALL_CPPFLAGS += -Iselftests/kernel

.PHONY: tests bench
tests: $(BENCHES_VM:%=$(B)/tests/bench/%)

$(B)/tests/bench/kernel: $(call objs,$(BENCH_KERNEL) $(BENCH_COMMON))
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static -no-pie -o $@ $^ -pthread

$(B)/tests/bench/app: $(call objs,selftests/bench/app.c selftests/bench/command.c $(BENCH_COMMON)) $(B)/tests/bench/app-init \
		$(B)/tests/bench/app-setup
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $(filter %.o,$^)

$(B)/tests/bench/app-init $(B)/tests/bench/sys-init: $(B)/tests/bench/%: $(B)/obj/selftests/bench/%.o
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static -o $@ $^

$(addprefix $(B)/tests/bench/,app-setup sys-setup migration-setup guest-initrd): $(B)/tests/bench/%: selftests/bench/%
	@mkdir -p $(@D)
	$(Q)$(call say,COPY,$@)cp $< $@

# Their machines boot what those of the tests of system containers do, see stage-sys, with an init of their own.
BENCH_SYS_COMMON := $(addprefix selftests/bench/,command.c standstill.c) $(BENCH_COMMON)
$(B)/tests/bench/sys: $(call objs,selftests/bench/sys.c $(BENCH_SYS_COMMON)) $(B)/lib/libdresys.so $(B)/lib/libdaware.so \
		| $(addprefix $(B)/tests/bench/,sys-init sys-setup guest-initrd)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -Wl,-rpath,/usr/local/lib -Wl,-rpath-link,$(B)/lib -o $@ \
		$(filter %.o,$^) -L$(B)/lib -ldresys -ldaware -pthread

$(B)/tests/bench/migration: $(call objs,selftests/bench/migration.c $(BENCH_SYS_COMMON)) \
		| $(addprefix $(B)/tests/bench/,sys-init migration-setup guest-initrd)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $^

# It is a user of the library as that is installed, and its container has no other program.
$(B)/tests/bench/checkpoint: $(call objs,selftests/bench/checkpoint.c $(BENCH_COMMON)) \
		$(B)/lib/libdreapp.so $(B)/lib/libdaware.so | $(B)/tests/bench/stall
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -Wl,-rpath,/usr/local/lib -Wl,-rpath-link,$(B)/lib -o $@ \
		$(filter %.o,$^) -L$(B)/lib -ldreapp -ldaware -pthread

$(B)/tests/bench/stall: $(call objs,selftests/bench/stall.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static -o $@ $^

$(BENCHES_HERE:%=$(B)/bench/%): $(B)/bench/%: $(B)/obj/selftests/bench/%.o \
		$(call objs,$(BENCH_COMMON)) $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -Wl,-rpath,'$$ORIGIN/../lib' -o $@ $(filter %.o,$^) -L$(B)/lib \
		-ldaware $(BENCH_LIBS) -pthread
$(B)/bench/log: BENCH_LIBS := -llog4c

$(call objs,selftests/bench/report.c): PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags json-c smartcols)
$(B)/bench/report: $(call objs,selftests/bench/report.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $^ $(shell $(PKG_CONFIG) --libs json-c smartcols) -lm

# `make bench JSON=1` prints the report for programs.
bench: deps $(B)/bench/report $(BENCHES_HERE:%=$(B)/bench/%) $(if $(filter $(BENCHES_VM),$(BENCH)),stage) \
		$(if $(filter sys migration,$(BENCH)),stage-sys)
	$(Q)selftests/bench/run $(if $(JSON),--json) $(BENCH)
