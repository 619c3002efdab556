# SPDX-License-Identifier: LGPL-2.1-or-later

tools_COMMON := $(wildcard tools/common/*.c) libdre/common/utf8.c

$(eval $(call program,bin/dre-app,$(wildcard tools/app/*.c) $(tools_COMMON),libdreapp libdaware json-c smartcols))
$(eval $(call program,bin/dre-sys,$(wildcard tools/sys/*.c) $(tools_COMMON),libdresys libdaware json-c smartcols))
$(call objs,$(wildcard tools/*/*.c)): ALL_CPPFLAGS += -Itools

# It runs in containers that have no libraries.
all: $(B)/bin/daware-run
$(B)/bin/daware-run: $(call objs,$(addprefix tools/run/,main.c signals.c)) $(B)/lib/libdaware.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -static $(LDFLAGS) -o $@ $^ -pthread

# Programs of the libraries: what builds a Debian for a base image, and what makes a disk of it.
all: $(addprefix $(B)/libexec/dre/dre-base-,debian disk)
$(addprefix $(B)/libexec/dre/dre-base-,debian disk): $(B)/libexec/dre/dre-base-%: tools/base/%
	@mkdir -p $(@D)
	$(Q)$(call say,COPY,$@)cp $< $@

# Certificates for hosts that migrate system containers.
all: $(B)/bin/dre-sys-certs
$(B)/bin/dre-sys-certs: tools/sys/dre-sys-certs
	@mkdir -p $(@D)
	$(Q)$(call say,COPY,$@)cp $< $@

# Completion, where the shells look for it: bash by the name of the command, zsh by what the file says.
.PHONY: install-completion
install: install-completion
install-completion:
	$(INSTALL) -Dm 644 tools/completion/dre.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/dre-app
	ln -sf dre-app $(DESTDIR)$(prefix)/share/bash-completion/completions/dre-sys
	$(INSTALL) -Dm 644 tools/completion/_dre $(DESTDIR)$(prefix)/share/zsh/site-functions/_dre
