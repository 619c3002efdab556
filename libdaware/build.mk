# SPDX-License-Identifier: LGPL-2.1-or-later

$(eval $(call library,libdaware,1,$(addprefix libdaware/,error.c format.c log.c module.c termination.c),))

# A thread of the library, its signal handler and its fork handlers may be in use when dlclose(3) is
# called.
$(B)/lib/libdaware.so.1: override LDFLAGS += -Wl,-z,nodelete

# The examples run in containers that have no libraries.
DAWARE_EXAMPLES := $(addprefix $(B)/examples/,daware-service daware-worker)
all: $(DAWARE_EXAMPLES)
$(DAWARE_EXAMPLES): $(B)/examples/%: $(B)/obj/Documentation/examples/%.o $(B)/lib/libdaware.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static $(LDFLAGS) -o $@ $^
