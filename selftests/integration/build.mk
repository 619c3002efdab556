# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of the whole system. They are built here and run in the virtual machine, by ./run, as
# programs of a user: linked to the libraries as those are installed.

IT := $(B)/tests/integration

IT_TESTS := lifecycle processes terminate
IT_COMMON := $(addprefix selftests/integration/,box.c world.c)

# What runs in containers brings all that it needs.
IT_STATIC := agent init intruder

.PHONY: tests integration-tests
tests: integration-tests
integration-tests: $(IT_TESTS:%=$(IT)/%) $(IT_STATIC:%=$(IT)/%)

$(call objs,$(wildcard selftests/integration/*.c)): WARNINGS += -Wno-missing-prototypes

$(IT_TESTS:%=$(IT)/%): $(IT)/%: $(B)/obj/selftests/integration/%.o $(call objs,$(IT_COMMON)) \
		$(B)/lib/libdreapp.so $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $(filter %.o,$^) -L$(B)/lib -Wl,-rpath-link,$(B)/lib \
		-ldreapp -ldaware -lcmocka -pthread

$(IT_STATIC:%=$(IT)/%): $(IT)/%: $(B)/obj/selftests/integration/%.o $(B)/lib/libdaware.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static -o $@ $^ -pthread
