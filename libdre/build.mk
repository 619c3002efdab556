# SPDX-License-Identifier: LGPL-2.1-or-later

include libdre/common/sources.mk

# What is called app-*.c belongs to programs of its own.
libdreapp_SRCS := $(filter-out libdre/app/app-%.c,$(wildcard libdre/app/*.c)) \
		  $(libdre_common_SRCS) $(libdre_tree_SRCS)
# liblxc is loaded when it is needed, see lxc_lib.h.
libdreapp_LIBS := libdaware $(libdre_common_LIBS) $(libdre_tree_LIBS)

$(eval $(call library,libdreapp,1,$(libdreapp_SRCS),$(libdreapp_LIBS)))

# The helper has the library's objects in it: it needs what is not exported. It is run several times
# where a container starts, so that it has all but libc and liblxc in itself.
HELPER_OBJS := $(call objs,$(addprefix libdre/app/app-helper,.c -criu.c -exec.c -files.c -hook.c -relay.c -user.c) $(libdreapp_SRCS))
all: $(B)/libexec/dre/dre-app-helper
$(B)/libexec/dre/dre-app-helper: $(HELPER_OBJS) $(B)/lib/libdaware.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -Wl,-z,now -Wl,-z,relro $(LDFLAGS) -o $@ $^ -l:libinih.a -pthread

# Runs in the container for a moment, which may have no libraries.
all: $(B)/libexec/dre/dre-app-init
$(B)/libexec/dre/dre-app-init: $(call objs,libdre/app/app-init.c)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static $(LDFLAGS) -o $@ $^

libdresys_SRCS := $(wildcard libdre/sys/*.c) $(libdre_common_SRCS) $(libdre_disk_SRCS)
libdresys_LIBS := libdaware libvirt libxml-2.0 $(libdre_common_LIBS)

$(eval $(call library,libdresys,1,$(libdresys_SRCS),$(libdresys_LIBS)))
