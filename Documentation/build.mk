# SPDX-License-Identifier: LGPL-2.1-or-later

REFERENCES := $(addprefix $(B)/man/,dre.3 dre_app.3 dre_sys.3)
MANPAGES += $(wildcard */man/*.[1-8]) $(REFERENCES)

APP_EXAMPLES := dre-app-tour dre-app-examples
SYS_EXAMPLES := dre-sys-tour dre-sys-examples
examples = $(patsubst %,Documentation/examples/%.c,$(1))

# The reference of a library is what its header says, and programs that use it.
all: $(REFERENCES)
$(B)/man/dre.3: KIND := all
$(B)/man/dre_app.3: KIND := application
$(B)/man/dre_app.3: $(call examples,$(APP_EXAMPLES))
$(B)/man/dre_sys.3: KIND := system
$(B)/man/dre_sys.3: $(call examples,$(SYS_EXAMPLES))
$(REFERENCES): $(B)/man/%.3: libdre/include/%.h scripts/header-man
	@mkdir -p $(@D)
	$(Q)$(call say,MAN,$@)scripts/header-man $< $(KIND) "November 26, 2026" $(filter %.c,$^) >$@

# A page is found by all the names that it has.
.PHONY: install-man-names
install: install-man-names
install-man-names:
	for m in $(MANPAGES); do \
		section=$${m##*.} page=$${m##*/} dir=$(DESTDIR)$(mandir)/man$${m##*.}; \
		$(INSTALL) -d $$dir || exit; \
		sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' $$m | while read -r name; do \
			[ $$name.$$section = $$page ] || ln -sf $$page $$dir/$$name.$$section || exit; \
		done || exit; \
	done

# The program that makes each request, built as a user builds it. What uapi.md shows is out of it.
UAPI_EXAMPLE := $(B)/tests/integration/dre-uapi
integration-tests: $(UAPI_EXAMPLE)
$(UAPI_EXAMPLE): Documentation/examples/dre-uapi.c Documentation/uapi.md uapi/linux/dre.h
	@mkdir -p $(@D)
	$(Q)sed 's/^[[:space:]]*//' $< >$@.lines
	$(Q)! awk '/^```$$/ { c = 0 } c { sub(/^[ \t]*/, ""); print } /^```c$$/ { c = 1 }' \
		Documentation/uapi.md | grep -vxFf $@.lines
	$(Q)rm $@.lines; $(call say,CC,$@)$(CC) -Iuapi $(WARNINGS) -o $@ $<

# $(call library_examples,app|sys,DIRECTORY,PROGRAMS): those of a library, in DIRECTORY. Each function that it exports is
# in one of them.
define library_examples
$(addprefix $(2)/,$(3)): $(2)/%: Documentation/examples/%.c libdre/include/dre_$(1).h $(B)/lib/libdre$(1).so $(B)/lib/libdaware.so \
		libdre/$(1)/libdre$(1).map $(call examples,$(3))
	@mkdir -p $$(@D)
	$$(Q)cat $(call examples,$(3)) | tr -cs a-z0-9_ '\n' >$$@.words
	$$(Q)! sed -n 's/^[[:space:]]*\(dre_[a-z0-9_]*\);/\1/p' libdre/$(1)/libdre$(1).map | grep -vxFf $$@.words
	$$(Q)rm $$@.words; $$(call say,CC,$$@)$$(CC) -Ilibdre/include -Ilibdaware $$(WARNINGS) -o $$@ $$< -L$(B)/lib -ldre$(1) -ldaware
endef

integration-tests: $(addprefix $(IT)/,$(APP_EXAMPLES))
$(eval $(call library_examples,app,$(IT),$(APP_EXAMPLES)))
sys-tests: $(addprefix $(ST)/,$(SYS_EXAMPLES))
$(eval $(call library_examples,sys,$(ST),$(SYS_EXAMPLES)))
