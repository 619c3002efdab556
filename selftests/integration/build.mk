# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of the whole system. They are built here and run in the virtual machine, by ./run, as
# programs of a user: linked to the libraries as those are installed.

IT := $(B)/tests/integration

IT_TESTS := arguments cgroups checkpoints crowd escapes events hostile killed lifecycle processes properties rivals snapshots \
	states terminate
IT_COMMON := $(addprefix selftests/integration/,box.c caller.c calls.c growth.c logd.c mixed.c steps.c tracee.c world.c)

# What runs in containers brings all that it needs.
IT_STATIC := agent ambush fugitive init intruder payload
IT_PROGRAMS := $(addprefix $(IT)/,$(IT_TESTS) $(IT_STATIC) linked linked-static json)

# What a user has to give to the linker for the static libraries.
IT_STATIC_LIBS = $(shell $(PKG_CONFIG) --libs $(filter-out libd%,$(libdreapp_LIBS)))

.PHONY: tests integration-tests
tests: integration-tests
integration-tests: $(IT_PROGRAMS)

$(call objs,selftests/integration/json.c): PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags json-c)

$(IT_TESTS:%=$(IT)/%): $(IT)/%: $(B)/obj/selftests/integration/%.o $(call objs,$(IT_COMMON)) \
		$(B)/lib/libdreapp.so $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $(filter %.o,$^) -L$(B)/lib -Wl,-rpath-link,$(B)/lib \
		-ldreapp -ldaware -lcmocka -pthread

$(IT)/linked: $(call objs,selftests/integration/linked.c) $(B)/lib/libdreapp.so $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $< -L$(B)/lib -ldreapp -ldaware

$(IT)/linked-static: $(call objs,selftests/integration/linked.c) $(B)/lib/libdreapp.a $(B)/lib/libdaware.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $^ $(IT_STATIC_LIBS) -pthread

$(IT)/json: $(call objs,selftests/integration/json.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -o $@ $^ $(shell $(PKG_CONFIG) --libs json-c)

$(IT_STATIC:%=$(IT)/%): $(IT)/%: $(B)/obj/selftests/integration/%.o \
		$(B)/lib/libdaware.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static -o $@ $^ -pthread

$(IT)/payload: $(call objs,selftests/integration/payload_channels.c selftests/integration/payload_files.c)
