# SPDX-License-Identifier: LGPL-2.1-or-later

ifneq ($(wildcard libdre/common/sources.mk),)
include libdre/common/sources.mk

libdreapp_SRCS := $(addprefix libdre/app/,create.c exec.c handle.c helper.c list.c lxc_config.c \
		  module.c op.c paths.c process.c start.c state.c stop.c) $(libdre_common_SRCS)
libdreapp_LIBS := libdaware lxc inih libarchive

$(eval $(call library,libdreapp,1,$(libdreapp_SRCS),$(libdreapp_LIBS)))

# The helper has the library's objects in it: it needs what is not exported.
$(eval $(call program,libexec/dre/dre-app-helper,libdre/app/app-helper.c $(libdreapp_SRCS),$(libdreapp_LIBS)))
$(call objs,libdre/app/lxc_config.c libdre/app/helper.c): ALL_CPPFLAGS += -DDRE_LIBEXECDIR='"$(libexecdir)"'
endif
