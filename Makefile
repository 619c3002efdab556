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
localstatedir ?= /var

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

$(B)/obj/%.o: %.c Makefile
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
$(1)_SOVERSION := $(2)
$(call objs,$(3)): PKG_CFLAGS = $$(shell $$(PKG_CONFIG) --cflags $(filter-out libd%,$(4)) 2>/dev/null)
$(B)/lib/$(1).so.$(2): $(call objs,$(3)) $(dir $(firstword $(3)))$(1).map $(patsubst %,$(B)/lib/%.so,$(filter libd%,$(4)))
	@mkdir -p $$(@D)
	$$(Q)$$(call say,LD,$$@)$$(CC) -shared -Wl,-soname,$(1).so.$(2) -Wl,--version-script=$(dir $(firstword $(3)))$(1).map \
		-Wl,-z,defs -Wl,-z,now -Wl,-z,relro $$(LDFLAGS) -o $$@ $(call objs,$(3)) -L$(B)/lib \
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

include $(wildcard libdaware/build.mk libdre/build.mk tools/build.mk kernel/build.mk selftests/*/build.mk)
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(B)
