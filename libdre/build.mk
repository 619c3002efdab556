# SPDX-License-Identifier: LGPL-2.1-or-later

include libdre/common/sources.mk

libdreapp_SRCS := $(addprefix libdre/app/,bind.c cgroup.c checkpoint.c create.c events.c exec.c export.c \
		  handle.c helper.c limits.c list.c lxc_config.c module.c network.c op.c paths.c process.c \
		  property.c record.c resource.c snapshot.c start.c state.c stop.c volume.c fsck.c copy.c files.c) \
		  $(libdre_common_SRCS)
libdreapp_LIBS := libdaware lxc $(libdre_common_LIBS)

$(eval $(call library,libdreapp,1,$(libdreapp_SRCS),$(libdreapp_LIBS)))

# The helper has the library's objects in it: it needs what is not exported.
$(eval $(call program,libexec/dre/dre-app-helper,libdre/app/app-helper.c libdre/app/app-helper-criu.c libdre/app/app-helper-files.c \
	$(libdreapp_SRCS),$(libdreapp_LIBS)))
