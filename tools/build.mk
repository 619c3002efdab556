# SPDX-License-Identifier: LGPL-2.1-or-later

tools_COMMON := $(addprefix tools/common/,command.c table.c)

$(eval $(call program,bin/dre-app,$(addprefix tools/app/,base.c lifecycle.c main.c process.c show.c) \
	$(tools_COMMON),libdreapp libdaware json-c smartcols))
$(call objs,$(wildcard tools/*/*.c)): ALL_CPPFLAGS += -Itools
