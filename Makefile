# SPDX-License-Identifier: LGPL-2.1-or-later
#
# D-RE. `make help` lists the targets. Every directory that is built has a
# build.mk, which says what it is made of; how is said here. All output goes
# to build/.

VERSION   := 0.1.0

prefix    ?= /usr/local
libdir    ?= $(prefix)/lib
includedir ?= $(prefix)/include
bindir    ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec
mandir    ?= $(prefix)/share/man
sysconfdir ?= /etc
unitdir   ?= $(prefix)/lib/systemd/system

CC        ?= cc
AR        ?= ar
PKG_CONFIG ?= pkg-config
INSTALL   ?= install
B         := build

CFLAGS    ?= -O2 -g
WARNINGS  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	     -Wpointer-arith -Wvla -Wformat=2 -Wimplicit-fallthrough
ALL_CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iuapi -Ilibdre/include -Ilibdaware -Ilibdre \
	     -I$(B)/include $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) -fPIC -fvisibility=hidden -fstack-protector-strong $(CFLAGS)

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

.PHONY: all
all:

$(B)/obj/%.o: %.c Makefile | $(B)/include/dre_paths.h
	@mkdir -p $(@D)
	$(Q)$(call say,CC,$<)$(CC) $(ALL_CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,printf '  %-8s%s\n' $(1) '$(2)'; )

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

# $(call library,NAME,SOVERSION,SOURCES,LIBRARIES): NAME.so and NAME.a in $(B)/lib. Exactly what
# NAME's version script (NAME.map, beside the first source) names is exported. LIBRARIES are those of
# ours, as libNAME, and pkg-config names.
define library
all: $(B)/lib/$(1).so $(B)/lib/$(1).a
LIBRARIES += $(1)
$(1)_LIBS := $(4)
$(call objs,$(3)): PKG_CFLAGS = $$(shell $$(PKG_CONFIG) --cflags $(filter-out libd%,$(4)) 2>/dev/null)
$(B)/lib/$(1).so.$(2): $(call objs,$(3)) $(dir $(firstword $(3)))$(1).map $(patsubst %,$(B)/lib/%.so,$(filter libd%,$(4)))
	@mkdir -p $$(@D)
	$$(Q)$$(call say,LD,$$@)$$(CC) -shared -Wl,-soname,$(1).so.$(2) -Wl,--version-script=$(dir $(firstword $(3)))$(1).map \
		-Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete $$(LDFLAGS) -o $$@ $(call objs,$(3)) -L$(B)/lib \
		$(patsubst lib%,-l%,$(filter libd%,$(4))) $(if $(filter-out libd%,$(4)),$$(shell $$(PKG_CONFIG) --libs $(filter-out libd%,$(4)))) -pthread
$(B)/lib/$(1).so: $(B)/lib/$(1).so.$(2)
	$$(Q)ln -sf $(1).so.$(2) $$@
$(B)/lib/$(1).a: $(call objs,$(3))
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@; $$(call say,AR,$$@)$$(AR) rcs $$@ $$^
endef

# $(call program,PATH,SOURCES,LIBRARIES): the program $(B)/PATH, linked to our shared libraries.
define program
all: $(B)/$(1)
$(call objs,$(2)): PKG_CFLAGS = $$(shell $$(PKG_CONFIG) --cflags $(filter-out libd%,$(3)) 2>/dev/null)
$(B)/$(1): $(call objs,$(2)) $(patsubst %,$(B)/lib/%.so,$(filter libd%,$(3)))
	@mkdir -p $$(@D)
	$$(Q)$$(call say,LD,$$@)$$(CC) -Wl,-z,now -Wl,-z,relro $$(LDFLAGS) -o $$@ $(call objs,$(2)) -L$(B)/lib -Wl,-rpath-link,$(B)/lib \
		$(patsubst lib%,-l%,$(filter libd%,$(3))) $(if $(filter-out libd%,$(3)),$$(shell $$(PKG_CONFIG) --libs $(filter-out libd%,$(3)))) -pthread
endef

# What the code has to know of the build; rewritten only if it changes.
$(B)/include/dre_paths.h: FORCE
	@mkdir -p $(@D)
	@printf '#define DRE_VERSION "%s"\n#define DRE_LIBEXECDIR "%s"\n' '$(VERSION)' '$(libexecdir)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

include $(wildcard libdaware/build.mk libdre/build.mk tools/build.mk kernel/build.mk selftests/*/build.mk)
include Documentation/build.mk selftests/build.mk
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# The module's directory for each kernel that it is built for.
install_module = $(INSTALL) -Dm 644 $(B)/module/$(1)/dre.ko $(DESTDIR)/lib/modules/$(1)/extra/dre.ko

# What else libvirt's program is to read; the file is the administrator's, who may have lines of his own in it. What is
# loaded already is loaded anew.
APPARMOR := $(sysconfdir)/apparmor.d
VIRT_AA_HELPER := usr.lib.libvirt.virt-aa-helper

.PHONY: install
install: all
	$(INSTALL) -d $(addprefix $(DESTDIR),$(libdir)/pkgconfig $(includedir)/linux $(bindir) \
		$(libexecdir)/dre $(mandir) $(sysconfdir)/dre)
	for l in $(LIBRARIES); do \
		$(INSTALL) -m 644 $(B)/lib/$$l.a $(B)/lib/$$l.so.* $(DESTDIR)$(libdir) && \
		cp -P $(B)/lib/$$l.so $(DESTDIR)$(libdir) || exit; done
	printf 'INPUT(%s)\n' '$(LIBRARIES:lib%=-l%)' >$(DESTDIR)$(libdir)/libdre.so
	$(foreach l,$(LIBRARIES),$(call pkgconfig,$(l)) >$(DESTDIR)$(libdir)/pkgconfig/$(l).pc;)
	$(INSTALL) -m 644 libdaware/daware.h $(wildcard libdre/include/*.h) $(DESTDIR)$(includedir)
	$(INSTALL) -m 644 uapi/linux/dre.h $(DESTDIR)$(includedir)/linux
	$(INSTALL) $(wildcard $(B)/bin/*) $(DESTDIR)$(bindir)
	$(INSTALL) $(wildcard $(B)/libexec/dre/*) $(DESTDIR)$(libexecdir)/dre
	for m in $(MANPAGES); do $(INSTALL) -Dm 644 $$m $(DESTDIR)$(mandir)/man$${m##*.}/$${m##*/} || exit; done
	$(INSTALL) -d $(DESTDIR)$(unitdir)
	for u in dre-app dre-sys; do \
		sed 's,@bindir@,$(bindir),' tools/systemd/$$u.service.in >$(DESTDIR)$(unitdir)/$$u.service || exit; \
	done
	[ -e $(DESTDIR)$(sysconfdir)/dre/dre.conf ] || \
		$(INSTALL) -m 644 libdre/common/dre.conf $(DESTDIR)$(sysconfdir)/dre
	$(INSTALL) -Dm 644 tools/apparmor/dre-layers $(DESTDIR)$(APPARMOR)/abstractions/dre-layers
	$(INSTALL) -m 644 tools/apparmor/dre-container $(DESTDIR)$(APPARMOR)/dre-container
	$(INSTALL) -d $(DESTDIR)$(APPARMOR)/local
	grep -qs abstractions/dre-layers $(DESTDIR)$(APPARMOR)/local/$(VIRT_AA_HELPER) || \
		echo 'include if exists <abstractions/dre-layers>' >>$(DESTDIR)$(APPARMOR)/local/$(VIRT_AA_HELPER)
	for k in $(KERNELS); do $(call install_module,$$k) || exit; done
	[ '$(DESTDIR)' ] || { ldconfig; for k in $(KERNELS); do depmod $$k || exit; done; }
	[ '$(DESTDIR)' ] || for p in virt-aa-helper:$(VIRT_AA_HELPER) dre-container:dre-container; do \
		! grep -qs "^$${p%:*} " /sys/kernel/security/apparmor/profiles || \
		apparmor_parser -r $(APPARMOR)/$${p#*:} || exit; done

# Static linking needs what the library itself is linked to.
pkgconfig = printf '%s\n' 'prefix=$(prefix)' 'Name: $(1)' 'Description: D-RE runtime environment' \
	'Version: $(VERSION)' 'Requires: $(filter libd%,$($(1)_LIBS))' \
	'Requires.private: $(filter-out libd%,$($(1)_LIBS))' 'Cflags: -I$(includedir)' \
	'Libs: -L$(libdir) -l$(1:lib%=%)' 'Libs.private: -pthread'

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make            builds everything in build/
## make install    installs it (DESTDIR=, prefix=)
## make demo       shows D-RE at work, in a virtual machine
## make check      runs all tests
## make check-debug  runs the tests of the module on a kernel that looks closer
## make bench      measures what D-RE costs; BENCH=NAME one of the benches
## make soak       what takes hours: the fuzzer on that kernel, managers killed at each call; SOAK=PART one part
## make shell      gives a shell in the virtual machine
## make lint       only the static checks
## make clean      removes build/

.PHONY: clean
clean:
	rm -rf $(B)
